// On the real /proc, with real processes.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { CUT_MARK, ProcfsReader } from './reader.ts';
import { parseStatLine } from './stat-line.ts';

const isRoot = process.getuid?.() === 0;
const hasKernelThreads = existsSync('/proc/2/comm') && readFileSync('/proc/2/comm', 'utf8') === 'kthreadd\n';
const clock = HostClock.read();
const reader = new ProcfsReader({ clock });
const started: ChildProcess[] = [];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-procfs-'));
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(command: string, args: readonly string[], options = {}): ChildProcess & { pid: number } {
  const child = spawn(command, args, { stdio: 'ignore', ...options });
  started.push(child);
  if (child.pid === undefined) throw new Error(`${command} did not start`);
  return child as ChildProcess & { pid: number };
}

async function until<T>(read: () => T | undefined): Promise<T> {
  for (const end = Date.now() + 5000; Date.now() < end; ) {
    const value = read();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come about');
}

test('a process is read with everything that /proc says of it', async () => {
  const before = clock.now();
  const program = join(folder, 'sleeper');
  copyFileSync('/bin/sleep', program);
  const child = start(program, ['600', '0'], { cwd: folder });
  const seen = await until(() => {
    const event = reader.readProcess(child.pid);
    return event?.comm === 'sleeper' ? event : undefined;
  });
  const file = statSync(program, { bigint: true });
  expect(seen).toMatchObject({
    type: 'observe',
    tid: child.pid,
    pid: child.pid,
    ppid: process.pid,
    startIsTick: true,
    isKernelThread: false,
    argv: [program, '600', '0'],
    cwd: folder,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
    euid: process.geteuid?.(),
    egid: process.getegid?.(),
    executable: {
      path: program,
      inode: String(file.ino),
      ctime: String(file.ctimeNs),
      mode: Number(file.mode),
      links: 1,
    },
  });
  expect(seen.start).toBeGreaterThan(before - 20e6);
  expect(seen.start).toBeLessThanOrEqual(clock.now());
});

test.each(['a) b (c', 'li\nne', ' ', 'x) S 1 2 3'])(
  'a process named %j is not taken for anything else',
  async (name) => {
    const child = start('perl', ['-e', 'open(F, ">", "/proc/self/comm"); print F $ARGV[0]; close F; sleep 600', name]);
    const seen = await until(() => {
      const event = reader.readProcess(child.pid);
      return event !== undefined && event.comm !== 'perl' && event.comm !== process.title.slice(0, 15)
        ? event
        : undefined;
    });
    expect(seen).toMatchObject({ comm: name, ppid: process.pid, uid: process.getuid?.() });
  },
);

test('empty arguments are kept, the NULs behind a title are not', async () => {
  const empty = start('perl', ['-e', 'sleep 600', '', '']);
  const titled = start('perl', ['-e', '$0 = "a title of my own"; sleep 600', 'some', 'arguments', 'to', 'overwrite']);
  const argv = (pid: number, isThere: (argv: readonly string[]) => boolean) =>
    until(() => {
      const read = reader.readProcess(pid)?.argv;
      return read !== undefined && isThere(read) ? read : undefined;
    });
  expect(await argv(empty.pid, ([program]) => program === 'perl')).toEqual(['perl', '-e', 'sleep 600', '', '']);
  expect(await argv(titled.pid, ([program]) => program !== 'perl')).toEqual(['a title of my own']);
});

test('a program that was deleted has its own path, not one with a remark behind it', async () => {
  const program = join(folder, 'deleted (deleted)');
  copyFileSync('/bin/sleep', program);
  const child = start(program, ['600']);
  await until(() => (reader.readProcess(child.pid)?.executable?.path === program ? true : undefined));
  rmSync(program);
  expect(reader.readProcess(child.pid)?.executable).toMatchObject({ path: program, inode: expect.any(String) });
});

test('a deleted program with another name left, and one whose name ends like the remark, have their own paths', async () => {
  const linked = join(folder, 'linked');
  copyFileSync('/bin/sleep', linked);
  linkSync(linked, join(folder, 'other name'));
  const remarked = join(folder, 'it (deleted)');
  copyFileSync('/bin/sleep', remarked);
  const children = [start(linked, ['600']), start(remarked, ['600'])] as const;
  const paths = () => children.map(({ pid }) => reader.readProcess(pid)?.executable?.path);
  await until(() => (paths().join() === `${linked},${remarked}` ? true : undefined));
  rmSync(linked);
  expect(paths()).toEqual([linked, remarked]);
});

test('a command line that is too long is cut, and says so, whatever its characters weigh', async () => {
  const child = start('perl', ['-e', 'sleep 600', ...Array.from({ length: 5 }, () => 'é'.repeat(20_000))]);
  const argv = await until(() => {
    const read = reader.readProcess(child.pid)?.argv;
    return read?.[0] === 'perl' ? read : undefined;
  });
  expect(argv.at(-1)).toBe(CUT_MARK);
  expect(argv.slice(0, 5)).toEqual(['perl', '-e', 'sleep 600', 'é'.repeat(20_000), 'é'.repeat(20_000)]);
  expect(Buffer.byteLength(argv.slice(0, -1).join(' '))).toBeLessThanOrEqual(128 * 1024 + 2);
});

test.skipIf(!isRoot)(
  'inside a pid namespace a process has a pid of its own, and each thread a tid (needs root)',
  async () => {
    const child = start('unshare', [
      '--fork',
      '--pid',
      '--kill-child',
      process.execPath,
      '-e',
      'setInterval(() => {}, 1000)',
    ]);
    const inner = await until(() =>
      [...reader.scan()].find((event) => event.ppid === child.pid && event.comm !== 'unshare'),
    );
    expect(inner).toMatchObject({ nsPid: 1, nsTid: 1 });
    expect(inner.pidNs).not.toBe(reader.readProcess(process.pid)?.pidNs);
    const threads = await until(() => {
      const read = reader.readThreads(inner.pid);
      return read.length > 2 ? read : undefined;
    });
    for (const { tid, nsTid } of threads) {
      const status = readFileSync(`/proc/${tid}/status`, 'utf8');
      expect(status).toContain(`NSpid:\t${tid}\t${nsTid}\n`);
    }
  },
);

test.skipIf(!hasKernelThreads)(
  'kernel threads have no program and no arguments, and their names are not what they do (needs the first pid namespace)',
  () => {
    expect(reader.readProcess(2)).toMatchObject({ comm: 'kthreadd', isKernelThread: true, ppid: 0 });
    expect(reader.readProcess(2)).not.toHaveProperty('argv');
    const workers = [...reader.scan()].filter(({ comm }) => comm?.startsWith('kworker/'));
    expect(workers.length).toBeGreaterThan(0);
    for (const { comm } of workers) expect(comm).toMatch(/^kworker\/(R-.+|u?\d+:\d+\w*)$/);
  },
);

test('threads are read beside their leader, a process that is gone is not read at all', () => {
  const threads = reader.readThreads(process.pid);
  expect(threads.length).toBeGreaterThan(2);
  for (const thread of threads) expect(thread).toMatchObject({ pid: process.pid, ppid: 0, startIsTick: true });
  expect(threads.map((thread) => thread.tid)).not.toContain(process.pid);
  expect(threads.map(({ nsTid }) => nsTid)).not.toContain(undefined);
  expect(reader.readProcess(4_194_303)).toBeUndefined();
  expect(reader.readThreads(4_194_303)).toEqual([]);
});

test('a thread is no process, though /proc shows it under its tid', () => {
  const tid = reader.tids(process.pid).find((one) => one !== process.pid);
  expect(existsSync(`/proc/${tid}/cmdline`)).toBe(true);
  expect(reader.readProcess(tid!)).toBeUndefined();
});

test('a process that has ended and is waited for is in no scan, and has no arguments', async () => {
  const parent = start('perl', ['-e', '$| = 1; if ($p = fork) { print "$p\\n"; sleep 600 }'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(parent.stdout!, 'data')) as [Buffer];
  const pid = Number(line);
  await until(() => (reader.stat(pid)?.state === 'Z' ? true : undefined));
  expect(reader.readProcess(pid)).toMatchObject({ tid: pid, comm: 'perl', ppid: parent.pid });
  expect(reader.readProcess(pid)).not.toHaveProperty('argv');
  const tids = [...reader.scan()].map(({ tid }) => tid);
  expect(tids).toContain(parent.pid);
  expect(tids).not.toContain(pid);
});

test('of a pid that is given out again while it is read all is of one life, never a mixture', async () => {
  // A /proc of one pid, which another process replaces thousands of times a second, each time by another life.
  const root = mkdtempSync(join(folder, 'proc-'));
  const script = `
    const fs = require('node:fs');
    for (let start = 1; ; start++) {
      fs.mkdirSync('life-' + start);
      fs.writeFileSync('life-' + start + '/stat', '7 (x) R 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ' + start + ' 0 0');
      fs.writeFileSync('life-' + start + '/cmdline', start + '\\0');
      fs.symlinkSync('life-' + start, 'next');
      fs.renameSync('next', '7');
      if (start > 50) fs.rmSync('life-' + (start - 50), { recursive: true });
    }`;
  start(process.execPath, ['-e', script], { cwd: root });
  const fake = new ProcfsReader({ clock, root });
  await until(() => fake.readProcess(7));
  const starts = new Set<number>();
  for (const end = Date.now() + 1000; Date.now() < end; ) {
    const seen = fake.readProcess(7);
    if (seen?.argv !== undefined) {
      expect(seen.start).toBe(clock.fromStartTicks(Number(seen.argv[0])));
      starts.add(seen.start);
    }
  }
  expect(starts.size).toBeGreaterThan(10);
});

test('what cannot be read for another reason than rights is counted', () => {
  const root = mkdtempSync(join(folder, 'proc-'));
  writeFileSync(join(root, '7'), '');
  const fake = new ProcfsReader({ clock, root });
  expect(fake.readProcess(7)).toBeUndefined();
  expect(fake.rejected).toEqual({ unreadable: 1 });
});

test('a stat line is read or refused, whatever it holds', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `12 (${text}) S 1 2 3`),
      ),
      (line) => {
        const stat = parseStatLine(line);
        if (stat !== undefined) expect(Number.isSafeInteger(stat.startTicks)).toBe(true);
      },
    ),
  );
  const line = '7 (x) y (z) R 1 7 7 0 -1 2097216 0 0 0 0 0 0 0 0 20 0 3 0 9876 0 0';
  expect(parseStatLine(line)).toEqual({
    tid: 7,
    comm: 'x) y (z',
    state: 'R',
    ppid: 1,
    isKernelThread: true,
    threads: 3,
    startTicks: 9876,
    image: 0,
  });
});

test.each([
  ['kworker/0:1-events', 'kworker/0:1'],
  ['kworker/u8:3+flush-8:0', 'kworker/u8:3'],
  ['kworker/1:0H-kblockd', 'kworker/1:0H'],
  ['kworker/R-rcu_gp', 'kworker/R-rcu_gp'],
  ['kworker/u9:0', 'kworker/u9:0'],
  ['ext4-rsv-conversion', 'ext4-rsv-conversion'],
])('the kernel thread %s is called %s', (shown, name) => {
  const line = (flags: number) => `7 (${shown}) I 2 0 0 0 -1 ${flags} 0 0 0 0 0 0 0 0 20 0 1 0 9 0 0`;
  expect(parseStatLine(line(0x20_0000))?.comm).toBe(name);
  expect(parseStatLine(line(0))?.comm).toBe(shown);
});
