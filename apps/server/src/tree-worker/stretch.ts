// What the tree in memory knows of a stretch of time, where there is no history of the host: how many processes
// began, ran something and ended in each part of it, and of which parts something is missing.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { AUTHORITY, type EventNs, epochOf, eventTimeOf, type TimeBase } from '@dendro/protocol';
import type { HostTree } from './host-tree.ts';
import type { Question } from './messages.ts';

export interface StretchCounts {
  readonly firstNs: string;
  readonly bucketNs: string;
  readonly births: readonly number[];
  readonly execs: readonly number[];
  readonly exits: readonly number[];
}

export interface StretchGap {
  readonly from: string;
  readonly to: string;
  readonly lost: number;
  readonly why: string;
}

export interface MemoryStretch {
  readonly counts?: StretchCounts | undefined;
  readonly gaps: readonly StretchGap[];
  /** From when to when memory reaches; null before anything is known. */
  readonly oldest: string | null;
  readonly newest: string | null;
}

const SECOND_NS = 1_000_000_000n;

export function answerOfStretch(tree: HostTree, question: Extract<Question, { fromEpochNs: bigint }>): MemoryStretch {
  const { base, host, now } = tree;
  const { fromEpochNs, toEpochNs } = question;
  const isEmpty = !Number.isFinite(host.newest);
  const oldest = Math.max(oldestIn(host.tree), tree.wholeSince);
  return {
    ...(question.kind === 'counts' ? { counts: countsOf(host.tree, base, question) } : {}),
    gaps: host.tree
      .gaps()
      .filter(({ from, to }) => to >= eventTimeOf(base, fromEpochNs) && from <= eventTimeOf(base, toEpochNs))
      .map(({ from, to, lost }) => {
        return { from: String(epochOf(base, from)), to: String(epochOf(base, to)), lost, why: 'source' };
      }),
    oldest: isEmpty || !Number.isFinite(oldest) ? null : String(epochOf(base, oldest as EventNs)),
    newest: isEmpty ? null : String(epochOf(base, now)),
  };
}

/** Whole seconds, at whole multiples of their length, as a history counts. */
function countsOf(
  tree: TemporalTree,
  base: TimeBase,
  { fromEpochNs, toEpochNs, buckets }: Extract<Question, { kind: 'counts' }>,
): StretchCounts {
  const span = Number((toEpochNs - fromEpochNs) / SECOND_NS) + 1;
  const width = Math.max(1, Math.ceil(span / buckets));
  const first = Math.floor(Number(fromEpochNs / SECOND_NS) / width) * width;
  const count = Math.floor((Number(toEpochNs / SECOND_NS) - first) / width) + 1;
  const [births, execs, exits] = [0, 1, 2].map(() => new Array<number>(count).fill(0)) as [
    number[],
    number[],
    number[],
  ];
  const add = (counts: number[], at: EventNs) => {
    const bucket = Math.floor((Number(epochOf(base, at) / SECOND_NS) - first) / width);
    if (bucket >= 0 && bucket < count) (counts[bucket] as number) += 1;
  };
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || tree.isThread(task)) continue;
    if (!tree.isPlaceholder(task)) add(births, tree.startOf(task));
    for (const { since, authority } of tree.changelogOf(task, 'argv')) {
      if (authority !== AUTHORITY.sighting) add(execs, since);
    }
    if (tree.isExitSaid(task)) add(exits, tree.exitOf(task));
  }
  return {
    firstNs: String(BigInt(first) * SECOND_NS),
    bucketNs: String(BigInt(width) * SECOND_NS),
    births,
    execs,
    exits,
  };
}

function oldestIn(tree: TemporalTree): number {
  let oldest = Number.POSITIVE_INFINITY;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    if (tree.isPresent(slot as TaskIndex)) oldest = Math.min(oldest, tree.startOf(slot as TaskIndex));
  }
  return oldest;
}
