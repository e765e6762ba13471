// Instants of a history of 2 million facts and 16,000 living tasks, each too far
// from the last one for any window: from the key that asks for it until its rows
// are painted.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page, Request } from '@playwright/test';
import { CpuClock } from './cpu.ts';
import { close, GRID, type Harness, inMs, painted, type Row, rowOfP95, settle } from './harness.ts';

export const name = 'instants';
export const goal = 'an instant of the history with 16,000 living tasks: p95 ≤ 200 ms';

const MADE_HISTORY = fileURLToPath(new URL('../../../../packages/history/bench/made-history.ts', import.meta.url));
const INSTANTS = 40;
const GOAL_MS = 200;
const IDLE_MS = 400;

export async function run(harness: Harness): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dendro-instants-'));
  try {
    const data = join(folder, 'history');
    const made = execFileSync(process.execPath, [MADE_HISTORY, data, '--facts', '2000000'], { encoding: 'utf8' });
    const { from, to } = JSON.parse(made) as { from: string; to: string };
    const instant = (share: number) => BigInt(from) + BigInt(Math.round(Number(BigInt(to) - BigInt(from)) * share));
    const server = await harness.server(['--source', 'none', '--data-dir', data]);
    const page = await harness.open(`${server.url}&at=${instant(0.5)}`, 1000);
    const clock = await CpuClock.of(page);
    const field = page.getByTestId('time-field');
    const [wall, cpu]: [number[], number[]] = [[], []];
    let rows = Number.POSITIVE_INFINITY;
    const untilIdle = fetching(page);
    for (let i = 0; i < INSTANTS; i++) {
      // What is fetched in the background has come: what is measured has the server for itself.
      await untilIdle();
      await settle(page);
      await field.fill(String(instant(0.2 + 0.6 * ((i * 0.618_034 + 0.3) % 1))));
      const input = {
        event: 'keydown',
        attribute: { of: GRID, name: 'data-at' },
        do: () => field.press('Enter'),
      } as const;
      const one = await painted(page, clock, input);
      wall.push(one.wall);
      cpu.push(one.cpu);
      rows = Math.min(rows, Number(await page.locator(GRID).getAttribute('aria-rowcount')));
    }
    await close(page);
    const what = `an instant of the history of ${rows.toLocaleString('en')} rows or more, from Enter to painted`;
    return [
      rowOfP95(what, wall, GOAL_MS),
      { what: 'the same, computing', figure: inMs(cpu), goal: '', isKept: undefined },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns resolves when the page has fetched nothing for a while */
function fetching(page: Page): () => Promise<void> {
  const open = new Set<Request>();
  let last = performance.now();
  const end = (request: Request): void => {
    open.delete(request);
    last = performance.now();
  };
  page.on('request', (request) => open.add(request));
  page.on('requestfinished', end);
  page.on('requestfailed', end);
  return async () => {
    while (open.size > 0 || performance.now() - last < IDLE_MS) await page.waitForTimeout(IDLE_MS / 4);
  };
}
