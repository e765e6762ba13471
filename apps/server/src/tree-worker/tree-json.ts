// The tree as of an instant as JSON: a flat list with parent ids, because a
// fork chain can be deeper than any nested JSON may be.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { type TaskRecord, taskRecord } from '@dendro/export';
import type { GapReason } from '@dendro/history';
import { eventTimeOf, type TimeBase } from '@dendro/protocol';

export interface TreeJsonOptions {
  /** Id of the host. */
  readonly host: string;
  readonly base: TimeBase;
  /** The instant. */
  readonly epochNs: bigint;
  /** Also tasks that had ended by then. */
  readonly withExited: boolean;
  readonly lacks: readonly Lack[];
}

/** Why some of an instant may be missing. */
export interface Lack {
  /** A gap of the history (`GapReason`), what a source has lost, or what is left out or gone from memory. */
  readonly why: GapReason | 'before' | 'evicted' | 'exited';
  /** For people. */
  readonly sentence: string;
  /** The nearest instant, in epoch nanoseconds, for which that does not hold; undefined where there is none, or nobody can tell. */
  readonly nearestNs: bigint | undefined;
}

export const EVICTED =
  'Tasks of that time have left memory to make room: total counts those that are known of. --max-processes and --max-threads keep more.';

export const LOST = 'Events of that time were lost.';

/** A tree, and the version of it that is answered from. */
export interface VersionedTree {
  readonly tree: TemporalTree;
  readonly version: number;
}

export interface TreeAnswer {
  readonly host: string;
  readonly at: string;
  readonly version: number;
  readonly tasks: readonly TaskRecord[];
  readonly returned: number;
  readonly total: number;
  readonly reason: string | null;
  readonly lacks: readonly { readonly why: string; readonly nearest: string | null }[];
}

/** Of a gap that holds an instant. */
export function gapLack(
  why: GapReason,
  sentence: string,
  [fromNs, toNs]: readonly [bigint, bigint],
  atNs: bigint,
): Lack {
  return { why, sentence, nearestNs: atNs - fromNs <= toNs - atNs ? fromNs - 1n : toNs + 1n };
}

export function treeAnswer({ tree, version }: VersionedTree, options: TreeJsonOptions): TreeAnswer {
  const { host, base, epochNs, withExited } = options;
  const at = eventTimeOf(base, epochNs);
  const tasks: TaskRecord[] = [];
  let evicted = 0;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    const isPresent = tree.isPresent(task);
    if ((!isPresent && !tree.isStub(task)) || tree.startOf(task) > at) continue;
    if (!withExited && !tree.isAliveAt(task, at)) continue;
    if (isPresent) tasks.push(taskRecord(tree, base, task, at));
    else evicted++;
  }
  const lacks = [...options.lacks];
  if (evicted > 0 && !lacks.some(({ why }) => why === 'evicted')) {
    lacks.push({ why: 'evicted', sentence: EVICTED, nearestNs: undefined });
  }
  return {
    host,
    at: String(epochNs),
    version,
    tasks,
    returned: tasks.length,
    total: tasks.length + evicted,
    reason: [...new Set(lacks.map(({ sentence }) => sentence))].join(' ') || null,
    lacks: lacks.map(({ why, nearestNs }) => ({ why, nearest: nearestNs === undefined ? null : String(nearestNs) })),
  };
}
