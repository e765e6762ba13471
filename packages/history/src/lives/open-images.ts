// The images of open lives, each looked up once since the last fact about it.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { Image } from '../codec/lives-encoder.ts';
import { imagesOf } from './images.ts';

export class OpenImages {
  readonly #tree: TemporalTree;
  readonly #images: (readonly Image[] | undefined)[] = []; // TaskIndex -> …

  constructor(tree: TemporalTree) {
    this.#tree = tree;
  }

  /** Something was told of a task, or its slot is another's. */
  forget(task: TaskIndex): void {
    if (task < this.#images.length) this.#images[task] = undefined;
  }

  of(process: TaskIndex): readonly Image[] {
    const known = this.#images[process];
    if (known !== undefined) return known;
    while (this.#images.length < process) this.#images.push(undefined); // an array with holes is a slow one
    const images = imagesOf(this.#tree, process);
    this.#images[process] = images;
    return images;
  }

  /**
   * Looks up those that are not known.
   * @param hasTime is asked after each
   * @returns whether there are more
   */
  warm(hasTime: () => boolean): boolean {
    const tree = this.#tree;
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (this.#images[task] !== undefined || !tree.isPresent(task) || tree.isThread(task)) continue;
      this.of(task);
      if (!hasTime()) return true;
    }
    return false;
  }
}
