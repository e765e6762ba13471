// The live source on the real kernel: nothing here is simulated.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { EventNs, TaskEvent } from '@dendro/protocol';
import { CLONE } from '@dendro/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { ownInstanceName } from './instance-name.ts';
import { timeOf } from './merge.ts';
import { TracefsSource, type TracefsSourceOptions } from './tracefs-source.ts';

const isRoot = process.geteuid?.() === 0;
const INSTANCES = '/sys/kernel/tracing/instances';
const SOURCE_MODULE = new URL('./tracefs-source.ts', import.meta.url).href;
const WAIT = { timeout: 10_000, interval: 10 };

let source: TracefsSource | undefined;
let events: TaskEvent[] = [];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-live-'));
});

afterEach(async () => {
  await source?.stop();
  source = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: TracefsSourceOptions = {}): Promise<TracefsSource> {
  events = [];
  source = new TracefsSource({ bufferKb: 1024, ...options });
  await source.start((event) => events.push(event));
  return source;
}

/** A program of an unmistakable name. */
function program(name: string): string {
  const path = join(folder, name);
  copyFileSync('/bin/sleep', path);
  return path;
}

function ownInstances(): string[] {
  const own = ownInstanceName();
  return existsSync(INSTANCES) ? readdirSync(INSTANCES).filter((name) => name.startsWith(own)) : [];
}

function pipesOpen(): number[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).endsWith('trace_pipe_raw') ? [Number(fd)] : [];
    } catch {
      return []; // the one that listed the folder
    }
  });
}

function eventsOf<T extends TaskEvent['type']>(type: T): Extract<TaskEvent, { type: T }>[] {
  return events.filter((event): event is Extract<TaskEvent, { type: T }> => event.type === type);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

describe.skipIf(!isRoot)('tracefs, live (only root may trace)', () => {
  test('a process is seen from its birth over its program to its end, in order of time', async () => {
    await start();
    const path = program('dendro-\u00e9-test');
    const child = spawn(path, ['0.05']);
    await ended(child);
    await vi.waitUntil(() => eventsOf('exit').some(({ tid }) => tid === child.pid), WAIT);
    const life = events.filter((event) =>
      'tid' in event ? event.tid === child.pid : 'pid' in event && event.pid === child.pid,
    );

    expect(events[0]).toMatchObject({ type: 'clock' });
    expect(life.map(({ type }) => type)).toEqual(['fork', 'rename', 'exec', 'exit']);
    expect(life[0]).toMatchObject({ pid: child.pid, creatorTid: process.pid });
    expect(life[1]).toMatchObject({ comm: 'dendro-\u00e9-test' });
    expect(life[2]).toMatchObject({ pid: child.pid, oldTid: child.pid, filename: path });
    expect(life[3]).toMatchObject({ isGroupDead: true, comm: 'dendro-\u00e9-test' });
    expect(timeOf(life[3]!) - timeOf(life[2]!)).toBeGreaterThan(50e6);
    expect(timeOf(life[3]!) - timeOf(life[2]!)).toBeLessThan(5000e6);
    expect(events.slice(1).map(timeOf)).toEqual(
      events
        .slice(1)
        .map(timeOf)
        .sort((a, b) => a - b),
    );
    expect(source?.status()).toMatchObject({ state: 'running', lost: 0, rejected: {} });
  });

  test('times of events are those of the wall clock', async () => {
    const clock = HostClock.read();
    await start({ clock });
    const before = Date.now();
    const child = spawn(program('dendro-time'), ['0']);
    const after = Date.now();
    await ended(child);
    await vi.waitUntil(() => eventsOf('exit').some(({ tid }) => tid === child.pid), WAIT);
    const [birth] = eventsOf('fork').filter(({ tid }) => tid === child.pid);
    const [begin] = eventsOf('clock');
    const bornMs = Number((begin!.epochNs + BigInt(birth!.at)) / 1_000_000n);

    expect(bornMs).toBeGreaterThanOrEqual(before - 2);
    expect(bornMs).toBeLessThanOrEqual(after + 2);
  });

  test('threads are told from processes by their clone flags, and have the right tids', async () => {
    await start();
    const script = `
      const { Worker } = require('node:worker_threads');
      const tids = () => require('node:fs').readdirSync('/proc/self/task').map(Number);
      const before = new Set(tids());
      const worker = new Worker('setTimeout(() => {}, 200)', { eval: true });
      worker.once('online', () => console.log(JSON.stringify(tids().filter((tid) => !before.has(tid)))));`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    const tids = JSON.parse(line.toString()) as number[];
    await ended(child);
    // Which thread of a group ends last is left to chance.
    const exited = () => new Set(eventsOf('exit').map(({ tid }) => tid));
    await vi.waitUntil(() => [child.pid!, ...tids].every((tid) => exited().has(tid)), WAIT);
    const births = eventsOf('fork').filter(({ tid }) => tids.includes(tid));

    expect(tids.length).toBeGreaterThan(0);
    expect(births.map(({ tid }) => tid).sort()).toEqual(tids.sort());
    for (const { cloneFlags, pid, creatorTid } of births) {
      expect((cloneFlags ?? 0) & CLONE.thread).toBe(CLONE.thread);
      expect(pid).toBeUndefined();
      expect(creatorTid).toBe(child.pid);
    }
    expect(eventsOf('exit').filter(({ tid }) => tids.includes(tid))).toHaveLength(tids.length);
  });

  test('a name that is no text comes through byte by byte', async () => {
    await start();
    const script = "require('node:fs').writeFileSync('/proc/self/comm', Buffer.from([0x61, 0xff, 10, 0x62]))";
    const { pid } = spawnSync(process.execPath, ['-e', script]);
    await vi.waitUntil(() => eventsOf('exit').some(({ tid }) => tid === pid), WAIT);

    expect(
      eventsOf('rename')
        .filter(({ tid }) => tid === pid)
        .map(({ comm }) => comm),
    ).toContain('a\\xff\nb');
  });

  test('what interprets a script is said with its exec; of a program that needs nobody else nothing is', async () => {
    await start();
    const missing = source?.status().notices.some((notice) => notice.includes('sched_prepare_exec: what interprets'));
    const script = join(folder, 'script');
    writeFileSync(script, '#!/bin/sh\nexec /bin/true\n', { mode: 0o755 });
    const { pid } = spawnSync(script);
    await vi.waitUntil(() => eventsOf('exit').some(({ tid }) => tid === pid), WAIT);

    expect(
      eventsOf('exec')
        .filter((exec) => exec.pid === pid)
        .map(({ filename, interp }) => [filename, interp]),
    ).toEqual([
      [script, missing ? undefined : '/bin/sh'],
      ['/bin/true', undefined],
    ]);
  });

  test('what ran before is scanned once tracing is on, in steps, and takes its place by its time', async () => {
    const clock = HostClock.read();
    const sightings = 30_000;
    let isTracing = false;
    const scan = function* (): Generator<TaskEvent> {
      isTracing = ownInstances().some((name) => readFileSync(join(INSTANCES, name, 'tracing_on'), 'utf8') === '1\n');
      for (let i = 0; i < sightings; i++) {
        yield {
          type: 'observe',
          at: clock.now(),
          tid: 1,
          pid: 1,
          ppid: 0,
          start: 0 as EventNs,
          startIsTick: true,
          // As slow as reading a file of /proc.
          comm: readFileSync('/proc/self/comm', 'utf8'),
        };
      }
    };
    await start({ clock, scan });
    const child = spawn(program('dendro-scan'), ['0']);
    let turns = 0;
    while (eventsOf('observe').length < sightings) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
    await ended(child);
    await vi.waitUntil(() => eventsOf('exit').some(({ tid }) => tid === child.pid), WAIT);

    expect(isTracing).toBe(true);
    expect(turns).toBeGreaterThan(10);
    expect(eventsOf('observe')).toHaveLength(sightings);
    expect(events.slice(1).map(timeOf)).toEqual(
      events
        .slice(1)
        .map(timeOf)
        .sort((a, b) => a - b),
    );
  });

  test('a scan that fails is a notice, not the end', async () => {
    await start({
      scan: () => {
        throw new Error('no such folder');
      },
    });

    expect(source?.status()).toMatchObject({ state: 'running' });
    expect(source?.status().notices[0]).toBe('Reading what already runs broke off: no such folder.');
  });

  test('events that the kernel had to throw away are counted to the last one, are gaps, and are scanned for', async () => {
    let scans = 0;
    const scan = () => [scans++].slice(1) as never[];
    await start({ bufferKb: 16, pollMs: 400, scan });
    const [name = ''] = ownInstances();
    const overruns = () =>
      readdirSync(join(INSTANCES, name, 'per_cpu'))
        .map((cpu) => readFileSync(join(INSTANCES, name, 'per_cpu', cpu, 'stats'), 'utf8'))
        .reduce((sum, stats) => sum + Number(/^overrun: (\d+)/m.exec(stats)![1]), 0);
    await ended(spawn('sh', ['-c', 'i=0; while [ $i -lt 1500 ]; do ( : ); i=$((i+1)); done']));
    await vi.waitUntil(() => scans > 1, WAIT);
    await vi.waitUntil(() => source!.status().lost >= overruns(), WAIT);
    const lost = overruns();
    await source?.stop();
    const gaps = eventsOf('gap');

    expect(lost).toBeGreaterThan(0);
    expect(source?.status().lost).toBe(lost);
    expect(gaps.reduce((sum, gap) => sum + gap.lost, 0)).toBe(lost);
    for (const { from, to } of gaps) expect(to).toBeGreaterThanOrEqual(from);
  });

  test('who has called exec is told before the event is passed on, and tracing is read more often then', async () => {
    const noted = new Map<number, boolean>();
    let isBusy = false;
    const hasEvent = (pid: number) => eventsOf('exec').some((event) => event.pid === pid);
    const note = (pid: number) => {
      noted.set(pid, hasEvent(pid));
      isBusy = true;
    };
    await start({
      execs: {
        note,
        get isBusy() {
          return isBusy;
        },
      },
      pollMs: 50,
    });
    const child = spawn(program('noted'), ['0.01']);
    await ended(child);
    await expect.poll(() => hasEvent(child.pid ?? 0), { timeout: 5000 }).toBe(true);
    expect(noted.get(child.pid ?? 0)).toBe(false);
  });

  test('the status says how much buffer the kernel has given and how often it is read', async () => {
    await start({ bufferKb: 512, pollMs: 7 });
    const [name = ''] = ownInstances();
    const given = readFileSync(join(INSTANCES, name, 'buffer_size_kb'), 'utf8').trim();

    expect(source?.status().detail).toMatch(new RegExp(`read every 7 ms; ${given} KiB of buffer for each\\.$`));
  });

  test('without losses every birth of a storm is seen, and each one ends', async () => {
    await start({ bufferKb: 8192 });
    const shell = spawn('sh', ['-c', 'i=0; while [ $i -lt 3000 ]; do ( : ); i=$((i+1)); done']);
    await ended(shell);
    await vi.waitUntil(() => eventsOf('exit').some(({ tid }) => tid === shell.pid), WAIT);
    const children = eventsOf('fork')
      .filter(({ creatorTid }) => creatorTid === shell.pid)
      .map(({ tid }) => tid);
    const ends = eventsOf('exit').map(({ tid }) => tid);

    expect(source?.status()).toMatchObject({ lost: 0, rejected: {} });
    expect(children).toHaveLength(3000);
    expect(children.filter((tid) => !ends.includes(tid))).toEqual([]);
    expect(events.slice(1).map(timeOf)).toEqual(
      events
        .slice(1)
        .map(timeOf)
        .sort((a, b) => a - b),
    );
  });

  test('tracing that somebody else switches off is switched on again, with a gap and a scan', async () => {
    let scans = 0;
    await start({ scan: () => [scans++].slice(1) as never[] });
    writeFileSync(join(INSTANCES, ownInstances()[0]!, 'tracing_on'), '0');
    await vi.waitUntil(() => eventsOf('gap').length > 0, WAIT);
    const child = spawn(program('dendro-again'), ['0']);
    await ended(child);
    await vi.waitUntil(() => eventsOf('exit').some(({ tid }) => tid === child.pid), WAIT);
    await vi.waitUntil(() => scans > 1, WAIT);

    expect(source?.status().state).toBe('running');
    expect(source?.status().notices[0]).toMatch(/Somebody else has changed the tracing/);
  });

  test('pipes that are closed under it end it with a notice, and nothing stays behind', async () => {
    await start();
    const pipes = pipesOpen();
    expect(pipes.length).toBeGreaterThan(0);
    for (const fd of pipes) closeSync(fd);
    await vi.waitUntil(() => source?.status().state === 'failed', WAIT);

    expect(source?.status().notices[0]).toMatch(/^Tracing broke off \(EBADF.*start dendro again/);
    expect(ownInstances()).toEqual([]);
  });

  test('stopping passes on what was read, leaves nothing behind, and may be repeated', async () => {
    await start();
    const [name = ''] = ownInstances();
    const { pid } = spawnSync(program('dendro-last'), ['0']);
    await source?.stop();
    await source?.stop();

    expect(eventsOf('exit').some(({ tid }) => tid === pid)).toBe(true);
    expect(source?.status().state).toBe('ended');
    expect(existsSync(join(INSTANCES, name))).toBe(false);
    expect(pipesOpen()).toEqual([]);
  });

  test('a process that exits without stopping it leaves no instance behind', () => {
    const { stdout } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { readdirSync } from 'node:fs';
         const { TracefsSource } = await import(${JSON.stringify(SOURCE_MODULE)});
         await new TracefsSource({ bufferKb: 64 }).start(() => {});
         const own = readdirSync('${INSTANCES}').filter((name) => name.startsWith('dendro-' + process.pid + '-'));
         process.stdout.write(own.join());
         process.exit();`,
      ],
      { encoding: 'utf8' },
    );

    expect(stdout).toMatch(/^dendro-\d+-\d+$/);
    expect(existsSync(join(INSTANCES, basename(stdout)))).toBe(false);
  });
});
