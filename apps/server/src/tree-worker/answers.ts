// Questions from outside, answered from the tree as JSON. Times are epoch
// nanoseconds in decimal, what is not known is null.

import {
  AmbiguousTaskError,
  DataNotFoundError,
  ProcessTreeDataSource,
  processJson,
  type ResolvingTree,
  type TaskRef,
  threadJson,
} from '@dendro/engine';
import {
  DendroError,
  type EntityId,
  type EventNs,
  epochOf,
  eventTimeOf,
  formatRfc3339Ns,
  isTid,
  type TaskId,
  type TimeBase,
} from '@dendro/protocol';
import { exportTree } from '../export/tree-export.ts';
import type { TreeQuestion } from './messages.ts';
import { epochTimeFrom } from './time-text.ts';
import { type Lack, type TreeAnswer, treeAnswer } from './tree-json.ts';
import { treeText } from './tree-text.ts';

/** A tree that can be asked: the live one, or one of the past. */
export interface AskedTree {
  readonly host: ResolvingTree;
  readonly version: number;
  /** Of the host, in addresses. */
  readonly id: string;
  readonly base: TimeBase;
  readonly now: EventNs;
  reaches(epochNs: bigint): boolean;
  lacks(at: EventNs, withExited: boolean): readonly Lack[];
}

/** @throws DendroError what is wrong with the question */
export function answerJson(tree: AskedTree, question: TreeQuestion): string {
  switch (question.kind) {
    case 'tree':
      return JSON.stringify(treeOf(tree, question));
    case 'export': {
      const answer = treeOf(tree, question);
      const at = eventTimeOf(tree.base, BigInt(answer.at));
      const { format, dendro, withExited } = question;
      return exportTree(format, { tree: tree.host.tree, at, answer, dendro, withExited });
    }
    case 'text':
      // A terminal is shown no times, so one that is too far away to be exact does no harm.
      return treeText(tree.host.tree, eventTimeOf(tree.base, parsedTime(tree, question.at)));
    default:
      return JSON.stringify(aboutTask(tree, question));
  }
}

function treeOf(tree: AskedTree, { at, withExited }: Extract<TreeQuestion, { withExited: boolean }>): TreeAnswer {
  const { host, base, id, version } = tree;
  const epochNs = epochTimeOf(tree, at);
  const lacks = tree.lacks(eventTimeOf(base, epochNs), withExited);
  return treeAnswer({ tree: host.tree, version }, { host: id, base, epochNs, withExited, lacks });
}

function aboutTask(tree: AskedTree, question: Exclude<TreeQuestion, { kind: 'tree' | 'text' | 'export' }>): object {
  const { base } = tree;
  const time = eventTimeOf(base, epochTimeOf(tree, question.at));
  const task = taskRef(question.id);
  const source = new ProcessTreeDataSource(tree.host);
  try {
    switch (question.kind) {
      case 'process':
        return processJson(base, source.get({ kind: 'ProcKey', task, time }).process_info);
      case 'thread':
        return threadJson(base, source.get({ kind: 'ThreadKey', task, time }).thread_info);
      case 'lineage': {
        const { process_lineage } = source.get({ kind: 'LineageKey', task, time, maxDepth: question.depth });
        const { ancestors, end } = process_lineage.info;
        return {
          timestamp: String(epochOf(base, process_lineage.timestamp)),
          lineage: ancestors.map((ancestor) => processJson(base, ancestor)),
          returned: ancestors.length,
          end,
        };
      }
    }
  } catch (thrown) {
    if (thrown instanceof DataNotFoundError) throw new DendroError('DENDRO_TASK_UNKNOWN');
    if (!(thrown instanceof AmbiguousTaskError)) throw thrown;
    throw new DendroError('DENDRO_TASK_AMBIGUOUS', undefined, { details: { candidates: thrown.candidates } });
  }
}

/** A time that the tree can be asked about. @throws DendroError DENDRO_TIME_INVALID, DENDRO_TIME_OUT_OF_RANGE */
export function epochTimeOf(tree: AskedTree, text: string): bigint {
  const epochNs = parsedTime(tree, text);
  if (tree.reaches(epochNs)) return epochNs;
  throw outOfRange(tree.base);
}

export function outOfRange({ epochNs }: TimeBase): DendroError {
  return new DendroError(
    'DENDRO_TIME_OUT_OF_RANGE',
    `The tree can be asked about times up to 104 days from ${formatRfc3339Ns(epochNs)}.`,
  );
}

/** Relative times count from the host's now. @throws DendroError DENDRO_TIME_INVALID */
export function parsedTime({ base, now }: AskedTree, text: string): bigint {
  return epochTimeFrom(text, epochOf(base, now));
}

/** `17`, `e:3121682638`, `pid:4242`. @throws DendroError DENDRO_TASK_ID_INVALID */
export function taskRef(text: string): TaskRef {
  const [, kind = '', digits = ''] = /^(e:|pid:)?(\d{1,15})$/.exec(text) ?? [];
  const number = Number(digits);
  if (digits !== '') {
    if (kind === '' && number > 0) return { taskId: number as TaskId };
    if (kind === 'e:' && number <= 0xffff_ffff) return { entityId: number as EntityId };
    if (kind === 'pid:' && isTid(number)) return { pid: number };
  }
  throw new DendroError('DENDRO_TASK_ID_INVALID');
}
