// The tree as of an instant of the past, made of what a history has found.

import { DataNotFoundError, NO_TASK, type TaskIndex, type TaskRef, TemporalTree } from '@dendro/engine';
import type { GapReason, HistoryGap } from '@dendro/history';
import { type EventNs, epochOf, type TimeBase } from '@dendro/protocol';
import type { AskedTree } from '../tree-worker/answers.ts';
import { gapLack, type Lack, LOST } from '../tree-worker/tree-json.ts';
import type { PastQuestion } from './past-answers.ts';

/** More than a busy task has: what a history gives is not to be trimmed again. */
const ENTRIES_PER_FIELD = 1 << 20;
const WITHOUT_EXITED =
  'Of those that had ended by then only those are listed through whom others are known: a search finds the rest.';
/** Why something of an instant may be missing. */
export const WHY: Readonly<Record<GapReason, string>> = {
  source: LOST,
  stopped: 'Dendro did not run then: what is known is from before and after.',
  killed: 'Dendro was killed before then, and had not been started again: what is known is from before and after.',
  disk: 'Nothing could be recorded then, because the disk could not be written.',
  overload: 'Not everything of that time could be recorded: it was too much.',
  damaged: 'A part of the history of that time is damaged.',
};

export class PastTree implements AskedTree {
  readonly host: AskedTree['host'];
  readonly id: string;
  readonly version: number;
  readonly base: TimeBase;
  readonly now: EventNs;
  readonly #gaps: readonly HistoryGap[];

  constructor({ host: { id, version }, facts, gaps }: Omit<PastQuestion, 'question'>) {
    const [first] = facts;
    if (first === undefined) throw new Error('an answer is made of facts');
    const tree = new TemporalTree({ entriesPerField: ENTRIES_PER_FIELD });
    for (const { chunks } of facts) for (const chunk of chunks) tree.apply(chunk);
    this.host = { tree, resolve: (ref, time) => resolve(tree, ref, time) };
    this.id = id;
    this.version = version;
    this.base = { epochNs: first.baseEpochNs };
    this.now = first.at;
    this.#gaps = gaps;
  }

  reaches(): boolean {
    return true;
  }

  lacks(at: EventNs, withExited: boolean): readonly Lack[] {
    const atNs = epochOf(this.base, at);
    return [
      ...(withExited ? [{ why: 'exited', sentence: WITHOUT_EXITED, nearestNs: undefined } as const] : []),
      ...this.#gaps.map(({ why, fromEpochNs, toEpochNs }) => gapLack(why, WHY[why], [fromEpochNs, toEpochNs], atNs)),
    ];
  }
}

/** The history has looked up who is meant. */
function resolve(tree: TemporalTree, ref: TaskRef, time: EventNs): TaskIndex {
  const task = 'taskId' in ref ? tree.indexOf(ref.taskId) : NO_TASK;
  if (task === NO_TASK || !tree.isPresent(task) || tree.startOf(task) > time) throw new DataNotFoundError();
  return task;
}
