// 2,000 processes with 8,000 threads: all there, with the right parents, in
// little memory on either side.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

const PROCESSES = 2000;
const THREADS = 4;
const CROWD = fileURLToPath(new URL('./helpers/crowd.py', import.meta.url));

interface Task {
  readonly taskId: number;
  readonly kind: 'process' | 'thread';
  readonly pid: number;
  readonly tid: number;
  readonly parentTaskId: number | null;
  readonly leaderTaskId: number | null;
}

test('2,000 processes with 8,000 threads appear with the right parents', async ({ page }) => {
  test.skip(spawnSync('python3', ['--version']).status !== 0, 'python3 starts the crowd, and there is none here');
  test.setTimeout(180_000);
  const dendro = await Dendro.start();
  const crowd = spawn('python3', [CROWD, String(PROCESSES), String(THREADS)], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await TreePage.keepApart(page);
    const tree = await TreePage.open(page, dendro);
    await once(crowd.stdout, 'data');
    const truth = procOf(crowd.pid ?? 0);
    expect(truth.size).toBe(PROCESSES);
    expect([...truth.values()].reduce((sum, { tids }) => sum + tids.length, 0)).toBe(PROCESSES * (THREADS + 1));

    // The browser shows them: the parent's row says so, and its count of rows.
    await tree.filter(String(crowd.pid));
    await expect(tree.row(crowd.pid)).toBeVisible();
    await tree.filter('');
    await expect(async () => {
      expect(Number(await tree.grid.getAttribute('aria-rowcount'))).toBeGreaterThan(PROCESSES);
    }).toPass({ timeout: 10_000 });

    const answer = (await (await dendro.get('/api/v1/hosts/local/tree')).json()) as { tasks: Task[] };
    const byId = new Map(answer.tasks.map((task) => [task.taskId, task]));
    const wrong: unknown[] = [];
    let threads = 0;
    for (const [pid, { ppid, tids }] of truth) {
      const process = answer.tasks.find((task) => task.kind === 'process' && task.pid === pid);
      const parent = byId.get(process?.parentTaskId ?? 0);
      if (parent?.pid !== ppid) wrong.push({ pid, ppid, process, parent });
      for (const tid of tids) {
        const task = answer.tasks.find((task) => task.tid === tid);
        if (byId.get(task?.leaderTaskId ?? 0)?.pid !== pid) wrong.push({ tid, pid, task });
        else threads++;
      }
    }
    expect(wrong).toEqual([]);
    expect(threads).toBe(PROCESSES * (THREADS + 1));

    // All expanded and with their threads, scrolled from end to end: few rows in the page at any moment.
    await tree.grid.focus();
    for (const key of ['End', 'PageUp', 'PageUp', 'Home', 'PageDown', 'End']) {
      await page.keyboard.press(key);
      await expect(tree.rows.first()).toBeVisible();
      expect(await page.getByRole('row').count()).toBeLessThanOrEqual(100);
    }
    expect(dendro.residentMiB).toBeLessThan(300);
    test.info().annotations.push({ type: 'resident MiB', description: dendro.residentMiB.toFixed(0) });
  } finally {
    crowd.stdin.end();
    await once(crowd, 'close');
    await dendro.stop();
  }
});

/** The children of a process as /proc has them: pid -> parent and threads. */
function procOf(parent: number): Map<number, { ppid: number; tids: number[] }> {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').map(Number);
  return new Map(
    children.map((pid) => {
      const ppid = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      return [pid, { ppid, tids: readdirSync(`/proc/${pid}/task`).map(Number) }];
    }),
  );
}
