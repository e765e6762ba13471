// Open lives into blocks: whole ones that are complete, parts of those that go on and have much to say, all at once for a keyframe.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { Authority, EventNs, TaskId, TimeBase } from '@dendro/protocol';
import { type EncodedBlock, LivesEncoder } from '../codec/lives-encoder.ts';
import { durationClass } from './duration-class.ts';
import { imagesOf } from './images.ts';
import type { LifeSpans } from './life-spans.ts';

export interface SealedBlock extends EncodedBlock {
  readonly durationClass: number;
  /** Of the tree whose texts are numbered in it. */
  readonly textGeneration: number;
}

/** Something that was told of a task. */
export interface ToldEntry {
  readonly field: number;
  readonly since: EventNs;
  readonly authority: Authority;
  /** A number, or the text. */
  readonly value: number | string;
}

export class LifeSealer {
  readonly #tree: TemporalTree;
  readonly #spans: LifeSpans;
  readonly #encoder: LivesEncoder;
  #sealed: SealedBlock[] = [];

  constructor(tree: TemporalTree, spans: LifeSpans, base: TimeBase) {
    this.#tree = tree;
    this.#spans = spans;
    this.#encoder = new LivesEncoder(base);
  }

  /** Blocks that are complete since the last call. */
  take(): SealedBlock[] {
    const sealed = this.#sealed;
    this.#sealed = [];
    return sealed;
  }

  get isEmpty(): boolean {
    return this.#sealed.length === 0;
  }

  /** Lives of one class, in the order of their ids, go into the block that is being made. */
  add(tasks: readonly TaskIndex[]): void {
    for (const task of tasks) this.#life(task, this.#tree.taskIdOf(task), this.#spans.releaseOf(task));
  }

  /** That block is complete. */
  finish(classIndex: number): void {
    const { textGeneration } = this.#tree;
    this.#sealed.push({ ...this.#encoder.finish(), durationClass: classIndex, textGeneration });
  }

  /**
   * What a busy task has said so far, before the oldest of it is let go of: a block of its own.
   * @param until it reaches to here at least
   */
  part(task: TaskIndex, id: TaskId, until = Number.NEGATIVE_INFINITY): void {
    const spans = this.#spans;
    const from = spans.fromOf(task);
    const told = this.#tree.newestEntryOf(task) ?? Number.NEGATIVE_INFINITY;
    const to = Math.max(until, told, from) as EventNs;
    spans.reachedThrough(task);
    this.#life(task, id, to);
    this.finish(durationClass(from, to));
    spans.beginPart(task, to);
    // Should it have ended before: what says so has to be read with the part.
    spans.extend(task, to);
  }

  /** What is told so late of a busy task that so many newer ones are kept here: a block of its own, for all of its life. */
  lateEntry(task: TaskIndex, id: TaskId, { field, since, authority, value }: ToldEntry, newest: EventNs): void {
    const tree = this.#tree;
    const encoder = this.#encoder;
    const [start, to] = [tree.startOf(task), Math.max(newest, this.#spans.fromOf(task)) as EventNs];
    encoder.begin(id, start, to, true);
    tree.writeTaskFacts(task, encoder);
    const known = typeof value === 'string' ? encoder.numberedText(tree.intern(value), value) : value;
    encoder.set(id, field, since, authority, known);
    this.finish(durationClass(start, to));
    this.#spans.extend(task, to);
  }

  /** All that is open, as one block: for a start that does not read all batches again. */
  keyframe(): EncodedBlock {
    const tree = this.#tree;
    const ids = new Float64Array(tree.taskCount);
    for (let slot = 0, count = 0; slot < tree.slotCount; slot++) {
      if (tree.isPresent(slot as TaskIndex)) ids[count++] = tree.taskIdOf(slot as TaskIndex);
    }
    ids.sort();
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as TaskId;
      const task = tree.indexOf(id);
      const release = Math.max(this.#spans.releaseOf(task), tree.startOf(task)) as EventNs;
      this.#encoder.begin(id, this.#spans.fromOf(task), release, this.#spans.isPart(task), true);
      tree.writeFacts(task, this.#encoder);
    }
    return this.#encoder.finish();
  }

  #life(task: TaskIndex, id: TaskId, to: EventNs): void {
    const tree = this.#tree;
    this.#encoder.begin(id, this.#spans.fromOf(task), to, this.#spans.isPart(task));
    tree.writeFacts(task, this.#encoder);
    if (tree.isThread(task)) return;
    for (const image of imagesOf(tree, task)) this.#encoder.image(image, tree);
  }
}
