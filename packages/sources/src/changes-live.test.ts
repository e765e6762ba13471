// What changes of a running process, from the kernel's records and /proc to the
// tree: real control groups, real moves.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProcessTree } from '@dendro/engine';
import { AUTHORITY, type EventNs, type TaskEvent } from '@dendro/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { hasPython, runPython } from './cn-proc/test-host.ts';
import { HostClock } from './host-clock.ts';
import { ProcfsThread } from './procfs/procfs-thread.ts';
import { ProcfsReader } from './procfs/reader.ts';
import { ownInstanceName } from './tracefs/instance-name.ts';
import { TracefsSource } from './tracefs/tracefs-source.ts';

const isRoot = process.geteuid?.() === 0;
const WAIT = { timeout: 10_000, interval: 10 };
const ID = [...Buffer.from(`dendro test ${process.pid}`.padEnd(32))].map((byte) => byte.toString(16)).join('');

const children: ChildProcess[] = [];
const groups: string[] = [];
let source: TracefsSource | undefined;
let procfs: ProcfsThread | undefined;
let host: ProcessTree;
let events: TaskEvent[] = [];

afterEach(async () => {
  await source?.stop();
  await procfs?.stop();
  source = undefined;
  procfs = undefined;
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const group of groups.splice(0).reverse()) rmdirSync(group);
});

async function start(): Promise<HostClock> {
  const clock = HostClock.read();
  const thread = new ProcfsThread({ clock });
  events = [];
  host = new ProcessTree();
  procfs = thread;
  source = new TracefsSource({ clock, bufferKb: 1024, execs: thread, changes: thread });
  thread.start((seen) => host.apply(seen));
  await source.start((event) => {
    events.push(event);
    host.apply(event);
  });
  return clock;
}

async function sleeper(): Promise<number> {
  const child = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return child.pid ?? 0;
}

function containerAt(pid: number, at: EventNs): string | undefined {
  const task = host.resolve({ pid }, host.newest);
  return host.tree.textAt(task, 'container', at);
}

function containersOf(pid: number) {
  return events.filter((event) => event.type === 'container').filter(({ tid }) => tid === pid);
}

/** Where a hierarchy of control groups is mounted, and groups can be made: of version 2, else of version 1. */
function findHierarchies(): { readonly v1: string | undefined; readonly v2: string | undefined } {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const canMake = (path: string | undefined) => {
    try {
      const group = join(path ?? '', `dendro-try-${process.pid}`);
      mkdirSync(group);
      rmdirSync(group);
      return true;
    } catch {
      return false;
    }
  };
  const pathOf = (isIt: (type: string, options: string) => boolean) =>
    mounts.find(([, path, type = '', options = '']) => isIt(type, options) && canMake(path))?.[1];
  return {
    v1: pathOf((type, options) => type === 'cgroup' && /\bpids\b/.test(options)),
    v2: pathOf((type) => type === 'cgroup2'),
  };
}

function makeContainerGroup(hierarchy: string): string {
  const group = join(hierarchy, `dendro-test-${process.pid}`, ID);
  for (const path of [dirname(group), group]) {
    mkdirSync(path);
    groups.push(path);
  }
  return group;
}

const hierarchies = isRoot ? findHierarchies() : { v1: undefined, v2: undefined };

describe.each([
  ['version 1', hierarchies.v1],
  ['version 2', hierarchies.v2],
])('moves between control groups of %s', (_version, hierarchy) => {
  test.skipIf(hierarchy === undefined)('[CO1] are of their own time (needs root and such groups)', async () => {
    const clock = await start();
    const pid = await sleeper();
    await vi.waitUntil(() => events.some((event) => event.type === 'exec' && event.pid === pid), WAIT);
    const group = makeContainerGroup(hierarchy ?? '');
    const before = clock.now();
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
    const after = clock.now();
    await vi.waitUntil(() => containersOf(pid).length > 0, WAIT);
    const [move] = containersOf(pid);

    expect(move).toMatchObject({ container: ID });
    expect(move?.at).toBeGreaterThanOrEqual(before - 1e6);
    expect(move?.at).toBeLessThanOrEqual(after + 1e6);
    const at = move?.at ?? (0 as EventNs);
    expect(containerAt(pid, (at - 1) as EventNs)).toBeUndefined();
    expect(containerAt(pid, at)).toBe(ID);
    const task = host.resolve({ pid }, host.newest);
    expect(host.tree.authorityAt(task, 'container', at)).toBe(AUTHORITY.event);

    writeFileSync(join(hierarchy ?? '', 'cgroup.procs'), String(pid));
    await vi.waitUntil(() => containersOf(pid).length > 1, WAIT);
    const out = containersOf(pid)[1]?.at ?? (0 as EventNs);
    expect(containerAt(pid, (out - 1) as EventNs)).toBe(ID);
    expect(containerAt(pid, out)).toBeUndefined();
    expect(source?.status().notices.join()).not.toContain('were not followed');
  });
});

describe.skipIf(hierarchies.v2 === undefined || !hasPython)('a birth into another control group (needs root)', () => {
  test('[CO1] is one in its container, and nobody was in it before', async () => {
    await start();
    const group = makeContainerGroup(hierarchies.v2 ?? '');
    const { child = 0, isRefused } = runPython(`
import struct
SYS_clone3 = 435
folder = os.open(${JSON.stringify(group)}, os.O_RDONLY)
arguments = struct.pack('11Q', 0x200000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, folder)
child = libc.syscall(SYS_clone3, arguments, len(arguments))
if child == 0:
    os.closerange(0, 3); time.sleep(600); os._exit(0)
say(child=child, isRefused=child < 0)
`);
    expect(isRefused).toBe(false);
    try {
      await vi.waitUntil(() => containersOf(child).length > 0, WAIT);
    } finally {
      process.kill(child, 'SIGKILL');
      await vi.waitUntil(() => events.some((event) => event.type === 'exit' && event.tid === child), WAIT);
    }
    const task = host.resolve({ pid: child }, host.newest);

    expect(containersOf(child)).toMatchObject([{ at: host.tree.startOf(task), container: ID }]);
    expect(containerAt(child, host.tree.startOf(task))).toBe(ID);
    const creator = host.tree.creatorOf(task);
    expect(host.tree.textAt(creator, 'container', host.newest)).toBeUndefined();
  });
});

/** Runs a Python script that says what it did, and goes on until it is killed. */
async function runOn(script: string): Promise<number> {
  const prelude = 'import ctypes, os, signal, sys, threading, time\n';
  const child = spawn('python3', ['-c', `${prelude}${script}\nos.write(1, b"done")\ntime.sleep(600)`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(String(said)).toBe('done');
  return child.pid ?? 0;
}

const idsOf = (pid: number) =>
  events.flatMap((event) =>
    event.type === 'credentials' && event.pid === pid && (event.uid ?? event.gid) !== undefined
      ? [event.uid === undefined ? { gid: event.gid } : { uid: event.uid }]
      : [],
  );

/** Whatever was called before has been told by then, if anything was to be told of it. */
async function untilOthersAreTold(): Promise<void> {
  const other = await runOn('os.setuid(4444)');
  await vi.waitUntil(() => idsOf(other).length > 0, WAIT);
}

describe.skipIf(!isRoot || !hasPython)('changes of user and group without the process connector (needs root)', () => {
  test.each([
    ['os.setuid', ''],
    ['os.setreuid', ', 5678'],
    ['os.setresuid', ', 5678, 5678'],
  ])('[CR1] %s and its like for groups are of their own time', async (call, more) => {
    await start();
    const pid = await runOn(`${call.replace('uid', 'gid')}(4322${more}); ${call}(4321${more})`);
    await vi.waitUntil(() => idsOf(pid).length > 1, WAIT);
    expect(idsOf(pid).sort((a, b) => Object.keys(a).join().localeCompare(Object.keys(b).join()))).toEqual([
      { gid: 4322 },
      { uid: 4321 },
    ]);
    const task = host.resolve({ pid }, host.newest);
    for (const event of events) {
      if (event.type !== 'credentials' || event.pid !== pid || (event.uid ?? event.gid) === undefined) continue;
      const field = event.uid === undefined ? 'gid' : 'uid';
      expect(host.tree.numberAt(task, field, (event.at - 1) as EventNs) ?? 0).toBe(0);
      expect(host.tree.numberAt(task, field, event.at)).toBe(event[field]);
      expect(host.tree.authorityAt(task, field, event.at)).toBe(AUTHORITY.event);
    }
  });

  test('[CR1] a call for the effective user changes that one, and calls that fail change nothing', async () => {
    await start();
    const pid = await runOn(`
os.seteuid(4321)
for refused in (lambda: os.setgid(77), lambda: os.setregid(77, 77), lambda: os.setresgid(77, 77, 77)):
    try: refused(); sys.exit(1)
    except PermissionError: pass`);
    await untilOthersAreTold();
    const told = events.filter((event) => event.type === 'credentials' && event.pid === pid);
    expect(told).toMatchObject([{ uid: 0 }, { euid: 4321 }]);
  });

  test('[CR1] an id in a user namespace is told as the host knows it', async () => {
    await start();
    const pid = await runOn(`
libc = ctypes.CDLL(None, use_errno=True)
r, w = os.pipe(); r2, w2 = os.pipe(); mapped = os.getpid()
if os.fork() == 0:
    os.read(r, 1)
    open(f'/proc/{mapped}/uid_map', 'w').write('0 100000 10')
    os.write(w2, b'x'); os._exit(0)
if libc.unshare(0x10000000): sys.exit(1)
os.write(w, b'x'); os.read(r2, 1); os.wait()
os.setuid(3)`);
    await vi.waitUntil(() => idsOf(pid).length > 0, WAIT);
    expect(idsOf(pid)).toEqual([{ uid: 100003 }]);
  });

  test('[CR1] where all threads follow, their process has changed once', async () => {
    await start();
    const pid = await runOn(`
for _ in range(5): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
os.setuid(4321)`);
    await untilOthersAreTold();
    expect(idsOf(pid)).toEqual([{ uid: 4321 }]);
    expect(events.filter(({ type }) => type === 'credentials')).toHaveLength(4); // real and effective, of both
    expect(source?.status().notices.join()).not.toContain('were not followed');
  });

  test('new namespaces change neither user nor group nor container for the host: to trace those calls would tell nothing', async () => {
    const NEW_ALL = 0x7e020000; // user, mount, pid, net, uts, ipc and cgroup namespaces
    const reader = new ProcfsReader({ clock: HostClock.read() });
    const read = (pid: number) => {
      const { uid, gid, container, nsPid, pidNs, cwd } = reader.readProcess(pid) ?? {};
      return { uid, gid, container, nsPid, pidNs, cwd };
    };
    const pid = await runOn(`if ctypes.CDLL(None).unshare(${NEW_ALL}): sys.exit(1)`);
    expect(read(pid)).toEqual({ ...read(process.pid), nsPid: pid });
  });

  test('what it costs is said; where the connector tells of users, nothing is traced for that', async () => {
    const clock = HostClock.read();
    const tracefs = '/sys/kernel/tracing/instances';
    const isTraced = () =>
      readdirSync(tracefs)
        .filter((name) => name.startsWith(ownInstanceName()))
        .some((name) => readFileSync(join(tracefs, name, 'events/syscalls/enable'), 'utf8').trim() !== '0');
    source = new TracefsSource({ clock, bufferKb: 64, changes: new ProcfsThread({ clock }), hasIds: true });
    await source.start(() => {});
    expect(isTraced()).toBe(false);
    expect(source.status().notices.join()).not.toContain('system calls');
    source.followIds(); // it has broken off
    source.followIds();
    expect(isTraced()).toBe(true);
    expect(source.status().notices.filter((notice) => notice.includes('from system calls'))).toHaveLength(1);
  });
});

test.skipIf(!isRoot)(
  'a flood of moves is bounded, what was not followed is counted, and enrichment has room',
  async () => {
    await start();
    const room = procfs?.room ?? 0;
    for (let tid = 1; tid <= 5000; tid++) procfs?.noteChanged(4_000_000 + (tid % 1000));
    expect(procfs?.room).toBe(room);
    expect(procfs?.counts.waiting).toBeLessThanOrEqual(256 + 8);
    const { pid } = spawnSync('/bin/true');
    expect(pid).toBeGreaterThan(0);
    await vi.waitUntil(() => procfs?.counts.waiting === 0, WAIT);
  },
);
