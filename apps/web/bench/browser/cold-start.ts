// A first visit with nothing cached to a host with 5,000 processes: when rows
// are there, and when the page is whole and answers.

import { close, GRID, type Harness, type Row, rowOfP95 } from './harness.ts';

export const name = 'cold-start';
export const goal = '5,000 processes: first rows ≤ 0.8 s, interactive ≤ 1.5 s';

const TASKS = 5000;
const RUNS = 7;

export async function run(harness: Harness): Promise<readonly Row[]> {
  const { server } = await harness.madeHost(TASKS);
  const [rows, interactive]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    const page = await harness.visit();
    await page.goto(server.url, { waitUntil: 'commit' });
    const times = await page.evaluate(
      (grid) =>
        new Promise<{ rows: number; interactive: number }>((resolve) => {
          let rows: number | undefined;
          const look = (now: number): void => {
            if (document.querySelector('[data-testid="tree-row"], [data-testid="group-row"]') !== null) rows ??= now;
            const version = document.querySelector(grid)?.getAttribute('data-version') ?? '';
            if (rows === undefined || version === '') requestAnimationFrame(look);
            // Interactive is when the task after that frame is over.
            else setTimeout(() => resolve({ rows: rows ?? now, interactive: performance.now() }));
          };
          requestAnimationFrame(look);
        }),
      GRID,
    );
    rows.push(times.rows);
    interactive.push(times.interactive);
    await close(page);
  }
  return [
    rowOfP95('cold start, 5,000 processes: first rows', rows, 800),
    rowOfP95('the same: whole and interactive', interactive, 1500),
  ];
}
