// Births, programs and ends at 2,000 a second for a minute, with a task selected:
// tasks of the page that hold it up, how far the selected row moves, what the
// heap does, and what it costs.

import type { CDPSession, Page } from '@playwright/test';
import { close, devtools, framesWhile, type Harness, inMs, type Row, settle, spareFor } from './harness.ts';
import { EVENTS_OF_A_LIFE, sleep } from './made-host.ts';

export const name = 'storm';
export const goal = '2,000 changes/s: no task over 50 ms, 0 px of drift, heap ≤ 250 MB and flat';

const EVENTS_PER_SECOND = 2000;
const LONG_MS = 50;
const MOST_MB = 250;
/** What the heap may grow by, for every minute of a storm whose tasks are all forgotten again. */
const FLAT_MB = 10;
const MB = 1e6;

export async function run(harness: Harness): Promise<readonly Row[]> {
  const { page, host } = await harness.large();
  const devtool = await devtools(page);
  // Until as many have ended as are remembered, and some more: from then on nothing more is to be remembered.
  await host.churn(EVENTS_PER_SECOND, (1.3 * spareFor(harness.tasks) * EVENTS_OF_A_LIFE) / EVENTS_PER_SECOND);
  const pid = host.pids[Math.floor(host.pids.length / 2)];
  // As plain text it can be the port of another one too, which is come to first.
  await page.getByRole('combobox', { name: 'Find, filter, command' }).fill(`pid:${pid}`);
  const row = page.locator(`[data-testid="tree-row"][data-pid="${pid}"]`);
  await page.keyboard.press('Enter');
  await row.click();
  await page.getByRole('combobox', { name: 'Find, filter, command' }).fill('');
  await settle(page);

  const heapBefore = await heapMb(devtool);
  await page.evaluate(() => globalThis.bench.longTasks.splice(0));
  const places = watchPlace(page, pid as number, harness.seconds);
  let frames: readonly number[] = [];
  let rate = 0;
  const tasks = await harness.tasksWhile(async () => {
    frames = await framesWhile(page, async () => {
      rate = await host.churn(EVENTS_PER_SECOND, harness.seconds);
    });
  });
  const long = await page.evaluate(() => globalThis.bench.longTasks);
  const drift = await places;
  const heap = await heapMb(devtool);
  await close(page);
  const perMinute = ((heap - heapBefore) * 60) / harness.seconds;
  const cpus = tasks.map(({ cpu }) => cpu);
  const busy = cpus.filter((cpu) => cpu > LONG_MS);
  const share = (cpus.reduce((sum, cpu) => sum + cpu, 0) / (harness.seconds * 10)).toFixed(0);
  const during = `in ${harness.seconds} s at ${Math.round(rate).toLocaleString('en')} changes/s`;
  return [
    {
      what: `tasks over 50 ms ${during}`,
      figure: long.length === 0 ? '0' : `${long.length}, the longest ${Math.max(...long).toFixed(0)} ms`,
      goal: '0',
      isKept: long.length === 0,
    },
    {
      what: 'of these such as computed for more than 50 ms',
      figure: `${busy.length}; the longest of all ${Math.max(0, ...cpus).toFixed(0)} ms`,
      goal: '0',
      isKept: busy.length === 0,
    },
    { what: 'between frames meanwhile', figure: inMs(frames), goal: '', isKept: undefined },
    { what: 'share of a core for the page meanwhile', figure: `${share} %`, goal: '', isKept: undefined },
    { what: 'selected row moved, most', figure: `${drift} px`, goal: '0 px', isKept: drift === 0 },
    { what: 'heap with its arrays', figure: `${heap.toFixed(0)} MB`, goal: `≤ ${MOST_MB} MB`, isKept: heap <= MOST_MB },
    {
      what: 'heap, slope',
      figure: `${perMinute.toFixed(1)} MB a minute`,
      goal: `≤ ${FLAT_MB}`,
      isKept: perMinute <= FLAT_MB,
    },
  ];
}

/** @returns px by which the row of a process has moved at the most, looked at with every frame */
async function watchPlace(page: Page, pid: number, seconds: number): Promise<number> {
  return page.evaluate(
    ([pid, seconds]) =>
      new Promise<number>((resolve) => {
        const row = () => document.querySelector(`[data-testid="tree-row"][data-pid="${pid}"]`);
        const first = row()?.getBoundingClientRect().top ?? Number.NaN;
        const until = performance.now() + (seconds as number) * 1000;
        let most = 0;
        const look = (now: number): void => {
          const top = row()?.getBoundingClientRect().top ?? Number.POSITIVE_INFINITY;
          most = Math.max(most, Math.abs(top - first));
          if (now > until) resolve(most);
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }),
    [pid, seconds],
  );
}

/** What is in use after a collection: objects, and arrays of numbers, which V8 counts apart. */
async function heapMb(devtool: CDPSession): Promise<number> {
  await devtool.send('HeapProfiler.collectGarbage');
  await sleep(500);
  const { usedSize, backingStorageSize } = (await devtool.send('Runtime.getHeapUsage')) as {
    usedSize: number;
    backingStorageSize?: number;
  };
  return (usedSize + (backingStorageSize ?? 0)) / MB;
}
