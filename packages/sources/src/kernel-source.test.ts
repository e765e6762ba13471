// tracefs and the process connector together, on the real kernel: what a
// workload heard of its children from wait(2) is compared with the tree.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessTree } from '@dendro/engine';
import { AUTHORITY, type EventNs, type TaskEvent } from '@dendro/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type End, hasPython, run, runPython, runShell, whyNoConnector } from './cn-proc/test-host.ts';
import { KernelSource, type KernelSourceOptions } from './kernel-source.ts';

const isRoot = process.geteuid?.() === 0;
const missing = isRoot ? await whyNoConnector() : 'Only root may trace.';
const SOURCE_MODULE = new URL('./kernel-source.ts', import.meta.url).href;
const INDEX_MODULE = new URL('./index.ts', import.meta.url).href;
const WAIT = { timeout: 15_000, interval: 20 };

let source: KernelSource | undefined;
let host: ProcessTree;
let events: TaskEvent[] = [];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-kernel-'));
});

afterEach(async () => {
  await source?.stop();
  source = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: KernelSourceOptions = {}): Promise<KernelSource> {
  events = [];
  host = new ProcessTree({ maxProcesses: 100_000, maxThreads: 100_000 });
  source = new KernelSource(options);
  await source.start((event) => {
    events.push(event);
    host.apply(event);
  });
  return source;
}

/** The lives of a tid that the tree knows; before the test began nothing was traced, so they are of the test. */
function livesOf(tid: number): Record<string, unknown>[] {
  const { tree } = host;
  const lives: Record<string, unknown>[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as Parameters<typeof tree.tidOf>[0];
    if (!tree.isPresent(task) || tree.tidOf(task) !== tid) continue;
    const signal = tree.exitSignalOf(task);
    const [name] = Object.entries(constants.signals).find(([, number]) => number === signal) ?? [];
    lives.push({
      pid: tree.pidOf(task),
      code: tree.exitCodeOf(task),
      signal: name,
      isKnown: !tree.isPlaceholder(task),
      hasEnded: Number.isFinite(tree.exitOf(task)),
    });
  }
  return lives;
}

/** One life, known from its birth, that ended as its parent heard. */
function lifeOf({ pid, code, signal }: End): Record<string, unknown>[] {
  return [{ pid, code, signal, isKnown: true, hasEnded: true }];
}

function uidAndGid(tid: number): (number | undefined)[] {
  const task = host.resolve({ pid: tid }, host.newest);
  return [host.tree.numberAt(task, 'uid', host.newest), host.tree.numberAt(task, 'gid', host.newest)];
}

async function heardOfEnd(tid: number): Promise<void> {
  await vi.waitUntil(
    () => events.some((event) => event.type === 'exit' && event.tid === tid && hasStatus(event)),
    WAIT,
  );
}

function hasStatus(event: { code?: number | undefined; signal?: number | undefined }): boolean {
  return event.code !== undefined || event.signal !== undefined;
}

describe.skipIf(missing !== undefined)(`tracefs and cn_proc together (${missing ?? 'both are there'})`, () => {
  test('each task is there once, with the exit code or signal that wait(2) gave', async () => {
    await start();
    const ends: End[] = [];
    for (const code of [0, 3, 127, 255]) ends.push(await run('sh', ['-c', `exit ${code}`]));
    for (const signal of ['KILL', 'TERM', 'SEGV', 'INT', 'ABRT']) {
      ends.push(await run('sh', ['-c', `ulimit -c unlimited; kill -${signal} $$`], { cwd: folder }));
    }
    await heardOfEnd(ends.at(-1)!.pid);

    expect(ends.map(({ code }) => code)).toEqual([0, 3, 127, 255, ...new Array<undefined>(5).fill(undefined)]);
    for (const end of ends) expect(livesOf(end.pid)).toEqual(lifeOf(end));
    expect(source?.status()).toMatchObject({ name: 'tracefs+cn_proc', state: 'running', lost: 0, rejected: {} });
  });

  test('a thousand short lives have each one task and their own code', async () => {
    await start();
    const { pid, children } = runShell(
      'i=0; while [ $i -lt 1000 ]; do /bin/true & wait $!; echo "$! $?"; (exit $((i % 256))) & wait $!; echo "$! $?"; i=$((i+1)); done',
    );
    await heardOfEnd(pid);

    expect(children).toHaveLength(2000);
    expect(new Set(children.map(({ code }) => code)).size).toBe(256);
    for (const child of children) expect(livesOf(child.pid)).toEqual(lifeOf(child));
    const births = new Set(events.flatMap((event) => (event.type === 'fork' ? [event.tid] : [])));
    expect(children.filter((child) => !births.has(child.pid))).toEqual([]);
  });

  test('events come in order of time, but for what completes them', async () => {
    await start();
    const end = await run('sh', ['-c', 'true'], { uid: 4321, gid: 1234 });
    await heardOfEnd(end.pid);
    const life = events.filter((event) => ('tid' in event ? event.tid : 'pid' in event && event.pid) === end.pid);

    expect(life.map(({ type }) => type)).toEqual(['fork', 'credentials', 'credentials', 'rename', 'exec', 'exit']);
    const times = life.map((event) => ('at' in event ? event.at : 0));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test('a child that gives up its user and group has them from that time on', async () => {
    await start();
    const end = await run('sh', ['-c', 'true; true'], { uid: 4321, gid: 1234 });
    await heardOfEnd(end.pid);
    const birth = events.find((event) => event.type === 'fork' && event.tid === end.pid) as { at: EventNs };
    const task = host.resolve({ pid: end.pid }, host.newest);

    expect(uidAndGid(end.pid)).toEqual([4321, 1234]);
    expect(host.tree.numberAt(task, 'uid', birth.at)).toBeUndefined();
    expect(livesOf(end.pid)).toEqual(lifeOf(end));
  });

  test('messages without a place among the facts are told of in the status', async () => {
    await start();
    const end = await run('setsid', ['sh', '-c', 'kill -SEGV $$'], { cwd: folder });
    await heardOfEnd(end.pid);

    expect(source?.status().notices.at(-1)).toMatch(
      /^Heard of and not kept: \d+ new sessions, .*\d+ signals that dump/,
    );
  });

  test('events lost by tracefs are made up for: every birth and end, once', async () => {
    await start({ bufferKb: 16, pollMs: 400 });
    const { children } = runShell(
      'i=0; while [ $i -lt 1500 ]; do (exit $((i % 256))) & wait $!; echo "$! $?"; i=$((i+1)); done',
    );
    await vi.waitUntil(() => children.every(({ pid }) => livesOf(pid).every((life) => life['hasEnded'])), WAIT);
    const told = () =>
      new Set(events.flatMap((event) => (event.type === 'exit' && hasStatus(event) ? [event.tid] : [])));
    await vi.waitUntil(() => children.every(({ pid }) => told().has(pid)), WAIT);

    expect(source!.status().lost).toBeGreaterThan(100);
    expect(children).toHaveLength(1500);
    for (const child of children) expect(livesOf(child.pid)).toEqual(lifeOf(child));
  });

  test('messages lost by the connector are counted, are gaps, and cost no task', async () => {
    await start({ roomBytes: 4096, pollMs: 200 });
    const { pid, children } = runShell('i=0; while [ $i -lt 500 ]; do (:) & wait $!; echo "$! $?"; i=$((i+1)); done');
    await vi.waitUntil(() => livesOf(pid).every((life) => life['hasEnded']), WAIT);
    // A later message tells what was lost before it; it can be lost itself.
    await vi.waitUntil(async () => {
      await run('true', []);
      return source!.status().lost > 0;
    }, WAIT);
    await source?.stop();
    const gaps = events.filter((event) => event.type === 'gap');

    expect(gaps.reduce((sum, { lost }) => sum + lost, 0)).toBe(source!.status().lost);
    expect(source!.status().notices.join()).toMatch(
      /The process connector ran out of room \d+ times and lost \d+ messages/,
    );
    for (const child of children) expect(livesOf(child.pid)).toMatchObject([{ isKnown: true, hasEnded: true }]);
  });

  describe.skipIf(!hasPython)(`special cases (${hasPython ? 'with' : 'skipped without'} Python)`, () => {
    test('a real-time signal is a signal like others', async () => {
      await start();
      const { pid, ended } = runPython(`
pid = os.fork()
if pid == 0:
    os.kill(os.getpid(), 50); time.sleep(5)
say(pid=pid, ended=os.WTERMSIG(os.waitpid(pid, 0)[1]))
`);
      await heardOfEnd(pid!);
      expect(ended).toBe(50);
      expect(host.tree.exitSignalOf(host.resolve({ pid: pid! }, host.newest))).toBe(50);
    });

    test('the leader leaves first: the code is that of the thread which ends the process', async () => {
      await start();
      const { pid, code } = runPython(`
pid = os.fork()
if pid == 0:
    def last():
        time.sleep(0.1); os._exit(3)
    threading.Thread(target=last).start()
    leave(5)
say(pid=pid, code=os.WEXITSTATUS(os.waitpid(pid, 0)[1]))
`);
      await heardOfEnd(pid!);
      expect(code).toBe(3);
      expect(livesOf(pid!)).toEqual(lifeOf({ pid: pid!, code: 3, signal: undefined }));
    });

    test('exec from another thread: one process, whose end is its own', async () => {
      await start();
      const { pid, code } = runPython(`
pid = os.fork()
if pid == 0:
    threading.Thread(target=lambda: os.execv('/bin/sh', ['sh', '-c', 'exit 9'])).start()
    time.sleep(5)
_, status = os.waitpid(pid, 0)
say(pid=pid, code=os.WEXITSTATUS(status))
`);
      await heardOfEnd(pid!);
      expect(code).toBe(9);
      expect(livesOf(pid!)).toEqual(lifeOf({ pid: pid!, code: 9, signal: undefined }));
    });

    test('CLONE_PARENT: the parent is whose child it is, the creator who made it', async () => {
      await start();
      const { top, creator, child } = runPython(`
r, w = os.pipe()
creator = os.fork()
if creator == 0:
    child = libc.syscall(SYS_clone, 0x8000 | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0: os._exit(0)
    os.write(w, str(child).encode()); os._exit(0)
child = int(os.read(r, 20))
os.waitpid(creator, 0); os.waitpid(child, 0)
say(top=os.getpid(), creator=creator, child=child)
`);
      await heardOfEnd(child!);
      const birth = events.find((event) => event.type === 'fork' && event.tid === child);
      expect(birth).toMatchObject({ creatorTid: creator, parentPid: top });
      const task = host.resolve({ pid: child! }, host.newest);
      expect(host.tree.tidOf(host.tree.parentAt(task, host.newest))).toBe(top);
      expect(livesOf(child!)).toEqual(lifeOf({ pid: child!, code: 0, signal: undefined }));
    });

    test('an orphan under a subreaper has it as parent since its own parent ended', async () => {
      await start();
      const { reaper, parent, orphan } = runPython(`
libc.prctl(36, 1, 0, 0, 0)
r, w = os.pipe()
parent = os.fork()
if parent == 0:
    orphan = os.fork()
    if orphan == 0:
        time.sleep(0.05); os._exit(4)
    os.write(w, str(orphan).encode()); os._exit(0)
orphan = int(os.read(r, 20))
os.waitpid(parent, 0); os.waitpid(orphan, 0)
say(reaper=os.getpid(), parent=parent, orphan=orphan)
`);
      await heardOfEnd(orphan!);
      const { tree } = host;
      const task = host.resolve({ pid: orphan! }, host.newest);
      const parentEnd = tree.exitOf(host.resolve({ pid: parent! }, host.newest));
      expect(tree.tidOf(tree.parentAt(task, tree.startOf(task)))).toBe(parent);
      expect(tree.tidOf(tree.parentAt(task, parentEnd))).toBe(reaper);
      expect(tree.authorityAt(task, 'parent', parentEnd)).toBe(AUTHORITY.sighting);
      expect(livesOf(orphan!)).toEqual(lifeOf({ pid: orphan!, code: 4, signal: undefined }));
    });
  });
});

interface Elsewhere {
  readonly name: string;
  readonly notices: readonly string[];
  readonly ends: boolean;
  /** To whom a child has changed. */
  readonly users: readonly number[];
}

/** What the source says of itself in a process of its own, started by `wrapper`. */
function statusElsewhere(wrapper: readonly string[], prelude = ''): Elsewhere {
  const script = `
    ${prelude}
    import { spawn } from 'node:child_process';
    const { KernelSource, ProcfsThread, HostClock } = await import(${JSON.stringify(INDEX_MODULE)});
    const clock = HostClock.read();
    const procfs = new ProcfsThread({ clock });
    const source = new KernelSource({ clock, bufferKb: 256, execs: procfs, changes: procfs });
    const ends = [];
    const users = [];
    procfs.start(() => {});
    await source.start((event) => {
      if (event.type === 'exit') ends.push(event.tid);
      if (event.type === 'credentials' && event.uid !== undefined) users.push(event.uid);
    });
    const child = spawn('setpriv', ['--reuid=4321', 'sleep', '600']);
    for (let i = 0; i < 900 && users.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill();
    for (let i = 0; i < 500 && ends.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    const { name, notices } = source.status();
    await source.stop();
    await procfs.stop();
    process.stdout.write(JSON.stringify({ name, notices, ends: ends.length > 0, users }));`;
  // In a file: a thread of a script on the command line would take that for its own.
  const module = join(folder, 'status.mjs');
  writeFileSync(module, script);
  const [file = '', ...args] = [...wrapper, process.execPath, module];
  const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout) as Elsewhere;
}

describe.skipIf(!isRoot)('without the connector (only root may trace)', () => {
  test('in another network namespace tracefs goes on alone and says why', () => {
    const { name, notices, ends, users } = statusElsewhere(['unshare', '--net']);
    expect(name).toBe('tracefs');
    expect(notices[0]).toMatch(
      /^The process connector cannot be used: .*network namespace.* Exit codes .* not seen\.$/,
    );
    expect(ends).toBe(true);
    expect(users).toEqual([4321]);
    expect(notices.join()).toContain('Changes of user and group come from system calls');
  });

  test('in another pid namespace tracefs goes on alone and says why', () => {
    const { name, notices, ends, users } = statusElsewhere(['unshare', '--pid', '--fork']);
    expect(name).toBe('tracefs');
    expect(notices[0]).toMatch(/^The process connector cannot be used: it does not answer; .*pid namespace/);
    expect(ends).toBe(true);
    expect(users).toEqual([4321]);
  });

  test('where koffi does not load tracefs goes on alone and says why', () => {
    const prelude = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve(name, context, next) {
        if (name === 'koffi') throw new Error('Cannot find the native Koffi module');
        return next(name, context);
      } });`;
    const { name, notices, ends, users } = statusElsewhere([], prelude);
    expect(name).toBe('tracefs');
    expect(notices[0]).toMatch(
      /^The process connector cannot be used: koffi, .* \(Cannot find the native Koffi module\)\./,
    );
    expect(ends).toBe(true);
    expect(users).toEqual([4321]);
  });
});

test('who may neither trace nor listen gets the sentence of tracefs', { skip: !isRoot }, async () => {
  const script = `
    const { KernelSource } = await import(${JSON.stringify(SOURCE_MODULE)});
    process.setgid(65534);
    process.setuid(65534);
    await new KernelSource().start(() => {}).catch(({ code, message }) => process.stdout.write(code + ' ' + message));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(stdout).toMatch(/^DENDRO_SOURCE_UNAVAILABLE .*root/);
});
