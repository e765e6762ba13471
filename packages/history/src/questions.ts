// Questions that a history answers from another thread, and their answers: data that can be handed over.
// Answers about trees are batches, which the tree of whoever asked takes in.

import {
  type DifferenceOptions,
  NO_TASK,
  type TaskIndex,
  type TaskRef,
  type TemporalTree,
  type TreeDifference,
} from '@dendro/engine';
import { BatchWriter, type EventNs, epochOf, type TaskId } from '@dendro/protocol';
import type { ClockReading, FoundLives, Histogram, History, HistoryGap, HistoryState, LifeQuery } from './history.ts';

const CHUNK_TASKS = 2000;

export type Question =
  /** Everyone who mattered at some time in between; one instant, where the two are the same. */
  | { readonly kind: 'window'; readonly fromEpochNs: bigint; readonly toEpochNs: bigint }
  | {
      readonly kind: 'task';
      readonly ref: TaskRef;
      readonly epochNs: bigint;
    }
  | {
      readonly kind: 'difference';
      readonly firstEpochNs: bigint;
      readonly secondEpochNs: bigint;
      readonly options: DifferenceOptions;
    }
  | { readonly kind: 'search'; readonly query: LifeQuery }
  /** Of each life, who started it, who started that, and so on. */
  | { readonly kind: 'ancestors'; readonly lives: readonly KnownLife[]; readonly depth: number }
  | { readonly kind: 'histogram'; readonly fromEpochNs: bigint; readonly toEpochNs: bigint; readonly buckets: number }
  | { readonly kind: 'gaps'; readonly fromEpochNs: bigint; readonly toEpochNs: bigint }
  | { readonly kind: 'clock' }
  /** The instants at which the wall clock said this. */
  | { readonly kind: 'instants'; readonly wallNs: bigint }
  | { readonly kind: 'state' };

/** Facts about tasks, processes before threads: what a replica, or a tree of the engine, takes in. */
export interface FactsAnswer {
  readonly baseEpochNs: bigint;
  readonly at: EventNs;
  /** The task that was asked for; undefined where none was known then. */
  readonly taskId: TaskId | undefined;
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
}

/** First instant about which it knows all: see `TreeWindow`. */
export interface WindowAnswer extends FactsAnswer {
  readonly fromEpochNs: bigint;
}

export interface KnownLife {
  readonly taskId: TaskId;
  /** First instant of it that can be asked about. */
  readonly knownFromEpochNs: bigint;
}

/** As it was when it started the one below it. */
export interface Ancestor {
  readonly taskId: TaskId;
  readonly startEpochNs: bigint;
  readonly pid: number;
  readonly comm: string | undefined;
}

export interface QuestionAnswers {
  readonly window: WindowAnswer;
  readonly task: FactsAnswer;
  readonly difference: TreeDifference;
  readonly search: FoundLives;
  /** The nearest first; in the order of the lives that were asked about. */
  readonly ancestors: readonly (readonly Ancestor[])[];
  readonly histogram: Histogram;
  readonly gaps: readonly HistoryGap[];
  readonly clock: readonly ClockReading[];
  readonly instants: readonly bigint[];
  readonly state: HistoryState;
}

/** @throws DendroError DENDRO_HISTORY_TOO_OLD, DENDRO_TASK_AMBIGUOUS */
export function answerQuestion(history: History, question: Question): QuestionAnswers[Question['kind']] {
  switch (question.kind) {
    case 'window': {
      const { tree, base, from, at } = history.window(question.fromEpochNs, question.toEpochNs);
      const fromEpochNs = epochOf(base, from);
      return { baseEpochNs: base.epochNs, fromEpochNs, at, taskId: undefined, chunks: chunksOf(tree) };
    }
    case 'task': {
      const { tree, base, at, taskId } = history.taskAsOf(question.ref, question.epochNs);
      return { baseEpochNs: base.epochNs, at, taskId, chunks: taskId === undefined ? [] : chunksOf(tree) };
    }
    case 'difference':
      return history.difference(question.firstEpochNs, question.secondEpochNs, question.options);
    case 'search':
      return history.search(question.query);
    case 'ancestors':
      return question.lives.map((life) => ancestorsOf(history, life, question.depth));
    case 'histogram':
      return history.histogram(question.fromEpochNs, question.toEpochNs, question.buckets);
    case 'gaps':
      return history.gaps(question.fromEpochNs, question.toEpochNs);
    case 'clock':
      return history.clock();
    case 'instants':
      return history.instantsAtWall(question.wallNs);
    case 'state':
      return history.state;
  }
}

function ancestorsOf(history: History, { taskId, knownFromEpochNs }: KnownLife, depth: number): Ancestor[] {
  const { tree, base } = history.taskAsOf({ taskId }, knownFromEpochNs);
  const ancestors: Ancestor[] = [];
  const seen = new Set<TaskIndex>();
  for (let task = tree.indexOf(taskId); ancestors.length < depth && task !== NO_TASK && !seen.has(task); ) {
    seen.add(task);
    const start = tree.startOf(task);
    const parent = tree.parentAt(task, start);
    if (parent === NO_TASK || !tree.isPresent(parent)) break;
    ancestors.push({
      taskId: tree.taskIdOf(parent),
      pid: tree.pidOf(parent),
      comm: tree.textAt(parent, 'comm', start),
      startEpochNs: epochOf(base, tree.startOf(parent)),
    });
    task = parent;
  }
  return ancestors;
}

/** A tree as batches. Processes come before threads: a tree takes no thread whose process it does not know. */
export function chunksOf(tree: TemporalTree, tasks = presentIn(tree)): Uint8Array<ArrayBuffer>[] {
  const processes = tasks.filter((task) => !tree.isThread(task));
  const threads = tasks.filter((task) => tree.isThread(task));
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const writer = new BatchWriter();
  for (const task of [...processes, ...threads]) {
    tree.writeFacts(task, writer);
    if (writer.taskCount >= CHUNK_TASKS) chunks.push(writer.finish());
  }
  if (writer.count > 0) chunks.push(writer.finish());
  return chunks;
}

function presentIn(tree: TemporalTree): TaskIndex[] {
  const tasks: TaskIndex[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    if (tree.isPresent(slot as TaskIndex)) tasks.push(slot as TaskIndex);
  }
  return tasks;
}
