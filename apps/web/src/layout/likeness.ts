// Which tasks run the same program under the same name as the same user. To read
// that of a hundred thousand tasks with each frame would cost more than to lay
// them out: of a large tree a part is read anew with each frame, and the rest is
// remembered, so that a change is seen some frames late.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';

/** So many are read with each frame at least. */
const READ_AT_ONCE = 5000;
/** Nothing is remembered longer than for so many frames. */
const MOST_FRAMES = 16;
/** Time that jumps, or goes back, leads to other values. */
const JUMP_NS = 2e9;
const MOST_NUMBERS = 200_000;

export class Likenesses {
  readonly #numbers = new Map<string, number>();
  #tree: TemporalTree | undefined;
  #at = Number.NEGATIVE_INFINITY;
  #frame = 0;
  #ids = new Float64Array(0); // TaskIndex -> TaskId that `likes` is of, 0 without one
  #likes = new Int32Array(0); // TaskIndex -> likeness

  /** @param count of the tasks that are asked for with each frame */
  at(tree: TemporalTree, at: EventNs, count: number): (task: TaskIndex) => number {
    const isOther =
      tree !== this.#tree || at < this.#at || at > this.#at + JUMP_NS || this.#numbers.size > MOST_NUMBERS;
    if (isOther) {
      this.#numbers.clear();
      this.#ids.fill(0);
    }
    this.#tree = tree;
    this.#at = at;
    if (this.#ids.length < tree.slotCount) this.#grow(2 * tree.slotCount);
    const frames = Math.min(MOST_FRAMES, Math.max(1, Math.ceil(count / READ_AT_ONCE)));
    const turn = this.#frame++ % frames;
    const [ids, likes] = [this.#ids, this.#likes];
    // hot: runs once per task that has siblings, with each frame
    return (task) => {
      const id = tree.taskIdOf(task);
      if (ids[task] === id && task % frames !== turn) return likes[task] as number;
      ids[task] = id as TaskId;
      const like = this.#read(tree, task, at);
      likes[task] = like;
      return like;
    };
  }

  /** -1 where there is no name. */
  #read(tree: TemporalTree, task: TaskIndex, at: EventNs): number {
    const comm = tree.textAt(task, 'comm', at);
    if (comm === undefined) return -1;
    const key = `${tree.numberAt(task, 'uid', at) ?? ''}\0${comm}\0${tree.executablePathAt(task, at) ?? ''}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(key, number);
    }
    return number;
  }

  #grow(slots: number): void {
    const [ids, likes] = [new Float64Array(slots), new Int32Array(slots)];
    ids.set(this.#ids);
    likes.set(this.#likes);
    this.#ids = ids;
    this.#likes = likes;
  }
}
