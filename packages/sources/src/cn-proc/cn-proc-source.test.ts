// The process connector by itself, on the real kernel.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessTree } from '@dendro/engine';
import type { TaskEvent } from '@dendro/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { timeOf } from '../tracefs/merge.ts';
import { CnProcSource, type CnProcSourceOptions } from './cn-proc-source.ts';
import { hasPython, run, runPython, runShell, whyNoConnector } from './test-host.ts';

const missing = await whyNoConnector();
const isRoot = process.geteuid?.() === 0;
const SOURCE_MODULE = new URL('./cn-proc-source.ts', import.meta.url).href;
const WAIT = { timeout: 15_000, interval: 20 };

let source: CnProcSource | undefined;
let host: ProcessTree;
let events: TaskEvent[] = [];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-cn-proc-'));
});

afterEach(async () => {
  await source?.stop();
  source = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: CnProcSourceOptions = {}): Promise<void> {
  events = [];
  host = new ProcessTree({ maxProcesses: 100_000 });
  source = new CnProcSource(options);
  await source.start((event) => {
    events.push(event);
    host.apply(event);
  });
}

function ofTask(tid: number): TaskEvent[] {
  return events.filter((event) => ('tid' in event ? event.tid : 'pid' in event && event.pid) === tid);
}

async function ended(tid: number): Promise<void> {
  await vi.waitUntil(() => ofTask(tid).some(({ type }) => type === 'exit'), WAIT);
}

function sockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false; // the one that listed the folder
    }
  }).length;
}

describe.skipIf(missing !== undefined)(`cn_proc alone (${missing ?? 'it is there'})`, () => {
  test('a process is told of from its birth to its end, in order of time and with its status', async () => {
    await start();
    const end = await run('sh', ['-c', 'exit 3'], isRoot ? { uid: 4321, gid: 1234 } : {});
    await ended(end.pid);
    const life = ofTask(end.pid);

    expect(events[0]).toMatchObject({ type: 'clock' });
    expect(life.map(({ type }) => type)).toEqual(
      isRoot ? ['fork', 'credentials', 'credentials', 'exec', 'exit'] : ['fork', 'exec', 'exit'],
    );
    expect(life[0]).toMatchObject({ pid: end.pid, creatorPid: process.pid, parentPid: process.pid });
    expect(life.at(-1)).toMatchObject({ pid: end.pid, code: 3, signal: undefined });
    expect(events.slice(1).map(timeOf)).toEqual(
      events
        .slice(1)
        .map(timeOf)
        .sort((a, b) => a - b),
    );
    expect(source?.status()).toMatchObject({ name: 'cn_proc', state: 'running', lost: 0, rejected: {} });
  });

  test('times of events are those of the wall clock', async () => {
    const clock = HostClock.read();
    await start({ clock });
    const before = Date.now();
    const { pid } = spawnSync('true');
    const after = Date.now();
    await ended(pid);
    const bornMs = Number((clock.base.epochNs + BigInt(timeOf(ofTask(pid)[0]!))) / 1_000_000n);

    expect(bornMs).toBeGreaterThanOrEqual(before - 2);
    expect(bornMs).toBeLessThanOrEqual(after + 2);
  });

  test('codes and signals of many short lives are those that their parent heard', async () => {
    await start();
    const { pid, children } = runShell(
      'i=0; while [ $i -lt 300 ]; do (exit $((i % 256))) & wait $!; echo "$! $?"; i=$((i+1)); done',
    );
    const killed = await run('sh', ['-c', 'kill -SEGV $$'], { cwd: folder });
    await ended(pid);
    await ended(killed.pid);

    expect(children).toHaveLength(300);
    for (const child of children) {
      const task = host.resolve({ pid: child.pid }, host.newest);
      expect([host.tree.exitCodeOf(task), host.tree.exitSignalOf(task)]).toEqual([child.code, undefined]);
      expect(host.tree.tidOf(host.tree.parentAt(task, host.tree.startOf(task)))).toBe(pid);
    }
    expect(host.tree.exitSignalOf(host.resolve({ pid: killed.pid }, host.newest))).toBe(constants.signals.SIGSEGV);
  });

  test.skipIf(!hasPython)('threads have their process, and the last one gives it its code', async () => {
    await start();
    const { pid, tid } = runPython(`
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    def last():
        os.write(w, str(gettid()).encode()); time.sleep(0.1); os._exit(3)
    threading.Thread(target=last).start()
    leave(5)
os.waitpid(pid, 0)
say(pid=pid, tid=int(os.read(r, 20)))
`);
    await ended(tid!);
    await vi.waitUntil(() => host.tree.exitCodeOf(host.resolve({ pid: pid! }, host.newest)) === 3, WAIT);
    const thread = host.resolve({ pid: tid! }, host.newest);

    expect(ofTask(tid!)[0]).toMatchObject({ type: 'observe', tid, pid, startIsTick: false });
    expect(host.tree.isThread(thread)).toBe(true);
    expect(host.tree.exitOf(thread)).toBe(host.tree.exitOf(host.resolve({ pid: pid! }, host.newest)));
  });

  test('what ran before is scanned, and again after a loss', async () => {
    let scans = 0;
    const clock = HostClock.read();
    const scan = function* (): Generator<TaskEvent> {
      scans++;
      yield { type: 'scan', from: clock.now(), at: clock.now() };
    };
    await start({ clock, scan, roomBytes: 4096, pollMs: 300 });
    await vi.waitUntil(() => scans === 1, WAIT);
    runShell('i=0; while [ $i -lt 300 ]; do (:); i=$((i+1)); done');
    await vi.waitUntil(() => scans === 2, WAIT);
    await source?.stop();
    const gaps = events.filter((event) => event.type === 'gap');
    const { lost, notices } = source!.status();

    expect(gaps.reduce((sum, gap) => sum + gap.lost, 0)).toBe(lost);
    for (const { from, to } of gaps) expect(to).toBeGreaterThanOrEqual(from);
    expect(notices.join()).toMatch(/ran out of room/);
  });

  test('without losses every one of a storm is born and ends, exactly', async () => {
    await start();
    const { pid } = runShell('i=0; while [ $i -lt 3000 ]; do (:); i=$((i+1)); done');
    await ended(pid);
    const births = events.filter((event) => event.type === 'fork' && event.creatorTid === pid);
    const ends = new Set(events.flatMap((event) => (event.type === 'exit' ? [event.tid] : [])));

    expect(source?.status()).toMatchObject({ lost: 0, rejected: {} });
    expect(births).toHaveLength(3000);
    expect(births.filter((birth) => birth.type === 'fork' && !ends.has(birth.tid))).toEqual([]);
  });

  test('stopping passes on what was read, closes the socket, and may be repeated', async () => {
    const before = sockets();
    await start();
    expect(sockets()).toBe(before + 1);
    const { pid } = spawnSync('true');
    await source?.stop();
    await source?.stop();

    expect(ofTask(pid).at(-1)).toMatchObject({ type: 'exit', code: 0 });
    expect(sockets()).toBe(before);
    expect(source?.status().state).toBe('ended');
  });

  test.skipIf(!isRoot)('outside of the namespaces of the host it says so in one sentence', () => {
    const script = `
      const { CnProcSource } = await import(${JSON.stringify(SOURCE_MODULE)});
      await new CnProcSource().start(() => {}).catch(({ code, message }) => process.stdout.write(code + ' ' + message));`;
    const said = (flags: readonly string[]) =>
      spawnSync('unshare', [...flags, process.execPath, '--input-type=module', '-e', script], { encoding: 'utf8' });

    expect(said(['--net']).stdout).toMatch(
      /^DENDRO_SOURCE_UNAVAILABLE The process connector cannot be used: .* network namespace[^.]*\.$/,
    );
    expect(said(['--pid', '--fork']).stdout).toMatch(/^DENDRO_SOURCE_UNAVAILABLE .* it does not answer; [^.]*\.$/);
  });
});
