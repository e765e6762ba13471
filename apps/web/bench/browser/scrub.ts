// The playhead dragged over a recording in which 20,000 processes live and as many
// come and go: alone, and while two instants are compared.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventNs, TaskEvent } from '@dendro/protocol';
import { Random, recordingOf } from '@dendro/testkit';
import type { Page } from '@playwright/test';
import { close, framesWhile, type Harness, percentile, type Row, ratio, rowOfP95 } from './harness.ts';

export const name = 'scrub';
export const goal = 'dragging over 20,000 tasks: frame p95 ≤ 33 ms';

const TASKS = 20_000;
const SPAN_NS = 600e9;
const SECONDS = 8;
const FRAME_MS = 33;

export async function run(harness: Harness): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dendro-scrub-'));
  try {
    const file = join(folder, 'large.dendro');
    const memory = { maxProcesses: 3 * TASKS, maxThreads: 1000 };
    writeFileSync(file, recordingOf(largeHost(), { name: 'large', users: {} }, memory));
    const blank = await harness.blank();
    const empty = percentile(await framesWhile(blank, () => blank.waitForTimeout(3000)), 0.95);
    await close(blank);
    const { url } = await harness.server(['--source', `replay:${file}`, '--max-processes', String(3 * TASKS)]);
    const page = await harness.open(url, TASKS);
    const drag = await framesWhile(page, () => dragFor(page, SECONDS));
    await page.keyboard.press('a');
    const compared = await framesWhile(page, () => dragFor(page, SECONDS));
    await close(page);
    const beside = (frames: readonly number[]) => ratio(percentile(frames, 0.95), empty, 'an empty page');
    return [
      rowOfP95('dragging over 20,000 living tasks, between frames', drag, FRAME_MS, beside(drag)),
      rowOfP95('the same, compared with another instant', compared, FRAME_MS, beside(compared)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** To and fro over the middle of the strip, as fast as the page takes it, with a button held. */
async function dragFor(page: Page, seconds: number): Promise<void> {
  const box = await page.getByTestId('time-strip').boundingBox();
  if (box === null) throw new Error('there is no strip');
  const y = box.y + 15;
  const until = performance.now() + seconds * 1000;
  await page.mouse.move(box.x + box.width * 0.8, y);
  await page.mouse.down();
  for (let step = 0; performance.now() < until; step++) {
    const share = 0.5 + 0.4 * Math.cos(step / 40);
    await page.mouse.move(box.x + box.width * share, y);
  }
  await page.mouse.up();
}

function largeHost(): TaskEvent[] {
  const random = new Random(7);
  const events: TaskEvent[] = [];
  const bear = (tid: number, creatorTid: number, at: number): void => {
    const comm = ['node', 'python3', 'sh', 'java', 'nginx'][random.below(5)] as string;
    const path = `/usr/bin/${comm}`;
    const argv = [path, '--config', `/etc/site-${random.below(5000)}.conf`];
    events.push(
      { type: 'fork', at: at as EventNs, tid, pid: tid, creatorTid, cloneFlags: 0 },
      { type: 'exec', at: (at + 1e5) as EventNs, pid: tid, comm, argv, executable: { path }, uid: random.below(3) },
    );
  };
  for (let i = 0; i < TASKS; i++) bear(2 + i, i < 10 ? 1 : 2 + random.below(Math.min(i, 2000)), i * 1e5);
  for (let i = 0; i < TASKS; i++) {
    const at = 5e9 + (i * (SPAN_NS - 5e9)) / TASKS;
    const tid = 100_000 + i;
    bear(tid, 2 + random.below(2000), at);
    events.push({ type: 'exit', at: (at + 2e7) as EventNs, tid, pid: tid, isGroupDead: true, code: 0 });
  }
  return [{ type: 'clock', epochNs: 1_700_000_000_000_000_000n }, ...events];
}
