// The real thread on the real /proc.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObserveEvent, ScanEvent } from '@dendro/protocol';
import { afterAll, afterEach, expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { ProcfsThread } from './procfs-thread.ts';

const isRoot = process.getuid?.() === 0;
const clock = HostClock.read();
const folder = mkdtempSync(join(tmpdir(), 'dendro-procfs-'));
let thread: ProcfsThread;
let seen: ObserveEvent[];
const started: ChildProcess[] = [];

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  await thread.stop();
  for (const child of started.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
});

function startThread(budgetMs?: number): void {
  seen = [];
  thread = new ProcfsThread({ clock, budgetMs });
  thread.start((event) => seen.push(event));
}

async function start(command: string, ...args: string[]): Promise<number> {
  const child = spawn(command, args, { stdio: 'ignore' });
  started.push(child);
  await once(child, 'spawn');
  return child.pid ?? 0;
}

async function scan(): Promise<(ObserveEvent | ScanEvent)[]> {
  const events: (ObserveEvent | ScanEvent)[] = [];
  for (const event of thread.scan()) {
    if (event === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    else events.push(event);
  }
  return events;
}

const untilSeen = (isIt: (event: ObserveEvent) => boolean) =>
  expect.poll(() => seen.find(isIt), { timeout: 10_000 }).toBeDefined();

test('processes that are asked about are read by the same clock, and there is room for new questions then', async () => {
  startThread();
  const pid = await start('/bin/sleep', '600', '0');
  const room = thread.room;
  const before = clock.now();
  thread.ask([pid, 4_194_303]); // the second is nobody
  expect(thread.room).toBe(room - 2);
  expect(thread.counts.waiting).toBe(2);
  await untilSeen((event) => event.pid === pid && event.at >= before);
  await expect.poll(() => thread.room).toBe(room);
  const event = seen.findLast((one) => one.pid === pid);
  expect(event).toMatchObject({ argv: ['/bin/sleep', '600', '0'], ppid: process.pid, startIsTick: true });
  expect(event?.start).toBeLessThanOrEqual(before);
  expect(event?.start).toBeGreaterThan(before - 30e9);
  expect(thread.counts.reads).toBeGreaterThanOrEqual(1);
  expect(thread.counts.vanished).toBeGreaterThanOrEqual(1);
});

test('a scan tells of all that live and then that it was all', async () => {
  startThread();
  const from = clock.now();
  const events = await scan();
  const last = events.at(-1);
  expect(last).toMatchObject({ type: 'scan' });
  expect(last?.type === 'scan' && last.from >= from && last.at > last.from).toBe(true);
  const own = events.filter((event) => event.type === 'observe' && event.pid === process.pid);
  expect(own.length).toBeGreaterThan(1); // with its threads
  expect((await scan()).length).toBeGreaterThan(1); // and again
});

test.skipIf(!isRoot)('a program is read as it starts, without being asked about (needs root)', async () => {
  startThread();
  await scan(); // by then it listens
  await start('/bin/sleep', '600', '0.125');
  await untilSeen(({ argv }) => argv?.[2] === '0.125');
  let known = 0;
  for (let i = 0; i < 20; i++) {
    await once(spawn('/bin/sleep', ['0.005', `0.000${i}`], { stdio: 'ignore' }), 'exit');
  }
  await scan();
  for (let i = 0; i < 20; i++) if (seen.some(({ argv }) => argv?.[2] === `0.000${i}`)) known++;
  expect(known).toBeGreaterThanOrEqual(10);
});

test.skipIf(!isRoot)('what exceeds the budget is skipped or waits, and both are counted (needs root)', async () => {
  startThread(1);
  let walk = thread.scan();
  const isSpent = () => {
    if (walk.next().done) walk = thread.scan(); // where few live, one scan does not cost as much
    return thread.counts.spentMs > 10; // what can be saved
  };
  await expect.poll(isSpent, { timeout: 10_000 }).toBe(true);
  const before = thread.counts;
  spawnSync('/bin/sh', ['-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done']);
  thread.ask([process.pid]);
  await expect.poll(() => thread.counts.skipped, { timeout: 10_000 }).toBeGreaterThan(before.skipped);
  expect(thread.counts.reads).toBe(before.reads);
  expect(thread.counts.waiting).toBe(1);
});

test.skipIf(!isRoot)(
  'without the process connector it reads what it is asked about, and those whose exec it is told of (needs root)',
  () => {
    const script = `
    const { HostClock } = await import(${JSON.stringify(new URL('../host-clock.ts', import.meta.url).href)});
    const { ProcfsThread } = await import(${JSON.stringify(new URL('./procfs-thread.ts', import.meta.url).href)});
    const thread = new ProcfsThread({ clock: HostClock.read() });
    let onSeen;
    const event = await new Promise((resolve) => {
      onSeen = resolve;
      thread.start((event) => onSeen(event));
      thread.ask([process.pid]);
    });
    const noted = await new Promise((resolve) => {
      onSeen = resolve;
      thread.note(process.ppid);
    });
    const { isBusy } = thread;
    let count = 0;
    for (const one of thread.scan()) {
      if (one === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
      else count++;
    }
    await thread.stop();
    console.log(JSON.stringify({ argv: event.argv, noted: noted.pid === process.ppid, isBusy, count }));`;
    const file = join(folder, 'alone.mjs');
    writeFileSync(file, script);
    const { stdout, stderr } = spawnSync('unshare', ['--net', process.execPath, file], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const answer = JSON.parse(stdout) as { argv: string[]; noted: boolean; isBusy: boolean; count: number };
    expect(answer).toMatchObject({ noted: true, isBusy: true });
    expect(answer.argv[0]).toBe(process.execPath);
    expect(answer.count).toBeGreaterThan(1);
  },
);

test('once it has been stopped it asks nobody, and a scan that was being read ends', async () => {
  startThread();
  const walk = thread.scan();
  walk.next();
  await thread.stop();
  thread.ask([process.pid]);
  expect(thread.room).toBe(0);
  let steps = 0;
  for (const _ of walk) if (++steps > 100_000) break;
  expect(steps).toBeLessThan(100_000);
  await thread.stop();
});
