// What the kernel had to throw away, on the real kernel: with a buffer that is
// too small and a reader that is held up. The gaps say exactly as much as the
// kernel's own counters, and after the repair the tree is what /proc says.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessTree } from '@dendro/engine';
import type { TaskEvent } from '@dendro/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { whyNoConnector } from './cn-proc/test-host.ts';
import { EbpfSource, type EbpfSourceOptions } from './ebpf/ebpf-source.ts';
import { countsOf, whyNoEbpf } from './ebpf/test-host.ts';
import { HostClock } from './host-clock.ts';
import { KernelSource } from './kernel-source.ts';
import { ProcfsReader } from './procfs/reader.ts';
import type { Source } from './source.ts';
import { ownInstanceName } from './tracefs/instance-name.ts';
import { TracefsSource } from './tracefs/tracefs-source.ts';

const isRoot = process.geteuid?.() === 0;
const noConnector = isRoot ? await whyNoConnector() : 'Only root may trace.';
const noEbpf = isRoot ? await whyNoEbpf() : 'Only root may trace.';
const INSTANCES = '/sys/kernel/tracing/instances';
const STALL_MS = 700;
const WAIT = { timeout: 15_000, interval: 50 };

let source: Source | undefined;
let children: ChildProcess[] = [];
afterEach(async () => {
  for (const { pid } of children) if (pid !== undefined) process.kill(-pid, 'SIGKILL'); // the sleepers too
  await source?.stop();
  source = undefined;
  children = [];
});

interface Seen {
  readonly host: ProcessTree;
  readonly events: TaskEvent[];
  scans: number;
}

async function start(open: (options: EbpfSourceOptions) => Source): Promise<Seen> {
  const clock = HostClock.read();
  const reader = new ProcfsReader({ clock });
  const seen: Seen = { host: new ProcessTree({ maxProcesses: 100_000, maxThreads: 100_000 }), events: [], scans: 0 };
  const scan = function* (): Generator<TaskEvent> {
    const from = clock.now();
    yield* reader.scan();
    yield { type: 'scan', from, at: clock.now() };
  };
  source = open({ clock, scan, bufferKb: 16 });
  await source.start((event) => {
    if (event.type === 'scan') seen.scans++;
    if (event.type === 'gap' || event.type === 'scan') seen.events.push(event);
    seen.host.apply(event);
  });
  await vi.waitUntil(() => seen.scans > 0, WAIT);
  return seen;
}

/** Processes that fork, end and leave sleepers behind; the reader sleeps meanwhile. */
async function storm(births: number, holdUp: () => Promise<void>): Promise<void> {
  const script = `
    i=0; while [ $i -lt ${births} ]; do ( : ); i=$((i+1)); done
    i=0; while [ $i -lt 40 ]; do sleep 600 >/dev/null & i=$((i+1)); done
    echo done; exec >/dev/null; wait`;
  const shell = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  children.push(shell);
  const isDone = once(shell.stdout!, 'data');
  await holdUp();
  await isDone;
}

/** This thread does nothing else meanwhile. */
async function sleepHard(): Promise<void> {
  for (let i = 0; i < 3; i++) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
}

/** What the kernel counts itself, all CPUs together. */
function kernelLost(): number {
  let lost = 0;
  for (const name of readdirSync(INSTANCES).filter((name) => name.startsWith(ownInstanceName()))) {
    for (const cpu of readdirSync(join(INSTANCES, name, 'per_cpu'))) {
      const stats = readFileSync(join(INSTANCES, name, 'per_cpu', cpu, 'stats'), 'utf8');
      for (const [, count] of stats.matchAll(/^(?:overrun|commit overrun|dropped events): (\d+)$/gm))
        lost += Number(count);
    }
  }
  return lost;
}

/** "pid ppid comm" of everything that lives, this process' own children apart, which come and go. */
function fromProc(): Set<string> {
  const reader = new ProcfsReader({ clock: HostClock.read() });
  const lines = reader.pids().flatMap((pid) => {
    const stat = reader.stat(pid);
    return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? [] : [`${pid} ${stat.ppid} ${stat.comm}`];
  });
  return new Set(lines);
}

function fromTree({ tree, newest }: ProcessTree): Set<string> {
  const lines = new Set<string>();
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as Parameters<typeof tree.tidOf>[0];
    if (!tree.isPresent(task) || tree.isThread(task) || !tree.isAliveAt(task, newest)) continue;
    const parent = tree.parentAt(task, newest);
    const ppid = (parent as number) < 0 ? 0 : tree.tidOf(parent);
    lines.add(`${tree.tidOf(task)} ${ppid} ${tree.textAt(task, 'comm', newest)}`);
  }
  return lines;
}

/** Both at one time. Others use this machine too: what was there all the while must be in both. */
async function expectSameAsProc(host: ProcessTree): Promise<void> {
  let differences: string[] = [];
  for (let tries = 0; tries < 40; tries++) {
    const before = fromProc();
    await new Promise((resolve) => setTimeout(resolve, 150));
    const tree = fromTree(host);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const after = fromProc();
    differences = [
      ...[...before].filter((line) => after.has(line) && !tree.has(line)).map((line) => `only in /proc: ${line}`),
      ...[...tree].filter((line) => !before.has(line) && !after.has(line)).map((line) => `only in the tree: ${line}`),
    ];
    if (differences.length === 0) return;
  }
  expect(differences).toEqual([]);
}

const SOURCES = [
  { name: 'tracefs', missing: isRoot ? undefined : 'only root may trace', Of: TracefsSource },
  { name: 'tracefs+cn_proc', missing: noConnector, Of: KernelSource },
];

describe.each(SOURCES)('$name, held up with a buffer that is too small', ({ missing, Of }) => {
  test.skipIf(missing !== undefined)(
    'gaps say exactly what the kernel counts; after the repair the tree is /proc',
    async () => {
      const seen = await start((options) => new Of(options));
      await storm(1500, sleepHard);
      const scansBefore = seen.scans;
      await vi.waitUntil(() => seen.scans > scansBefore, WAIT);

      expect(kernelLost()).toBeGreaterThan(1000);
      await expectSameAsProc(seen.host);
      const told = () => seen.events.reduce((sum, event) => sum + (event.type === 'gap' ? event.lost : 0), 0);
      await vi.waitUntil(() => told() >= kernelLost(), WAIT);
      expect(told()).toBe(kernelLost());
      expect(source!.status().lost).toBe(kernelLost());
    },
  );
});

const HELD_UP = [
  { who: 'this process, as it is when the server is slow', births: 8000, holdUp: sleepHard },
  {
    who: 'the child, by SIGSTOP',
    births: 1500,
    holdUp: async (child: number) => {
      process.kill(child, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 3 * STALL_MS));
      process.kill(child, 'SIGCONT');
    },
  },
];

describe.each(HELD_UP)('eBPF with a ring that is too small; held up is $who', ({ births, holdUp }) => {
  test.skipIf(noEbpf !== undefined)(
    'gaps say exactly what the kernel counts; after the repair the tree is /proc; what was seen was read or lost',
    async () => {
      const seen = await start((options) => new EbpfSource(options));
      const ebpf = source as EbpfSource;
      const scansBefore = seen.scans;
      await storm(births, () => holdUp(ebpf.childPid!));
      await vi.waitUntil(() => seen.scans > scansBefore, WAIT);

      await expectSameAsProc(seen.host);
      // Equal at some instant: others make events too.
      const kernelLost = () => countsOf(ebpf.childPid!)?.lost ?? Number(ebpf.balance.lost);
      await vi.waitUntil(() => kernelLost() === Number(ebpf.balance.lost), WAIT);
      await ebpf.stop();
      const told = seen.events.reduce((sum, event) => sum + (event.type === 'gap' ? event.lost : 0), 0);
      expect(told).toBeGreaterThan(1000);
      expect(told).toBe(ebpf.status().lost);
      expect(told).toBe(Number(ebpf.balance.lost));
      expect(ebpf.balance.consumed + ebpf.balance.lost).toBe(ebpf.balance.seen);
      expect(Number(ebpf.balance.seen)).toBeGreaterThanOrEqual(2 * births);
      expect(ebpf.status().notices).toEqual([]);
    },
    60_000,
  );
});
