// How many processes started and ended in each stretch of a window of time.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';

export interface Histogram {
  /** Where the first bucket begins: a multiple of their width, so that bars do not change as time goes on. */
  readonly from: EventNs;
  readonly bucketNs: number;
  readonly births: Uint32Array;
  readonly exits: Uint32Array;
  /** Matches of detectors; undefined where nobody has told of any. */
  readonly findings?: Uint32Array | undefined;
  /** Births or exits, in one bucket. */
  readonly most: number;
}

/** One pass over all tasks; threads are not counted. */
export function histogramOf(tree: TemporalTree, from: EventNs, to: EventNs, bucketNs: number): Histogram {
  const first = Math.floor(from / bucketNs) * bucketNs;
  const buckets = Math.max(1, Math.ceil((to - first) / bucketNs));
  const births = new Uint32Array(buckets);
  const exits = new Uint32Array(buckets);
  let most = 0;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || tree.isThread(task)) continue;
    most = Math.max(most, add(births, tree.startOf(task)), add(exits, tree.exitOf(task)));
  }
  return { from: first as EventNs, bucketNs, births, exits, most };

  function add(counts: Uint32Array, at: EventNs): number {
    const bucket = Math.floor((at - first) / bucketNs);
    if (!(bucket >= 0 && bucket < buckets)) return 0;
    counts[bucket] = (counts[bucket] as number) + 1;
    return counts[bucket] as number;
  }
}

/** Counts of `past` up to an instant, and of `present` from then on; both have buckets of one width, or `present` is taken. */
export function joined(past: Histogram, present: Histogram, from: EventNs): Histogram {
  if (past.bucketNs !== present.bucketNs) return present;
  const births = Uint32Array.from(present.births);
  const exits = Uint32Array.from(present.exits);
  const offset = Math.round((present.from - past.from) / present.bucketNs);
  // Of these only the server knows, of now as well.
  const findings = past.findings && births.map((_, bucket) => past.findings?.[bucket + offset] ?? 0);
  for (let bucket = 0; bucket < births.length; bucket++) {
    if (present.from + bucket * present.bucketNs >= from) break;
    births[bucket] = past.births[bucket + offset] ?? 0;
    exits[bucket] = past.exits[bucket + offset] ?? 0;
  }
  let most = 0;
  for (const counts of [births, exits]) for (const count of counts) most = Math.max(most, count);
  return { ...present, births, exits, findings, most };
}

/** What can happen to a process that a person may want to step to. */
export type ChangeKind = 'birth' | 'exec' | 'exit';

/**
 * The next instant, or with `step` -1 the one before, at which a process started, called exec or ended; undefined when
 * there is none.
 * @param isShown is this of a process that can be seen then?
 */
export function changeBeside(
  tree: TemporalTree,
  at: EventNs,
  step: 1 | -1,
  isShown: (task: TaskIndex, kind: ChangeKind, time: EventNs) => boolean,
): EventNs | undefined {
  let best = (step * Number.POSITIVE_INFINITY) as EventNs;
  const look = (task: TaskIndex, kind: ChangeKind, time: EventNs | undefined): void => {
    if (time === undefined || !Number.isFinite(time)) return;
    const isNearer = step > 0 ? time > at && time < best : time < at && time > best;
    if (isNearer && isShown(task, kind, time)) best = time;
  };
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || tree.isThread(task)) continue;
    look(task, 'birth', tree.startOf(task));
    look(task, 'exec', step > 0 ? tree.nextExecAfter(task, at) : tree.execTimeAt(task, (at - 1) as EventNs));
    look(task, 'exit', tree.exitOf(task));
  }
  return Number.isFinite(best) ? best : undefined;
}
