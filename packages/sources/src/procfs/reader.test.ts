// On the real /proc, with real processes.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObserveEvent, TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { containerOf } from './container.ts';
import { ProcfsSource } from './procfs-source.ts';
import { ProcfsReader } from './reader.ts';
import { parseStatLine } from './stat-line.ts';

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
    executable: { path: program, inode: String(file.ino), ctime: String(file.ctimeNs), mode: Number(file.mode) },
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

test('inside a pid namespace a process has a pid of its own', async () => {
  const child = start('unshare', ['--fork', '--pid', 'sleep', '600']);
  const inner = await until(() =>
    [...reader.scan()].find((event) => event.ppid === child.pid && event.comm === 'sleep'),
  );
  expect(inner).toMatchObject({ nsPid: 1, nsTid: 1 });
  expect(inner.pidNs).not.toBe(reader.readProcess(process.pid)?.pidNs);
});

test('kernel threads have no program and no arguments', () => {
  expect(reader.readProcess(2)).toMatchObject({ comm: 'kthreadd', isKernelThread: true, ppid: 0 });
  expect(reader.readProcess(2)).not.toHaveProperty('argv');
});

test('threads are read beside their leader, a process that is gone is not read at all', () => {
  const threads = reader.readThreads(process.pid);
  expect(threads.length).toBeGreaterThan(2);
  for (const thread of threads) expect(thread).toMatchObject({ pid: process.pid, ppid: 0, startIsTick: true });
  expect(threads.map((thread) => thread.tid)).not.toContain(process.pid);
  expect(reader.readProcess(4_194_303)).toBeUndefined();
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
  });
});

test.each([
  ['0::/system.slice/docker-ID.scope', true],
  ['5:memory:/docker/ID\n0::/', true],
  ['0::/kubepods.slice/kubepods-burstable.slice/kubepods-pod12.slice/cri-containerd-ID.scope', true],
  ['0::/machine.slice/libpod-ID.scope/container', true],
  ['0::/kubepods/besteffort/pod0/ID', true],
  ['0::/user.slice/user-0.slice/session-1.scope', false],
  ['0::/xID', false],
])('the container in %s is found: %s', (cgroup, isFound) => {
  const id = '0123456789abcdef'.repeat(4);
  expect(containerOf(cgroup.replace('ID', id))).toBe(isFound ? id : undefined);
});

test('polling sees births, names, new parents and ends, in this order', async () => {
  const events: TaskEvent[] = [];
  const source = new ProcfsSource({ clock, pollMs: 50 });
  await source.start((event) => events.push(event));
  expect(events[0]).toEqual({ type: 'clock', epochNs: clock.base.epochNs });
  expect(events.some((event) => event.type === 'observe' && event.tid === process.pid)).toBe(true);

  // The shell ends and leaves its child an orphan.
  const shell = start('/bin/sh', ['-c', 'sleep 600 & echo $!; sleep 0.5'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(shell.stdout!, 'data')) as [Buffer];
  const pid = Number(line);
  const of = (type: string) => events.find((event) => event.type === type && 'pid' in event && event.pid === pid);
  await until(() => of('observe'));
  await until(() => of('reparent'));
  process.kill(pid);
  await until(() => of('exit'));
  const order = ['observe', 'reparent', 'exit'].map((type) => events.indexOf(of(type)!));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(of('observe')).toMatchObject({ ppid: shell.pid });
  await source.stop();
  const count = events.length;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(events).toHaveLength(count);
  expect(source.status().state).toBe('ended');
});

test('a user without rights sees less, and is told so', () => {
  const script = `
    import { ProcfsSource } from ${JSON.stringify(new URL('./procfs-source.ts', import.meta.url).href)};
    const events = [];
    const source = new ProcfsSource();
    await source.start((event) => events.push(event));
    console.log(JSON.stringify({ notices: source.status().notices, init: events.find((event) => event.tid === 1) }));
    await source.stop();`;
  const rights = [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    '--inh-caps=+dac_read_search',
    '--ambient-caps=+dac_read_search',
  ];
  const run = spawnSync('setpriv', [...rights, process.execPath, '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  const { notices, init } = JSON.parse(run.stdout) as { notices: string[]; init: ObserveEvent };
  expect(init).toMatchObject({ tid: 1, uid: 0 });
  expect(init).not.toHaveProperty('cwd');
  expect(notices.join('\n')).toMatch(/cannot be read without root/);
  expect(notices.join('\n')).toMatch(/Run as root/);
});
