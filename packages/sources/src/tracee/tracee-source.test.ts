import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { DendroError, type TaskEvent } from '@dendro/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TraceeSource } from './tracee-source.ts';

let folder: string;
let sources: TraceeSource[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-tracee-'));
  sources = [];
});
afterEach(async () => {
  for (const source of sources) await source.stop();
  rmSync(folder, { recursive: true });
});

function exit(tid: number): string {
  return `{"eventName":"sched_process_exit","timestamp":1700000000000000${String(tid).padStart(3, '0')},"hostThreadId":${tid},"hostProcessId":${tid},"hostParentProcessId":1,"args":[]}\n`;
}

async function start(target: string): Promise<{ source: TraceeSource; events: TaskEvent[]; tids: () => number[] }> {
  const source = new TraceeSource(target);
  sources.push(source);
  const events: TaskEvent[] = [];
  await source.start((event) => events.push(event));
  const tids = () => events.flatMap((event) => (event.type === 'exit' ? [event.tid] : []));
  return { source, events, tids };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + 5000; !isTrue(); ) {
    if (Date.now() > end) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function openFilesIn(path: string): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the one that this listing took
    }
  });
  return links.filter((link) => link.startsWith(path));
}

test('a file is read to its end, what is bad in it is counted, and nothing stays open', async () => {
  const file = join(folder, 'events.ndjson');
  writeFileSync(file, `${exit(1)}rubbish\r\n\n${exit(2)}{"name":"other"}\n${exit(3).slice(0, 50)}`);
  const { source, events, tids } = await start(file);
  expect(source).toMatchObject({ name: `tracee:${file}`, isLive: false });
  expect(source.status().progress?.total).toBeGreaterThan(0);
  await until(() => source.status().state === 'ended');

  expect(events[0]).toEqual({ type: 'clock', epochNs: 1_700_000_000_000_000_001n });
  expect(tids()).toEqual([1, 2]);
  expect(source.status()).toMatchObject({
    events: 2,
    lost: 0,
    rejected: { 'not-json': 1, 'not-a-lifecycle-event': 1, truncated: 1 },
    progress: undefined,
  });
  expect(source.status().detail).toContain(file);
  expect(openFilesIn(folder)).toEqual([]);
});

test('what is written behind the end is not read, which is said', async () => {
  const file = join(folder, 'growing.ndjson');
  writeFileSync(file, exit(1));
  const { source, tids } = await start(file);
  await until(() => source.status().state === 'ended');
  appendFileSync(file, exit(2));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(tids()).toEqual([1]);
  expect(source.status().detail).toMatch(/after its end .* not read/);
});

test('a long file gives the event loop its turns, tells how far it is, and can be stopped in the middle', async () => {
  const file = join(folder, 'long.ndjson');
  writeFileSync(file, exit(7).repeat(100_000));
  const { source, tids } = await start(file);
  let turns = 0;
  const seen: number[] = [];
  while (tids().length < 20_000) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
    const { progress } = source.status();
    if (progress !== undefined) seen.push(progress.done / progress.total);
  }
  await source.stop();
  const atStop = tids().length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  await source.stop();

  expect(turns).toBeGreaterThan(5);
  expect(seen.every((share) => share >= 0 && share <= 1)).toBe(true);
  expect(tids()).toHaveLength(atStop);
  expect(atStop).toBeLessThan(100_000);
  expect(source.status().state).toBe('ended');
  expect(openFilesIn(folder)).toEqual([]);
});

test('a named pipe is read as it is written, by one writer after the other', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const { source, tids } = await start(pipe);
  expect(source.isLive).toBe(true);
  for (const tid of [1, 2]) {
    const writer = await open(pipe, 'w');
    await writer.write(exit(tid));
    await writer.close();
    await until(() => tids().length === tid);
  }
  expect(tids()).toEqual([1, 2]);
  expect(source.status()).toMatchObject({ state: 'running', progress: undefined });
  await source.stop();
  expect(openFilesIn(folder)).toEqual([]);
});

test.each([
  ['', exit(1), exit(2).trimEnd()],
  [', unpacked too', gzipSync(exit(1)), gzipSync(exit(2))],
])('standard input is read until it is closed%s', async (_what, first, second) => {
  const script = `
    import { TraceeSource } from ${JSON.stringify(new URL('./tracee-source.ts', import.meta.url).href)};
    const source = new TraceeSource('-');
    await source.start((event) => event.type === 'exit' && console.log('exit', event.tid));
    const timer = setInterval(() => {
      if (source.status().state === 'running') return;
      clearInterval(timer);
      console.log(source.isLive, JSON.stringify(source.status()));
    }, 5);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdin.write(first);
  await until(() => said.includes('exit 1\n'));
  child.stdin.end(second);
  await once(child, 'close');
  expect(said).toMatch(/^exit 1\nexit 2\ntrue \{"name":"tracee:-","state":"ended"/);
});

test('a file without anything usable still gives a clock, and says that it was of no use', async () => {
  const file = join(folder, 'other.txt');
  writeFileSync(file, 'This is\nanother file.\n');
  const { source, events } = await start(file);
  await until(() => source.status().state === 'ended');
  expect(events.map(({ type }) => type)).toEqual(['clock']);
  expect(source.status().rejected).toEqual({ 'not-json': 2 });
  expect(source.status().notices.join(' ')).toMatch(/No line in it was an event that could be used/);
});

test('a byte order mark before the first line is passed over, a second one is not', async () => {
  const file = join(folder, 'marked.ndjson');
  writeFileSync(file, `\u{feff}${exit(1)}\u{feff}${exit(2)}`);
  const { source, tids } = await start(file);
  await until(() => source.status().state === 'ended');
  expect(tids()).toEqual([1]);
  expect(source.status()).toMatchObject({ events: 1, rejected: { 'not-json': 1 } });
});

test('a time that is not exact any more, so far from the first, is counted and not rounded', async () => {
  const file = join(folder, 'years.ndjson');
  const later = (seconds: number, tid: number) => exit(tid).replace('1700000000', String(1_700_000_000 + seconds));
  // Of nine million seconds every nanosecond is exact; 104.25 days are more.
  writeFileSync(file, exit(1) + later(9_000_000, 2) + later(9_007_200, 3) + later(-9_007_200, 4) + exit(5));
  const { source, events, tids } = await start(file);
  await until(() => source.status().state === 'ended');
  expect(tids()).toEqual([1, 2, 5]);
  expect(events.map((event) => ('at' in event ? event.at : undefined))).toEqual([undefined, 0, 9e15 + 1, 4]);
  expect(source.status()).toMatchObject({ events: 3, rejected: { 'time-out-of-range': 2 } });
});

test('of a feed whose first time is a wild one the others count', async () => {
  const file = join(folder, 'wild.ndjson');
  writeFileSync(file, exit(1).replace('1700000000', '1600000000') + exit(2) + exit(3));
  const { source, tids } = await start(file);
  await until(() => source.status().state === 'ended');
  expect(tids()).toEqual([2, 3]);
  expect(source.status().rejected).toEqual({ 'time-out-of-range': 1 });
});

test.each<[string, (text: string) => Buffer]>([
  ['gzip', gzipSync],
  ['zstd', (text) => zstdCompressSync(Buffer.from(text))],
])('a file packed with %s is read as if it were not, whatever its name', async (packing, pack) => {
  const file = join(folder, 'events.ndjson');
  writeFileSync(file, Buffer.concat([pack(exit(1)), pack(exit(2))]));
  const { source, tids } = await start(file);
  await until(() => source.status().state === 'ended');
  expect(tids()).toEqual([1, 2]);
  expect(source.status()).toMatchObject({ events: 2, rejected: {}, notices: [] });
  expect(source.status().detail).toContain(`packed with ${packing}`);
  expect(openFilesIn(folder)).toEqual([]);
});

test('an archive that breaks off gives what was readable, and says that there was more', async () => {
  const file = join(folder, 'broken.gz');
  const packed = gzipSync(Array.from({ length: 900 }, (_, i) => exit(i + 1)).join(''));
  writeFileSync(file, packed.subarray(0, packed.length / 2));
  const { source, tids } = await start(file);
  await until(() => source.status().state === 'ended');
  expect(tids().length).toBeGreaterThan(100);
  expect(tids()).toEqual(tids().map((_, i) => i + 1));
  expect(source.status().notices[0]).toMatch(/gzip archive ends too early/);
  expect(source.status().rejected).toEqual({ truncated: 1 });
});

test('an empty file is an empty recording', async () => {
  const file = join(folder, 'empty');
  writeFileSync(file, '');
  const { source, events } = await start(file);
  await until(() => source.status().state === 'ended');
  expect(events.map(({ type }) => type)).toEqual(['clock']);
  expect(source.status()).toMatchObject({ events: 0, rejected: {} });
});

test.each([
  ['a missing file', 'missing.ndjson', /there is no such file/],
  ['a folder', '.', /it is a folder/],
  ['a file in a missing folder', 'a/b/c', /there is no such file/],
])('%s gives one sentence with the code of an unreadable source', async (_what, name, why) => {
  const target = join(folder, name);
  const source = new TraceeSource(target);
  const thrown = await source.start(() => {}).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(DendroError);
  const { code, message } = thrown as DendroError;
  expect(code).toBe('DENDRO_SOURCE_UNREADABLE');
  expect(message).toMatch(why);
  expect(message).toContain(target);
  expect(message).toMatch(/^The file [^\n]*--source tracee:FILE[^\n]*\.$/);
  expect(source.status().state).toBe('failed');
  await source.stop();
});

test.skipIf(process.getuid?.() !== 0)(
  'a file that this user may not read gives one sentence (needs root to become another user)',
  () => {
    const file = join(folder, 'secret');
    writeFileSync(file, exit(1));
    chmodSync(file, 0o600);
    chmodSync(folder, 0o755);
    const script = `
    import { TraceeSource } from ${JSON.stringify(new URL('./tracee-source.ts', import.meta.url).href)};
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    await new TraceeSource(${JSON.stringify(file)}).start(() => {}).catch(({ code, message }) => console.log(code, message));`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(said).toMatch(
      /^DENDRO_SOURCE_UNREADABLE The file .*secret cannot be used: this user may not read it;.*\.\n$/,
    );
  },
);
