// From a process that is started here to its row on the screen, through the
// kernel's events, the server and the page: all of it real.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { close, type Harness, type Row, rowOfP95, settle } from './harness.ts';
import { sleep } from './made-host.ts';

export const name = 'pixel';
export const goal = 'kernel event to pixel p95 ≤ 200 ms';

const GOAL_MS = 200;
const RUNS = 40;
const SLEEP = '/bin/sleep';
const PROGRAM = 'bench-pixel';

export async function run(harness: Harness): Promise<readonly Row[]> {
  const server = await harness.server([]);
  const page = await harness.open(server.url, 1);
  const folder = mkdtempSync(join(tmpdir(), 'dendro-bench-'));
  const times: number[] = [];
  try {
    symlinkSync(SLEEP, join(folder, PROGRAM));
    await page.getByRole('combobox', { name: 'Find, filter, command' }).fill(`name:${PROGRAM}`);
    await settle(page);
    for (let run = 0; run < RUNS; run++) {
      // Of any phase of the clocks between here and there.
      await sleep(100 + ((run * 37) % 100));
      const from = performance.timeOrigin + performance.now();
      const child = spawn(join(folder, PROGRAM), ['30'], { stdio: 'ignore' });
      const seen = await page.evaluate(
        (pid) =>
          new Promise<number>((resolve) => {
            const look = (now: number): void => {
              const isThere = document.querySelector(`[data-testid="tree-row"][data-pid="${pid}"]`) !== null;
              if (isThere) resolve(performance.timeOrigin + now);
              else requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
          }),
        child.pid,
      );
      times.push(seen - from);
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const source = await page.locator('.status-bar').textContent();
  await close(page);
  const kind = /ebpf|tracefs|procfs|cn_proc/.exec(source ?? '')?.[0] ?? 'kernel';
  return [rowOfP95(`from spawn to pixel, ${RUNS} programs, source ${kind}`, times, GOAL_MS)];
}
