// The engine workload: a seeded stream of births, programs, threads and ends
// from a thousand processes that live at a time. The same stream as other
// implementations were measured with, which its checksum proves.

/** Processes that live at a time. */
const LIVE = 1000;
/** Epoch nanoseconds of time 0 in the stream: a multiple of 100 ms. */
export const WORKLOAD_EPOCH_NS = 1_700_000_000_000_000_000n;
const DIRECTORIES = ['/usr/bin/', '/usr/sbin/', '/usr/local/bin/', '/opt/app/bin/', '/usr/lib/node_modules/.bin/'];
/** Programs of the workload: the number that is mixed into the checksum is the place in this list. */
export const WORKLOAD_PATHS: readonly string[] = Array.from(
  { length: 300 },
  (_, i) => `${DIRECTORIES[i % 5]}cmd-${String(i).padStart(4, '0')}`,
);
const MAX_TID = 4_194_304;

export type WorkloadKind = 'fork' | 'exec' | 'thread' | 'thread-exit' | 'exit';
const KIND_NUMBER: Readonly<Record<WorkloadKind, number>> = { fork: 0, exec: 1, thread: 2, 'thread-exit': 3, exit: 4 };

/** One event; times are nanoseconds since the workload's epoch, ids are Tracee's entity ids. */
export interface WorkloadEvent {
  readonly kind: WorkloadKind;
  readonly at: number;
  /** The task that begins, runs something or ends. */
  readonly tid: number;
  readonly id: number;
  readonly start: number;
  readonly pid: number;
  readonly leaderId: number;
  readonly leaderStart: number;
  readonly parentPid: number;
  readonly parentId: number;
  readonly parentStart: number;
  /** Program of an exec, else empty. */
  readonly path: string;
  readonly inode: number;
}

export interface WorkloadProcess {
  readonly id: number;
  readonly pid: number;
  readonly start: number;
  exit: number;
  firstThreadId: number;
  path: number;
  execAt: number;
  readonly parent: number;
}

export interface Workload {
  /** Every process that ever lived, in order of birth; the first is init. */
  readonly processes: readonly WorkloadProcess[];
  readonly checksum: string;
  readonly end: number;
}

/** xorshift32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  u32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** In [0, 1). */
  next(): number {
    return this.u32() / 4_294_967_296;
  }

  below(n: number): number {
    return Math.floor((this.u32() * n) / 4_294_967_296);
  }

  /** Below n, small ones more often. */
  skewed(n: number): number {
    return Math.floor(this.next() * this.next() * n);
  }

  /** Between two lengths, each order of magnitude as often. */
  logUniform(least: number, most: number): number {
    return Math.round(least * (most / least) ** this.next());
  }
}

interface Slot {
  stage: number;
  process: number;
  threads: [{ tid: number; start: number; id: number }, { tid: number; start: number; id: number }];
}

/**
 * @param entityId of (tid, start)
 * @param take is called with the events in chunks, in order of time
 */
export function generateWorkload(
  count: number,
  entityId: (tid: number, start: number) => number,
  take: (events: readonly WorkloadEvent[]) => void,
  chunkSize = 8192,
): Workload {
  const processes: WorkloadProcess[] = [
    { id: entityId(1, 0), pid: 1, start: 0, exit: -1, firstThreadId: 0, path: 0, execAt: -1, parent: 0 },
  ];
  const noThread = { tid: 0, start: 0, id: 0 };
  const slots: Slot[] = Array.from({ length: LIVE }, () => ({ stage: 0, process: 0, threads: [noThread, noThread] }));
  const random = new Random(0x9e3779b9);
  let now = 0;
  let nextTid = 2;
  let sum = 2_166_136_261;
  let chunk: WorkloadEvent[] = [];
  const giveTid = (): number => {
    const tid = nextTid++;
    if (nextTid > MAX_TID) nextTid = 300;
    return tid;
  };
  const mix = (word: number): void => {
    sum = Math.imul(sum ^ word, 16_777_619);
  };

  for (let i = 0; i < count; i++) {
    now += 1000 + random.below(20_000);
    const slot = slots[random.below(LIVE)] as Slot;
    let kind: WorkloadKind = 'fork';
    let path = 0;
    let task = noThread;
    if (slot.stage === 0) {
      const parent = livingParent(slots, random);
      const pid = giveTid();
      task = { tid: pid, start: now, id: entityId(pid, now) };
      slot.process = processes.length;
      const inherited = (processes[parent] as WorkloadProcess).path;
      processes.push({ id: task.id, pid, start: now, exit: -1, firstThreadId: 0, path: inherited, execAt: -1, parent });
      slot.stage = 1;
    } else {
      const process = processes[slot.process] as WorkloadProcess;
      task = { tid: process.pid, start: process.start, id: process.id };
      switch (slot.stage) {
        case 1:
          kind = 'exec';
          path = random.below(WORKLOAD_PATHS.length);
          process.path = path;
          process.execAt = now;
          break;
        case 2:
        case 3: {
          kind = 'thread';
          const tid = giveTid();
          task = { tid, start: now, id: entityId(tid, now) };
          slot.threads[slot.stage - 2] = task;
          if (slot.stage === 2) process.firstThreadId = task.id;
          break;
        }
        case 4:
        case 5:
          kind = 'thread-exit';
          task = slot.threads[slot.stage - 4] as typeof task;
          break;
        default:
          kind = 'exit';
          process.exit = now;
          slot.stage = -1;
      }
      slot.stage++;
    }
    const leader = processes[slot.process] as WorkloadProcess;
    const parent = processes[leader.parent] as WorkloadProcess;
    chunk.push({
      kind,
      at: now,
      tid: task.tid,
      id: task.id,
      start: task.start,
      pid: leader.pid,
      leaderId: leader.id,
      leaderStart: leader.start,
      parentPid: parent.pid,
      parentId: parent.id,
      parentStart: parent.start,
      path: kind === 'exec' ? (WORKLOAD_PATHS[path] as string) : '',
      inode: kind === 'exec' ? 100_000 + path : 0,
    });
    for (const word of [KIND_NUMBER[kind], task.id, parent.id, leader.id, now >>> 0, task.tid, path]) mix(word);
    if (chunk.length === chunkSize || i === count - 1) {
      take(chunk);
      chunk = [];
    }
  }
  return { processes, checksum: (sum >>> 0).toString(16).padStart(8, '0'), end: now };
}

/** The process of a slot in use, looked for eight times; else init. */
function livingParent(slots: readonly Slot[], random: Random): number {
  for (let tried = 0; tried < 8; tried++) {
    const slot = slots[random.below(LIVE)] as Slot;
    if (slot.stage > 0) return slot.process;
  }
  return 0;
}
