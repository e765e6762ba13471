import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { DendroError, type TaskEvent } from '@dendro/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TraceeFollowSource } from './follow-source.ts';

let folder: string;
let file: string;
let source: TraceeFollowSource;
let tids: number[];
let events: TaskEvent[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-follow-'));
  file = join(folder, 'events.ndjson');
});
afterEach(async () => {
  await source.stop();
  rmSync(folder, { recursive: true });
});

function exit(tid: number): string {
  return `{"eventName":"sched_process_exit","timestamp":${1_700_000_000_000n + BigInt(tid)}000000,"hostThreadId":${tid},"hostProcessId":${tid},"hostParentProcessId":1,"args":[]}\n`;
}

async function start(path = file): Promise<void> {
  source = new TraceeFollowSource(path);
  tids = [];
  events = [];
  await source.start((event) => {
    events.push(event);
    if (event.type === 'exit') tids.push(event.tid);
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + 8000; !isTrue(); ) {
    if (Date.now() > end) throw new Error(`it did not come about: ${tids.join()} ${JSON.stringify(source.status())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const untilTids = (...expected: number[]) => until(() => tids.join() === expected.join());

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const link = readlinkSync(`/proc/self/fd/${fd}`);
      return link.startsWith(folder) ? [link] : [];
    } catch {
      return []; // the one that this listing took
    }
  });
}

test('what is in the file and what is written to it later are read, a line in two parts as one', async () => {
  writeFileSync(file, exit(1));
  await start();
  await untilTids(1);
  expect(source).toMatchObject({ name: `tracee:${file}`, isLive: true });
  appendFileSync(file, exit(2));
  await untilTids(1, 2);
  appendFileSync(file, exit(3).slice(0, 40));
  await new Promise((resolve) => setTimeout(resolve, 100));
  appendFileSync(file, exit(3).slice(40));
  await untilTids(1, 2, 3);
  expect(events.filter(({ type }) => type === 'clock')).toHaveLength(1);
  expect(source.status()).toMatchObject({
    state: 'running',
    events: 3,
    rejected: {},
    notices: [],
    progress: undefined,
  });
  expect(source.status().detail).toMatch(/as it is written\.$/);
});

test('a file that is renamed is finished, also what is written to it just after, and the new one is read from its start', async () => {
  writeFileSync(file, exit(1));
  await start();
  await untilTids(1);
  renameSync(file, `${file}.1`);
  writeFileSync(file, exit(4) + exit(5));
  appendFileSync(`${file}.1`, exit(2) + exit(3).trimEnd());
  await untilTids(1, 2, 3, 4, 5);
  appendFileSync(file, exit(6));
  await untilTids(1, 2, 3, 4, 5, 6);
  expect(source.status().notices).toEqual(['Another file took its place once, and was read from its start.']);
  expect(openFiles()).toEqual([file]);
});

test('a file that is removed and made again is read on', async () => {
  writeFileSync(file, exit(1));
  await start();
  await untilTids(1);
  unlinkSync(file);
  await new Promise((resolve) => setTimeout(resolve, 100));
  writeFileSync(file, exit(2));
  await untilTids(1, 2);
});

test('a file that is made shorter is read from its start again, which is said', async () => {
  writeFileSync(file, exit(1) + exit(2) + exit(3).slice(0, 30));
  await start();
  await untilTids(1, 2);
  truncateSync(file, 0);
  await until(() => source.status().notices.length > 0);
  appendFileSync(file, exit(4));
  await untilTids(1, 2, 4);
  expect(source.status().notices[0]).toMatch(/begun anew once, .* missing\.$/);
  expect(source.status().rejected).toEqual({ truncated: 1 });
});

/** So many lines that reading them takes many turns. */
const MANY = 100_000;
const exits = (from: number, count: number) => Array.from({ length: count }, (_, i) => exit(from + i)).join('');
const untilRead = (count: number) => until(() => tids.length >= count);

test('a file that is rotated, packed and removed while it is being read is read to its end, and so is one rotated meanwhile', async () => {
  writeFileSync(file, exits(1, MANY));
  await start();
  await untilRead(1);
  renameSync(file, `${file}.1`);
  writeFileSync(file, exits(MANY + 1, 10));
  execFileSync('gzip', [`${file}.1`]);
  await until(() => openFiles().includes(file));
  expect(tids.length).toBeLessThan(MANY);
  renameSync(file, `${file}.1`);
  writeFileSync(file, exits(MANY + 11, 10));
  execFileSync('gzip', ['--force', `${file}.1`]);
  await untilRead(MANY + 20);
  expect(tids).toEqual(Array.from({ length: MANY + 20 }, (_, i) => i + 1));
  expect(readdirSync(folder).sort()).toEqual(['events.ndjson', 'events.ndjson.1.gz']);
  expect(source.status()).toMatchObject({
    state: 'running',
    rejected: {},
    notices: ['Another file took its place 2 times, and was read from its start.'],
  });
  await until(() => openFiles().join() === file);
});

test('a file that is packed under its own name is read to its end, and the next one of that name is read', async () => {
  writeFileSync(file, exits(1, MANY));
  await start();
  await untilRead(1);
  execFileSync('gzip', [file]);
  expect(existsSync(file)).toBe(false);
  await untilRead(MANY);
  writeFileSync(file, exit(MANY + 1));
  await untilRead(MANY + 1);
  expect(source.status()).toMatchObject({ state: 'running', rejected: {} });
});

test('a file that is copied, cut to nothing and already longer than before is read from its start', async () => {
  writeFileSync(file, exits(1, 100));
  await start();
  await untilRead(100);
  copyFileSync(file, `${file}.1`);
  truncateSync(file, 0);
  appendFileSync(file, exits(101, 200));
  execFileSync('gzip', [`${file}.1`]);
  await untilRead(300);
  expect(tids).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  expect(source.status()).toMatchObject({ rejected: {}, notices: [expect.stringMatching(/begun anew once/)] });
});

test('the zeros before what a writer that does not append writes to a file that was cut are passed over', async () => {
  const writer = openSync(file, 'w');
  writeSync(writer, exits(1, 5000));
  await start();
  await untilRead(5000);
  copyFileSync(file, `${file}.1`);
  truncateSync(file, 0);
  writeSync(writer, exits(5001, 10));
  await untilRead(5010);
  writeSync(writer, exits(5011, 10));
  await untilRead(5020);
  closeSync(writer);
  expect(tids).toEqual(Array.from({ length: 5020 }, (_, i) => i + 1));
  expect(source.status()).toMatchObject({ rejected: {}, notices: [expect.stringMatching(/begun anew once/)] });
});

test.each([
  ['gzip', gzipSync],
  ['zstd', (text: string) => zstdCompressSync(Buffer.from(text))],
])(
  'a file that is packed with %s is refused, at once and when it takes the place of another',
  async (packing, pack) => {
    const why = new RegExp(
      `^The file [^\\n]* cannot be followed: it is packed with ${packing}, .*leave out --follow.*\\.$`,
    );
    writeFileSync(file, pack(exit(1)));
    const thrown = await start().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'DENDRO_SOURCE_UNREADABLE', message: expect.stringMatching(why) });
    expect(source.status().state).toBe('failed');
    expect(openFiles()).toEqual([]);

    writeFileSync(file, exit(1));
    await start();
    await untilTids(1);
    renameSync(file, `${file}.1`);
    writeFileSync(file, pack(exit(2)));
    await until(() => source.status().state === 'failed');
    expect(source.status()).toMatchObject({
      events: 1,
      rejected: {},
      notices: [expect.stringMatching(why), expect.anything()],
    });
    await until(() => openFiles().length === 0);
  },
);

test('a file that is followed for years is taken for all of them', async () => {
  writeFileSync(file, exit(1));
  await start();
  await untilTids(1);
  appendFileSync(file, exit(2).replace('1700000000002', '1790000000002'));
  await untilTids(1, 2);
  expect(source.status().rejected).toEqual({});
});

test('a file that is not there yet is waited for', async () => {
  await start();
  expect(source.status()).toMatchObject({ state: 'running', events: 0 });
  expect(source.status().detail).toMatch(/not there and is waited for/);
  writeFileSync(file, exit(1));
  await untilTids(1);
  expect(source.status().detail).not.toMatch(/waited for/);
});

test('where no watch tells of a change, a look once a second does', async () => {
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'log'), exit(1));
  symlinkSync(join(elsewhere, 'log'), file);
  await start();
  await untilTids(1);
  appendFileSync(join(elsewhere, 'log'), exit(2));
  await untilTids(1, 2);
});

test('a long file is read in turns, says how far it is, and can be stopped', async () => {
  writeFileSync(file, exit(7).repeat(50_000));
  await start();
  const shares: number[] = [];
  while (tids.length < 20_000) {
    await new Promise((resolve) => setImmediate(resolve));
    const { progress } = source.status();
    if (progress !== undefined) shares.push(progress.done / progress.total);
  }
  expect(shares.length).toBeGreaterThan(2);
  expect(shares.every((share) => share > 0 && share < 1)).toBe(true);
  await source.stop();
  await source.stop();
  const atStop = tids.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(tids).toHaveLength(atStop);
  expect(atStop).toBeLessThan(50_000);
  expect(source.status().state).toBe('ended');
  expect(openFiles()).toEqual([]);
});

test.each([
  ['a folder', '.', /it is a folder/],
  ['a file in a missing folder', 'a/b', /there is no such folder/],
])('%s gives one sentence with the code of an unreadable source', async (_what, name, why) => {
  const path = join(folder, name);
  const thrown = await start(path).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(DendroError);
  const { code, message } = thrown as DendroError;
  expect(code).toBe('DENDRO_SOURCE_UNREADABLE');
  expect(message).toMatch(why);
  expect(message).toMatch(/^The file [^\n]* cannot be followed: [^\n]*\.$/);
  expect(source.status().state).toBe('failed');
});
