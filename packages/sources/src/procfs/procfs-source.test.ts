// On the real /proc, with real processes.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AUTHORITY, DendroError, type ObserveEvent, type TaskEvent } from '@dendro/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { ProcfsSource } from './procfs-source.ts';

const isRoot = process.getuid?.() === 0;
const canUnshare = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0;
const clock = HostClock.read();
const source_ts = JSON.stringify(new URL('./procfs-source.ts', import.meta.url).href);

let folder: string;
let started: ChildProcess[];
let events: TaskEvent[];
let source: ProcfsSource;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-procfs-'));
  started = [];
  events = [];
  source = new ProcfsSource({ clock, pollMs: 50 });
  await source.start((event) => events.push(event));
});
afterEach(async () => {
  await source.stop();
  for (const child of started) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  rmSync(folder, { recursive: true });
});

function start(command: string, ...args: string[]): ChildProcess & { pid: number } {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  started.push(child);
  if (child.pid === undefined) throw new Error(`${command} did not start`);
  return child as ChildProcess & { pid: number };
}

/** A Perl program: small, and there on every Debian. It can wait for a line on its standard input. */
const perl = (program: string, ...args: string[]) => start('perl', '-e', program, ...args);

async function until<T>(read: () => T | undefined | false): Promise<T> {
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    const value = read();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come about');
}

type Of<T extends TaskEvent['type']> = Extract<TaskEvent, { type: T }>;

/** Events of one kind that speak of a task. */
function of<T extends TaskEvent['type']>(type: T, tid: number): Of<T>[] {
  return events.filter((event): event is Of<T> => {
    const named = 'tid' in event ? event.tid : 'pid' in event ? event.pid : undefined;
    return event.type === type && named === tid;
  });
}

const first = <T extends TaskEvent['type']>(type: T, tid: number) => until(() => of(type, tid)[0]);

test('the clock comes first, then all that lives, before start has come back', async () => {
  expect(events[0]).toEqual({ type: 'clock', epochNs: clock.base.epochNs });
  expect(of('observe', process.pid)).toHaveLength(1);
  expect(of('observe', process.pid)[0]).toMatchObject({ ppid: process.ppid, startIsTick: true });
  expect(source.status()).toMatchObject({ name: 'procfs', state: 'running', lost: 0, rejected: {} });
  expect(source.status().detail).toMatch(/every \d+ ms/);
});

test('births, new parents and ends are seen, in this order, and nothing is said twice', async () => {
  // The shell ends and leaves its child an orphan.
  const shell = start('/bin/sh', '-c', 'sleep 600 & echo $!; read line');
  const [line] = (await once(shell.stdout!, 'data')) as [Buffer];
  const pid = Number(line);
  await first('observe', pid);
  shell.stdin?.end('\n');
  const reparent = await first('reparent', pid);
  process.kill(pid);
  const exit = await first('exit', pid);

  expect(of('observe', pid)[0]).toMatchObject({ ppid: shell.pid });
  expect(reparent).toMatchObject({ authority: AUTHORITY.sighting });
  expect(reparent.parentPid).not.toBe(shell.pid);
  expect(exit).toMatchObject({ pid, isGroupDead: true, authority: AUTHORITY.sighting });
  expect(exit.code).toBeUndefined();
  // The parent's end is known before what follows from it.
  expect(events.indexOf(of('exit', shell.pid)[0]!)).toBeLessThan(events.indexOf(reparent));
  expect(events.indexOf(reparent)).toBeLessThan(events.indexOf(exit));
  expect([of('exit', pid), of('reparent', pid), of('exit', shell.pid)].map(({ length }) => length)).toEqual([1, 1, 1]);
  const { start: began } = of('observe', pid)[0]!;
  for (const event of [reparent, exit]) expect(event.start).toBe(began);
});

test('an exec is an exec, also of the same program under the same name', async () => {
  const child = perl('$| = 1; print "1"; <STDIN>; exec "perl", "-e", "sleep 600", "again"');
  await first('observe', child.pid);
  await until(() => of('observe', child.pid).at(-1)?.argv?.[0] === 'perl');
  const before = of('exec', child.pid).length; // node's own child executes perl, perhaps after it was seen
  child.stdin?.write('\n');
  const exec = await until(() => of('exec', child.pid)[before]);
  expect(exec).toMatchObject({
    pid: child.pid,
    authority: AUTHORITY.sighting,
    comm: 'perl',
    argv: ['perl', '-e', 'sleep 600', 'again'],
    executable: { path: expect.stringMatching(/perl/) },
    start: of('observe', child.pid)[0]?.start,
  });
});

test('a new name is a rename and no exec', async () => {
  const child = perl('$| = 1; print "1"; <STDIN>; open F, ">/proc/self/comm"; print F "new name"; close F; sleep 600');
  await once(child.stdout!, 'data');
  await until(() => of('observe', child.pid).at(-1)?.comm === 'perl' || of('exec', child.pid).at(-1)?.comm === 'perl');
  const before = of('exec', child.pid).length;
  child.stdin?.write('\n');
  expect(await first('rename', child.pid)).toMatchObject({ comm: 'new name', authority: AUTHORITY.sighting });
  expect(of('exec', child.pid)).toHaveLength(before);
});

test('what a young process changes of itself is seen, and a process that changes nothing is told once', async () => {
  const idle = perl('$| = 1; print "1"; sleep 600');
  const mover = perl('$| = 1; print "1"; <STDIN>; chdir "/usr"; sleep 600');
  for (const child of [idle, mover]) await once(child.stdout!, 'data');
  await until(() => of('observe', mover.pid).length > 0 && of('observe', idle.pid).length > 0);
  const told = () => of('observe', idle.pid).length + of('exec', idle.pid).length;
  const before = told();
  mover.stdin?.write('\n');
  await until(() => of('observe', mover.pid).at(-1)?.cwd === '/usr');
  expect(told()).toBe(before);
});

test('threads are born, named and ended beside their process', async () => {
  const child = start(
    process.execPath,
    '-e',
    `const { Worker } = require('node:worker_threads');
     const code = 'setInterval(() => {}, 1000)';
     process.stdin.once('data', () => {
       const worker = new Worker(code, { eval: true });
       process.stdin.once('data', () => worker.terminate());
     });
     console.log('ready');`,
  );
  await once(child.stdout!, 'data');
  const threads = () =>
    events.filter(
      (event) => event.type === 'observe' && event.pid === child.pid && event.tid !== child.pid,
    ) as ObserveEvent[];
  await until(() => threads().length > 2);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = new Set(threads().map(({ tid }) => tid));
  child.stdin?.write('\n');
  const born = await until(() => threads().find(({ tid }) => !before.has(tid)));
  expect(born).toMatchObject({ ppid: 0, startIsTick: true, nsTid: expect.any(Number) });
  child.stdin?.write('\n');
  expect(await first('exit', born.tid)).toMatchObject({ pid: child.pid, isGroupDead: false, start: born.start });
  child.kill('SIGKILL');
  expect(await first('exit', child.pid)).toMatchObject({ isGroupDead: true });
});

test('a process that ended and is not waited for has ended', async () => {
  const parent = perl('$| = 1; $p = fork // die; if (!$p) { <STDIN>; exit 3 } print "$p\\n"; sleep 600');
  const [line] = (await once(parent.stdout!, 'data')) as [Buffer];
  const pid = Number(line);
  await first('observe', pid);
  parent.stdin?.write('\n');
  await first('exit', pid);
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(of('exit', pid)).toHaveLength(1);
  expect(of('observe', pid).length).toBeGreaterThan(0);
  expect(events.indexOf(of('exit', pid)[0]!)).toBeGreaterThan(events.indexOf(of('observe', pid).at(-1)!));
});

test('after stop nothing is said any more', async () => {
  await source.stop();
  await source.stop();
  const count = events.length;
  start('sleep', '600');
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(events).toHaveLength(count);
  expect(source.status().state).toBe('ended');
});

test('polling that takes too much of a core is done less often, which is said', async () => {
  const greedy = new ProcfsSource({ clock, pollMs: 1, budgetMs: 10 });
  await greedy.start(() => {});
  try {
    expect(greedy.status().notices.join('\n')).not.toMatch(/less often/);
    await until(() => /polled less often than every 1 ms/.test(greedy.status().notices.join('\n')));
    expect(Number(/every (\d+) ms/.exec(greedy.status().detail)?.[1])).toBeGreaterThan(1);
  } finally {
    await greedy.stop();
  }
});

test.each([
  ['is not there', 'none'],
  ['is an empty folder', '.'],
])('a /proc that %s gives one sentence that says how to mend it', async (_what, name) => {
  const bad = new ProcfsSource({ clock, root: join(folder, name) });
  const thrown = await bad.start(() => {}).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(DendroError);
  const { code, message } = thrown as DendroError;
  expect(code).toBe('DENDRO_SOURCE_UNAVAILABLE');
  expect(message).toMatch(/^[^\n]*cannot be read[^\n]*mount -t proc[^\n]*\.$/);
  expect(bad.status().state).toBe('failed');
  await bad.stop();
});

const SCRIPT = `
  import { ProcfsSource } from ${source_ts};
  const events = [];
  const source = new ProcfsSource();
  await source.start((event) => events.push(event));
  const seen = (tid) => events.find((event) => event.tid === tid);
  console.log(JSON.stringify({ notices: source.status().notices, init: seen(1), self: seen(process.pid) }));
  await source.stop();`;
// The source lies where only root may look, perhaps: the right to read it is kept.
const AS_NOBODY = [
  '--reuid=65534',
  '--regid=65534',
  '--clear-groups',
  '--inh-caps=+dac_read_search',
  '--ambient-caps=+dac_read_search',
];

function run(command: string, ...args: string[]) {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as { notices: string[]; init?: ObserveEvent; self?: ObserveEvent };
}

test.skipIf(!isRoot)(
  'a user without rights sees less, and is told how much (needs root to become another user)',
  () => {
    const { notices, init, self } = run('setpriv', ...AS_NOBODY, process.execPath, '--input-type=module', '-e', SCRIPT);
    expect(init).toMatchObject({ tid: 1, uid: 0 });
    expect(init).not.toHaveProperty('cwd');
    expect(init).not.toHaveProperty('executable');
    expect(self).toMatchObject({ uid: 65534, cwd: process.cwd() });
    const [, denied, all] =
      /Program and folder of (\d+) of (\d+) processes cannot be read: they belong to other users/.exec(
        notices.join('\n'),
      ) ?? [];
    expect(Number(denied)).toBeGreaterThan(1);
    expect(Number(denied)).toBeLessThan(Number(all));
    expect(notices.join('\n')).toMatch(/Run as root to trace kernel events/);
    expect(notices.join('\n')).not.toMatch(/hidepid/);
  },
);

test.skipIf(!canUnshare)(
  'a /proc that hides processes of others is recognised (needs root and mount namespaces)',
  () => {
    const { notices, init, self } = run(
      'unshare',
      '--mount',
      'sh',
      '-c',
      'mount -t proc -o hidepid=2 proc /proc && exec setpriv "$@"',
      'sh',
      ...AS_NOBODY,
      process.execPath,
      '--input-type=module',
      '-e',
      SCRIPT,
    );
    expect(self).toMatchObject({ uid: 65534 });
    expect(init).toBeUndefined();
    expect(notices.join('\n')).toMatch(/hidepid/);
  },
);
