// The process that alone may use BPF: it loads the programs, attaches them,
// gives up every right that it no longer needs, and passes on what lies in the
// ring as it is. It ends with the server: its standard input ends then.
//
// It reads on only when the server has taken what was read before. A server that
// is slow makes the ring fill up, and the kernel counts what no longer fits.

import { readFileSync, readSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { setPriority } from 'node:os';
import { toError } from '@dendro/protocol';
import type { ChildOptions } from './child-process.ts';
import { tellDescendants } from './descendants.ts';
import { type FailedFrame, FRAME, jsonFrame, MAX_RECORD_BYTES, type RecordsFrame, recordsFrame } from './frames.ts';
import { BpfObject, bootNs, dieWithParent, dropCapabilities, LibbpfError } from './libbpf.ts';
import { Ring } from './ring.ts';

const IN_FD = 0;
const OUT_FD = 3;
/** `nobody`, whatever it is called here. */
const NOBODY = 65_534;
const COUNTER_WORDS = 8;
/** As nice(1) has it. */
const PRIORITY = -10;
/** When nothing happens, the server is told so rarely. */
const QUIET_MS = 200;
const STAYS_ROOT =
  'Without CAP_SETUID and CAP_SETGID the process that reads what the kernel tells stays root, without capabilities.';
/** But not at first: what is read of /proc then waits to be told how late it is. */
const TALKATIVE_MS = 3000;

const {
  objectPath,
  ringBytes: wantedBytes,
  pollMs,
  launcherTid,
  tracedPids,
} = JSON.parse(readLine(IN_FD)) as ChildOptions;

try {
  run(BpfObject.open(readFileSync(objectPath), { ringBytes: wantedBytes, launcherTid }));
} catch (thrown) {
  writeSync(OUT_FD, jsonFrame(FRAME.failed, failureOf(thrown)));
  process.exit(1);
}

/** The rest is left there: nothing comes until it ends. */
function readLine(fd: number): string {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.alloc(64 * 1024);
    const bytes = part.subarray(0, readSync(fd, part));
    parts.push(bytes);
    if (bytes.length === 0 || bytes.includes(10)) return Buffer.concat(parts).toString();
  }
}

function run(object: BpfObject): void {
  const { consumer, producer } = object.mapRing();
  const ring = new Ring(consumer.bytes, producer.bytes, object.pageSize, object.ringBytes);
  const counters = new BigUint64Array(object.mapCounters().bytes);
  beFirst();
  const out = new Socket({ fd: OUT_FD, readable: false, writable: true });
  out.on('error', () => process.exit(0)); // the server is gone
  const traced: number[] = [];
  if (tracedPids !== undefined) {
    let untold = 0;
    tellDescendants(tracedPids, (pid) => {
      if (object.track(pid)) traced.push(pid);
      else untold++;
    });
    if (untold > 0) object.notices.push(`There are too many processes: ${untold} of them are not told of.`);
  }
  giveUpRights();
  if (process.geteuid?.() === 0) object.notices.push(STAYS_ROOT);
  const { ringBytes, cpus, notices } = object;
  out.write(jsonFrame(FRAME.ready, { ringBytes, cpus, notices, traced }));

  let through = bootNs();
  let toldAt = 0;
  let hadRecords = true;

  /** Passes on what there is. @returns false when the server has to catch up first */
  const drain = (): boolean => {
    const now = bootNs();
    const end = ring.end;
    for (;;) {
      const records = ring.take(end, MAX_RECORD_BYTES);
      // A record that is still being written is told next time, and so is all behind it.
      const isDone = ring.hasRead(end) || records.length === 0;
      if (isDone && ring.hasRead(end)) through = now;
      // What came last is held back by the server until it is told once more how late it is.
      const aloneMs = performance.now();
      if (records.length > 0 || hadRecords || aloneMs < TALKATIVE_MS || aloneMs - toldAt >= QUIET_MS) {
        hadRecords = records.length > 0;
        toldAt = aloneMs;
        const isTaken = out.write(recordsFrame({ through, at: bootNs(), ...count(counters) }, records));
        if (!isTaken) return false;
      }
      if (isDone) return true;
    }
  };
  let isEnding = false;
  const turn = (): void => {
    if (isEnding) return;
    if (drain()) setTimeout(turn, pollMs);
    else out.once('drain', turn);
  };
  turn();

  process.stdin.on('end', () => {
    isEnding = true;
    object.detach();
    // What was seen until now is told, so that the counts can be compared.
    const rest = (): void => {
      if (drain() && ring.hasRead(ring.end)) out.end(() => process.exit(0));
      else if (out.writableNeedDrain) out.once('drain', rest);
      else setImmediate(rest);
    };
    rest();
  });
  process.stdin.on('error', () => process.exit(0));
  process.stdin.resume();
}

/** What is lost is read before what was seen, which includes it. */
function count(counters: BigUint64Array): Pick<RecordsFrame, 'seen' | 'lost' | 'untracked'> {
  let seen = 0n;
  let lost = 0n;
  let untracked = 0n;
  for (let at = 0; at + COUNTER_WORDS <= counters.length; at += COUNTER_WORDS) {
    lost += Atomics.load(counters, at + 1);
    seen += Atomics.load(counters, at);
    untracked += Atomics.load(counters, at + 2);
  }
  return { seen, lost, untracked };
}

/** What it watches can keep all processors busy; it needs little of one, but in time. */
function beFirst(): void {
  try {
    setPriority(PRIORITY);
  } catch {
    // Without the right to (CAP_SYS_NICE) it takes its turn: what it misses then is counted.
  }
}

/** The user of all threads of this process changes, and with it goes every capability. Without being root there is one thread's to give up. */
function giveUpRights(): void {
  try {
    process.setgroups?.([]);
    process.setgid?.(NOBODY);
    process.setuid?.(NOBODY);
  } catch {
    // Not root, or without the right to change: what this thread has is given up below.
  }
  dropCapabilities();
  dieWithParent();
}

function failureOf(thrown: unknown): FailedFrame {
  if (thrown instanceof LibbpfError) {
    const { step, errno, message, log } = thrown;
    return { step, errno, message, log: log.slice(-8192) };
  }
  return { step: 'child', errno: 0, message: toError(thrown).message, log: '' };
}
