import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DendroError, SourceStatus, TaskEvent } from '@dendro/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ReplaySource } from './replay.ts';
import { timeOf } from './tracefs/merge.ts';

const CORE_STRACE = join(import.meta.dirname, '../../testkit/recordings/core-strace');
const PAGE_BYTES = 4096;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-replay-'));
  cpSync(CORE_STRACE, folder, { recursive: true });
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function replay(dir: string): Promise<{ events: TaskEvent[]; status: SourceStatus }> {
  const events: TaskEvent[] = [];
  const source = new ReplaySource(dir);
  await source.start((event) => events.push(event));
  while (source.status().state === 'running') await new Promise((resolve) => setImmediate(resolve));
  const status = source.status();
  await source.stop();
  return { events, status };
}

function countByType(events: readonly TaskEvent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

test('the recording has 925 records and all their births, names, programs and ends, in order of time', async () => {
  const { events, status } = await replay(CORE_STRACE);

  expect(status).toMatchObject({ state: 'ended', events: 925, lost: 0, rejected: {} });
  expect(countByType(events)).toEqual({ clock: 1, fork: 166, rename: 147, exec: 139, exit: 167 });
  expect(events[0]?.type).toBe('clock');
  expect(events.map(timeOf)).toEqual(events.map(timeOf).sort((a, b) => a - b));
});

test('the marker gives the time of day', async () => {
  const { events, status } = await replay(CORE_STRACE);

  expect(events[0]).toEqual({ type: 'clock', epochNs: 1_795_459_682_783_931_000n });
  expect(status.notices.join()).not.toMatch(/time marker/);
});

test('an exec by a thread names the thread, and the leader that came back to life had not ended its group', async () => {
  const { events } = await replay(CORE_STRACE);
  const exec = events.find((event) => event.type === 'exec' && event.pid !== event.oldTid);

  expect(exec).toMatchObject({ pid: 14691, oldTid: 14693 });
  expect(events.filter((event) => event.type === 'exit' && event.tid === 14691)).toMatchObject([
    { isGroupDead: false },
    { isGroupDead: true },
  ]);
});

test('hostile names come through as they are', async () => {
  const { events } = await replay(CORE_STRACE);
  const comms = new Set(events.flatMap((event) => (event.type === 'rename' ? [event.comm] : [])));
  const files = new Set(events.flatMap((event) => (event.type === 'exec' ? [event.filename] : [])));

  expect([...comms]).toEqual(expect.arrayContaining(['', 'pid=7 x=y', '[br] (pa)', expect.stringContaining('\n')]));
  expect([...files]).toEqual(
    expect.arrayContaining([expect.stringContaining('\n'), expect.stringContaining('old_pid=2')]),
  );
});

test('strace saw the same births and ends', async () => {
  const { events } = await replay(CORE_STRACE);
  const text = readFileSync(join(CORE_STRACE, 'strace.txt'), 'utf8');
  const births = [...text.matchAll(/(?:clone3?|v?fork)(?:\(| resumed)[^\n]*= (\d+)(?: \(|\n)/g)].map(([, tid]) =>
    Number(tid),
  );
  const ends = [...text.matchAll(/^(\d+) .*\+\+\+ (?:exited|killed)/gm)].map(([, tid]) => Number(tid));
  const born = new Set(events.flatMap((event) => (event.type === 'fork' ? [event.tid] : [])));
  const ended = new Set(events.flatMap((event) => (event.type === 'exit' ? [event.tid] : [])));

  expect(births.length).toBeGreaterThan(150);
  // Two births happen inside a pid namespace of their own, and strace prints the pids of that.
  expect(births.filter((tid) => !born.has(tid))).toHaveLength(2);
  expect(ends.length).toBeGreaterThan(150);
  expect(ends.filter((tid) => !ended.has(tid))).toEqual([]);
});

test('without a marker the times of day are guessed from the files, which is said', async () => {
  for (const name of ['cpu0.raw', 'cpu1.raw']) {
    const path = join(folder, name);
    if (name === 'cpu0.raw') writeFileSync(path, readFileSync(path).subarray(PAGE_BYTES)); // the marker is in page 0
    utimesSync(path, 1_800_000_000, 1_800_000_000);
  }
  const { events, status } = await replay(folder);
  const clock = events[0] as Extract<TaskEvent, { type: 'clock' }>;
  const last = Math.max(...events.slice(1).map(timeOf));

  expect(status.notices.join()).toMatch(/no time marker/);
  expect(Math.abs(Number(clock.epochNs) / 1e9 + last / 1e9 - 1_800_000_000)).toBeLessThan(1);
  expect(status.rejected).toEqual({});
});

test('a last page that was cut off is counted, and its whole records are read', async () => {
  truncateSync(join(folder, 'cpu1.raw'), 7 * PAGE_BYTES - 3000);
  const { status } = await replay(folder);

  expect(status.state).toBe('ended');
  expect(status.rejected).toEqual({ 'truncated-page': 1 });
  expect(status.events).toBeGreaterThan(880);
  expect(status.events).toBeLessThan(925);
});

test('a damaged page costs only itself, and its loss is counted', async () => {
  const path = join(folder, 'cpu0.raw');
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(0xfffff, PAGE_BYTES + 8);
  writeFileSync(path, bytes);
  const { status } = await replay(folder);

  expect(status.rejected).toEqual({ 'malformed-page': 1 });
  expect(status.events).toBeGreaterThan(800);
});

test('events that the recording kernel lost are a gap', async () => {
  const path = join(folder, 'cpu1.raw');
  const bytes = readFileSync(path);
  const used = bytes.readUInt32LE(PAGE_BYTES * 3 + 8) & 0xfffff;
  bytes.writeUInt32LE((used | 0xc000_0000) >>> 0, PAGE_BYTES * 3 + 8);
  bytes.writeBigUInt64LE(77n, PAGE_BYTES * 3 + 16 + used);
  writeFileSync(path, bytes);
  const { events, status } = await replay(folder);
  const gaps = events.filter((event) => event.type === 'gap');

  expect(status).toMatchObject({ events: 925, lost: 77 });
  expect(gaps).toHaveLength(1);
  expect(gaps[0]!.to).toBeGreaterThan(gaps[0]!.from);
  expect(gaps[0]!.lost).toBe(77);
});

test('empty files of CPUs are a recording in which nothing happened', async () => {
  for (const name of ['cpu0.raw', 'cpu1.raw']) truncateSync(join(folder, name), 0);
  const { events, status } = await replay(folder);

  expect(status).toMatchObject({ state: 'ended', events: 0, rejected: {} });
  expect(countByType(events)).toEqual({ clock: 1 });
});

test('reading gives the event loop turns, and can be stopped in the middle', async () => {
  const page = readFileSync(join(folder, 'cpu0.raw')).subarray(0, PAGE_BYTES);
  writeFileSync(join(folder, 'cpu0.raw'), Buffer.concat(Array.from({ length: 1000 }, () => page)));
  const source = new ReplaySource(folder);
  let count = 0;
  await source.start(() => count++);
  await new Promise((resolve) => setImmediate(resolve));
  const { progress } = source.status();
  await source.stop();
  const atStop = count;
  await new Promise((resolve) => setTimeout(resolve, 20));
  await source.stop();

  expect(progress?.total).toBe(1007 * PAGE_BYTES);
  expect(progress?.done).toBeGreaterThan(0);
  expect(progress?.done).toBeLessThan(500 * PAGE_BYTES);
  expect(count).toBe(atStop);
  expect(source.status().state).toBe('ended');
});

async function failure(dir: string): Promise<DendroError> {
  const source = new ReplaySource(dir);
  const thrown = await source.start(() => {}).catch((error: unknown) => error);
  expect(source.status().state).toBe('failed');
  await source.stop();
  return thrown as DendroError;
}

test.each<[string, RegExp, () => void]>([
  ['a missing folder', /is not there/, () => rmSync(folder, { recursive: true })],
  [
    'a folder without raw files',
    /holds no file cpu0\.raw/,
    () => {
      for (const name of ['cpu0.raw', 'cpu1.raw']) rmSync(join(folder, name));
    },
  ],
  ['a folder without formats', /formats .*is not there/, () => rmSync(join(folder, 'formats'), { recursive: true })],
  ['a recording without a header_page', /header_page, is not there/, () => rmSync(join(folder, 'formats/header_page'))],
  [
    'a recording without a format it needs',
    /no format of the event task_newtask/,
    () => rmSync(join(folder, 'formats/task:task_newtask.format')),
  ],
  [
    'a garbled format',
    /no name or no valid ID/,
    () => writeFileSync(join(folder, 'formats/task:task_rename.format'), 'what'),
  ],
  [
    'a file in place of a folder',
    /not a folder/,
    () => {
      rmSync(folder, { recursive: true });
      writeFileSync(folder, '');
    },
  ],
  [
    'a pipe in place of a raw file',
    /is not a file/,
    () => {
      rmSync(join(folder, 'cpu0.raw'));
      execFileSync('mkfifo', [join(folder, 'cpu0.raw')]);
    },
  ],
])('%s gives one sentence with the code of an unreadable source', async (_what, why, spoil) => {
  spoil();
  const error = await failure(folder);

  expect(error.code).toBe('DENDRO_SOURCE_UNREADABLE');
  expect(error.message).toMatch(why);
  expect(error.message).toContain(folder);
  expect(error.message).toMatch(/^The recording [^\n]*\.$/);
});
