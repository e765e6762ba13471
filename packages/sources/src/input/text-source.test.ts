import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { DendroError, type TaskEvent } from '@dendro/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AuditSource } from '../audit/audit-source.ts';
import { StraceSource } from '../strace/strace-source.ts';
import type { TextSource } from './text-source.ts';

let folder: string;
let sources: TextSource[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-text-'));
  sources = [];
});
afterEach(async () => {
  for (const source of sources) await source.stop();
  rmSync(folder, { recursive: true });
});

const STRACE = (tid: number) => `${tid} 1700000000.${String(tid).padStart(6, '0')} +++ exited with 0 +++\n`;
const AUDIT = (tid: number) =>
  `type=SYSCALL msg=audit(1700000000.${String(tid).padStart(3, '0')}:${tid}): arch=c000003e syscall=231 a0=0 items=0 ppid=1 pid=${tid} uid=0 gid=0 comm="a" exe="/a"\ntype=EOE msg=audit(1700000000.${String(tid).padStart(3, '0')}:${tid}): \n`;

const FORMATS: [string, (target: string) => TextSource, (tid: number) => string][] = [
  ['strace', (target) => new StraceSource(target), STRACE],
  ['audit', (target) => new AuditSource(target), AUDIT],
];

async function start(source: TextSource) {
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

test.each(FORMATS)(
  'a file of %s is read, packed or not, with or without a byte order mark',
  async (kind, make, line) => {
    const text = `\u{feff}${line(1)}${line(2)}`;
    const files: [string, Uint8Array][] = [
      ['plain', Buffer.from(text)],
      ['gzip', Buffer.concat([gzipSync(text), gzipSync(line(3))])],
      ['zstd', Buffer.concat([zstdCompressSync(Buffer.from(text)), zstdCompressSync(Buffer.from(line(3)))])],
    ];
    for (const [name, bytes] of files) {
      const file = join(folder, name);
      writeFileSync(file, bytes);
      const { source, tids, events } = await start(make(file));
      expect(source).toMatchObject({ name: `${kind}:${file}`, isLive: false });
      await until(() => source.status().state === 'ended');
      expect(events[0]?.type).toBe('clock');
      expect(tids()).toEqual(name === 'plain' ? [1, 2] : [1, 2, 3]);
      expect(source.status().rejected).toEqual({});
      expect(source.status().detail.includes('packed with')).toBe(name !== 'plain');
    }
  },
);

test.each(FORMATS)(
  'a named pipe of %s is read as it is written, packed too, by one writer after the other',
  async (_, make, line) => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const { source, tids } = await start(make(pipe));
    expect(source.isLive).toBe(true);
    for (const tid of [1, 2]) {
      const writer = await open(pipe, 'w');
      await writer.write(gzipSync(line(tid)));
      await writer.close();
      await until(() => tids().length === tid);
    }
    expect(tids()).toEqual([1, 2]);
    expect(source.status()).toMatchObject({ state: 'running', progress: undefined });
    await source.stop();
    expect(source.status().state).toBe('ended');
  },
);

test('a pipe that nobody writes to does not keep anybody waiting', async () => {
  const pipe = join(folder, 'quiet');
  execFileSync('mkfifo', [pipe]);
  const { source } = await start(new StraceSource(pipe));
  expect(source.status().state).toBe('running');
});

test('the last event of a live audit log is told when nothing more comes, though no record says that it is whole', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const { source, tids } = await start(new AuditSource(pipe));
  const writer = await open(pipe, 'w');
  await writer.write(AUDIT(7).split('\n')[0]?.concat('\n') ?? '');
  await until(() => tids().length === 1);
  await writer.close();
  expect(source.status().state).toBe('running');
});

test.each(FORMATS)('a missing file of %s gives one sentence', async (kind, make) => {
  const thrown = await make(join(folder, 'none'))
    .start(() => {})
    .catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(DendroError);
  expect((thrown as DendroError).code).toBe('DENDRO_SOURCE_UNREADABLE');
  expect((thrown as DendroError).message).toMatch(
    new RegExp(`^The file [^\\n]*none cannot be used: there is no such file; give --source ${kind}:FILE [^\\n]*\\.$`),
  );
});

test.each([
  ['12:00:00.000001 execve("/a", ["a"], 0x0) = 0', (target: string) => new StraceSource(target), /not the day.*-ttt/],
  [
    'type=SYSCALL msg=audit(11/14/23 22:13:20.123:1) : arch=x86_64',
    (target: string) => new AuditSource(target),
    /ausearch --raw/,
  ],
])('a file that is of no use in that form is refused at the start: %s', async (line, make, why) => {
  const file = join(folder, 'wrong');
  for (const bytes of [
    Buffer.from(`${line}\n`.repeat(3)),
    gzipSync(`${line}\n`),
    Buffer.from(`${line}\n`.repeat(20_000)),
  ]) {
    writeFileSync(file, bytes);
    const source = make(file);
    const thrown = await source.start(() => {}).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(DendroError);
    expect((thrown as DendroError).message).toMatch(why);
    expect((thrown as DendroError).message).toMatch(/^The file [^\n]* cannot be used: [^\n]*\.$/);
    expect(source.status().state).toBe('failed');
    await source.stop();
  }
});

test('a pipe of no use fails, and says why', async () => {
  const pipe = join(folder, 'wrong-pipe');
  execFileSync('mkfifo', [pipe]);
  const { source } = await start(new StraceSource(pipe));
  const writer = await open(pipe, 'w');
  await writer.write('12:00:00 execve("/a", ["a"], 0x0) = 0\n');
  await writer.close();
  await until(() => source.status().state === 'failed');
  expect(source.status().notices[0]).toMatch(/cannot be used: its lines say the time of day but not the day/);
});

test.each(FORMATS)('standard input of %s is read until it is closed, packed too', async (kind, _make, line) => {
  const [folderName, className] =
    kind === 'strace' ? ['strace/strace', 'StraceSource'] : ['audit/audit', 'AuditSource'];
  const script = `
    import { ${className} } from ${JSON.stringify(new URL(`../${folderName}-source.ts`, import.meta.url).href)};
    const source = new ${className}('-');
    await source.start((event) => event.type === 'exit' && console.log('exit', event.tid));
    const timer = setInterval(() => {
      if (source.status().state === 'running') return;
      clearInterval(timer);
      console.log(source.isLive, source.status().state, source.status().notices[0] ?? '');
    }, 5);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdin.write(zstdCompressSync(Buffer.from(line(1))));
  await until(() => said.includes('exit 1\n'));
  child.stdin.end(zstdCompressSync(Buffer.from(line(2).repeat(1000))).subarray(0, -1));
  await once(child, 'close');
  expect(said).toMatch(/^exit 1\n(?:exit 2\n)*true ended The zstd archive ends too early/);
});

test('a long packed file gives the event loop its turns, tells how far it is, and can be stopped in the middle', async () => {
  const file = join(folder, 'long.gz');
  let seed = 7;
  const lines = Array.from({ length: 200_000 }, (_, i) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return `${1 + (i % 30_000)} 1700000000.${String(i).padStart(6, '0')} prctl(PR_SET_NAME, "${seed}") = 0\n`;
  });
  writeFileSync(file, gzipSync(lines.join('')));
  const { source, events } = await start(new StraceSource(file));
  let turns = 0;
  const seen: number[] = [];
  while (events.length < 50_000) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
    const { progress } = source.status();
    if (progress !== undefined) seen.push(progress.done / progress.total);
  }
  await source.stop();
  const atStop = events.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(turns).toBeGreaterThan(5);
  expect(seen.every((share) => share >= 0 && share <= 1)).toBe(true);
  expect(events).toHaveLength(atStop);
  expect(atStop).toBeLessThan(200_000);
  expect(source.status().state).toBe('ended');
});
