// Which tasks run the same program under the same name as the same user.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { type EventNs, pathOfWireFile } from '@dendro/protocol';
import type { TaskColumn, TaskColumns } from './task-columns.ts';
import { taskState } from './task-state.ts';

const MOST_NUMBERS = 200_000;
const NOBODY = -1;
// Three numbers in one that is exact: texts and pairs below 2^26 each, and of users 2^32 and nobody.
const AFTER_TEXT = 2 ** 26;
const AFTER_USER = 2 ** 33;

export class Likenesses implements TaskColumn {
  /** TaskIndex -> the same number for who is alike; -1 for threads, who has no name, and who failed: that is to be seen. */
  likes = new Int32Array(0);
  readonly #tree: TemporalTree;
  readonly #pathNumbers = new Map<string, number>();
  readonly #pathNumberOfText = new Map<number, number>();
  readonly #pairs = new Map<number, number>(); // name and path -> number
  readonly #numbers = new Map<number, number>(); // pair and user -> likeness

  constructor(tree: TemporalTree) {
    this.#tree = tree;
  }

  static of(columns: TaskColumns): Likenesses {
    return columns.column('likeness', (tree) => new Likenesses(tree));
  }

  get isFull(): boolean {
    return this.#numbers.size > MOST_NUMBERS;
  }

  reserve(slots: number): void {
    const likes = new Int32Array(slots);
    likes.set(this.likes);
    this.likes = likes;
  }

  read(task: TaskIndex, at: EventNs): void {
    this.likes[task] = this.#likenessOf(task, at);
  }

  #likenessOf(task: TaskIndex, at: EventNs): number {
    const tree = this.#tree;
    if (!tree.isPresent(task) || tree.isThread(task)) return NOBODY;
    if (tree.exitOf(task) <= at && taskState(tree, task, at).tone === 'failed') return NOBODY;
    const name = tree.textIndexAt(task, 'comm', at);
    if (name === 0) return NOBODY;
    const path = this.#pathNumber(tree.textIndexAt(task, 'executable', at));
    const pair = numberIn(this.#pairs, name * AFTER_TEXT + path);
    return numberIn(this.#numbers, pair * AFTER_USER + 1 + (tree.numberAt(task, 'uid', at) ?? NOBODY));
  }

  /** One file is the same path, whatever else is known of it. */
  #pathNumber(text: number): number {
    if (text === 0) return 0;
    const known = this.#pathNumberOfText.get(text);
    if (known !== undefined) return known;
    const number = 1 + numberIn(this.#pathNumbers, pathOfWireFile(this.#tree.textOf(text)));
    this.#pathNumberOfText.set(text, number);
    return number;
  }
}

function numberIn<K>(numbers: Map<K, number>, key: K): number {
  let number = numbers.get(key);
  if (number === undefined) {
    number = numbers.size;
    numbers.set(key, number);
  }
  return number;
}
