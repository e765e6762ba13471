// One measurement of one tree: `engine-run.ts naive|dendro SCALE`, where SCALE
// multiplies the default caches. Prints JSON.

import { AmbiguousTaskError, DataNotFoundError, EntityIds, ProcessTree, ProcessTreeDataSource } from '@dendro/engine';
import { CLONE, type EntityId, type EventNs, type FactVisitor, readBatch, type TaskEvent } from '@dendro/protocol';
import {
  generateWorkload,
  Random,
  WORKLOAD_EPOCH_NS,
  WORKLOAD_PATHS,
  type Workload,
  type WorkloadEvent,
  type WorkloadProcess,
} from '../src/workload.ts';
import { NaiveTree } from './naive-tree.ts';

const EVENTS = 1_001_000;
const QUERIES = 100_000;
const [what = 'dendro', scale = '1'] = process.argv.slice(2);
const maxProcesses = 16_384 * Number(scale);
const maxThreads = 32_768 * Number(scale);
const WARM_UP_EVENTS = 500_000;

interface Answer {
  readonly name: string | undefined;
  readonly path: string | undefined;
  readonly isAlive: boolean;
}

interface Limits {
  readonly maxProcesses: number;
  readonly maxThreads: number;
}

/** What is measured of a tree. */
interface Subject {
  /** Turned into what the tree takes before the clock runs. */
  prepare(events: readonly WorkloadEvent[]): () => void;
  processAt(id: number, at: number): Answer | undefined;
  /** How many living threads and children. */
  listsAt(id: number, at: number): number;
  lineageAt(id: number, at: number): number;
  readonly shares?: () => { encodeShare: number; decodeShare: number };
}

function naiveSubject(limits: Limits): Subject {
  const tree = new NaiveTree(limits.maxProcesses, limits.maxThreads);
  return {
    prepare: (events) => () => {
      for (const event of events) tree.apply(event);
    },
    processAt: (id, at) => {
      const info = tree.processAt(id, at);
      return info && { name: info.name, path: info.file?.path, isAlive: info.isAlive };
    },
    listsAt: (id, at) => {
      const info = tree.processAt(id, at);
      return info === undefined ? 0 : info.threads.size + info.children.size;
    },
    lineageAt: (id, at) => tree.lineageAt(id, at, 5).length,
  };
}

let feedMs = 0;

function dendroSubject(limits: Limits): Subject {
  const host = new ProcessTree(limits);
  host.apply({ type: 'clock', epochNs: WORKLOAD_EPOCH_NS });
  const source = new ProcessTreeDataSource(host);
  let encodeMs = 0;
  let decodeMs = 0;
  return {
    prepare: (events) => {
      const list = events.map(taskEvent);
      return () => {
        for (const event of list) host.apply(event);
        const began = performance.now();
        const batch = host.commit();
        const encoded = performance.now();
        encodeMs += encoded - began;
        if (batch !== undefined) readBatch(batch.bytes, IGNORE);
        const decoded = performance.now();
        decodeMs += decoded - encoded;
        feedMs -= decoded - encoded; // reading is the browser's work
      };
    },
    processAt: (id, at) => {
      const key = { kind: 'ProcKey', task: { entityId: id as EntityId }, time: at as EventNs } as const;
      return orUndefined(() => {
        const { info } = source.get(key).process_info;
        return { name: info.comm, path: info.executionBinary?.path, isAlive: info.isAlive };
      });
    },
    listsAt: (id, at) => {
      const key = { kind: 'ProcKey', task: { entityId: id as EntityId }, time: at as EventNs } as const;
      return (
        orUndefined(() => {
          const { threadIds, childProcessIds } = source.get(key).process_info.info;
          return threadIds.length + childProcessIds.length;
        }) ?? 0
      );
    },
    lineageAt: (id, at) =>
      orUndefined(() => source.getAncestry({ entityId: id as EntityId }, at as EventNs, 1 + 5).length) ?? 0,
    shares: () => ({ encodeShare: encodeMs / feedMs, decodeShare: decodeMs / feedMs }),
  };
}

const IGNORE: FactVisitor = { strings() {}, task() {}, set() {}, exit() {}, gap() {}, evict() {} };

function orUndefined<T>(answer: () => T): T | undefined {
  try {
    return answer();
  } catch (error) {
    // Some entity ids of so many lives are not the only one of their kind.
    if (error instanceof DataNotFoundError || error instanceof AmbiguousTaskError) return undefined;
    throw error;
  }
}

function taskEvent(event: WorkloadEvent): TaskEvent {
  const { kind, tid, pid, parentPid } = event;
  const at = event.at as EventNs;
  switch (kind) {
    case 'fork':
      return { type: 'fork', at, tid, pid, start: at, creatorTid: parentPid, creatorPid: parentPid };
    case 'thread':
      return { type: 'fork', at, tid, pid, start: at, creatorTid: pid, creatorPid: pid, cloneFlags: CLONE.thread };
    case 'exec': {
      const comm = event.path.slice(event.path.lastIndexOf('/') + 1);
      const executable = { path: event.path, device: 2049, inode: String(event.inode), mode: 0o100755 };
      return { type: 'exec', at, pid, oldTid: pid, comm, executable, argv: [event.path] };
    }
    default:
      return { type: 'exit', at, tid, pid, isGroupDead: kind === 'exit', code: 0 };
  }
}

function heapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const ids = new EntityIds({ epochNs: WORKLOAD_EPOCH_NS });
const entityId = (tid: number, start: number) => ids.of(tid, start as EventNs);

function subjectOf(limits: Limits): Subject {
  return what === 'naive' ? naiveSubject(limits) : dendroSubject(limits);
}

/** @returns milliseconds that the subject took to take in all events */
function feedAll(subject: Subject, count: number): number {
  feedMs = 0;
  work = generateWorkload(count, entityId, (events) => {
    const feed = subject.prepare(events);
    const began = performance.now();
    feed();
    feedMs += performance.now() - began;
  });
  return feedMs;
}

let work: Workload = { processes: [], checksum: '', end: 0 };
const random = new Random(0xc0ffee11);
const latencies = new Float64Array(QUERIES);

/** Feeds a tree, asks it, and lets go of it. */
function measure() {
  const subject = subjectOf({ maxProcesses, maxThreads });
  const ms = feedAll(subject, EVENTS);
  const heldBytes = heapBytes();
  const processNs = ask((one, at) => subject.processAt(one.id, at));
  const listsNs = ask((one, at) => subject.listsAt(one.id, at));
  const lineageNs = ask((one, at) => subject.lineageAt(one.id, at));
  let right = 0;
  ask((one, at) => {
    if (isRight(one, at, subject.processAt(one.id, at))) right++;
  });
  return { ms, heldBytes, processNs, listsNs, lineageNs, right: right / QUERIES, ...subject.shares?.() };
}

// A server is warm. Two trees of the same size make it so: the first alone would be what the compiler takes every tree
// for. They are kept, because code that was compiled for a tree goes with it.
const warmedBy = [subjectOf({ maxProcesses, maxThreads }), subjectOf({ maxProcesses, maxThreads })];
const coldMs = feedAll(warmedBy[0] as Subject, EVENTS);
feedAll(warmedBy[1] as Subject, WARM_UP_EVENTS);
globalThis.gc?.();
const { ms, heldBytes, ...answers } = measure();
const retained = Math.min(maxProcesses, work.processes.length);
console.log(
  JSON.stringify({
    eventsPerSecond: (EVENTS / ms) * 1000,
    coldEventsPerSecond: (EVENTS / coldMs) * 1000,
    bytesPerProcess: (heldBytes - heapBytes()) / retained,
    ...answers,
  }),
);

/** @returns median nanoseconds; the time lies within twice the life of the process */
function ask(query: (one: WorkloadProcess, at: number) => void): number {
  // All of these are in memory, with their threads.
  const recent = Math.min(Math.floor(maxProcesses * 0.3), work.processes.length - 1);
  for (let i = 0; i < QUERIES; i++) {
    const one = work.processes[work.processes.length - 1 - random.below(recent)] as WorkloadProcess;
    const end = one.exit < 0 ? work.end : one.exit;
    const at = one.start + Math.floor((random.u32() / 4_294_967_296) * 2 * (end - one.start));
    const began = process.hrtime.bigint();
    query(one, at);
    latencies[i] = Number(process.hrtime.bigint() - began);
  }
  return latencies.toSorted()[QUERIES >> 1] as number;
}

function isRight(one: WorkloadProcess, at: number, answer: Answer | undefined): boolean {
  if (answer === undefined || answer.isAlive !== (one.exit < 0 || at <= one.exit)) return false;
  const runner = runnerAt(one, at);
  if (runner === undefined) return answer.path === undefined;
  return (
    answer.path === WORKLOAD_PATHS[runner.path] && answer.name === answer.path?.slice(answer.path.lastIndexOf('/') + 1)
  );
}

/** The process itself or the nearest ancestor that had run something when the next one was born. */
function runnerAt(one: WorkloadProcess, at: number): WorkloadProcess | undefined {
  if (one.execAt >= 0 && one.execAt <= at) return one;
  return one.parent === 0 ? undefined : runnerAt(work.processes[one.parent] as WorkloadProcess, one.start);
}
