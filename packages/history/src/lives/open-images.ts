// The images of open lives, each looked up once since the last fact about it, with the numbers of their texts in the index that is
// searched: so they are found as those of blocks are.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { type EventNs, pathOfWireFile } from '@dendro/protocol';
import { imagesOf } from './images.ts';
import type { SealedBlock } from './life-sealer.ts';

/** An index of texts, each of which has a number there. */
export interface SearchedTexts {
  /** Changes when it begins anew: numbers that were given before are void then. */
  readonly generation: number;
  /** @returns never 0 */
  idOf(text: string): number;
}

interface SearchedText {
  /** In the index of texts; 0 "not known". */
  readonly id: number;
  readonly text: string | undefined;
}

export interface OpenImage {
  readonly since: EventNs;
  readonly comm: SearchedText;
  readonly path: SearchedText;
  /** Wire text. */
  readonly argv: SearchedText;
  readonly uid: number | undefined;
  readonly container: SearchedText;
}

const NONE: readonly OpenImage[] = [];
const NOT_KNOWN: SearchedText = { id: 0, text: undefined };

export class OpenImages {
  readonly #tree: TemporalTree;
  readonly #images: (readonly OpenImage[] | undefined)[] = []; // TaskIndex -> …
  #searched: SearchedTexts | undefined;
  #searchedGeneration = 0;
  // Number of a text in the tree -> …, as long as it is of this generation.
  #textGeneration = 0;
  #texts: (SearchedText | undefined)[] = [];
  #paths: (SearchedText | undefined)[] = [];

  constructor(tree: TemporalTree) {
    this.#tree = tree;
  }

  /** Something was told of a task, or its slot is another's. */
  forget(task: TaskIndex): void {
    if (task < this.#images.length) this.#images[task] = undefined;
  }

  /** As of the last `lookUp`. */
  of(process: TaskIndex): readonly OpenImage[] {
    return this.#images[process] ?? NONE;
  }

  /**
   * Looks up those that are not known.
   * @param hasTime is asked after each
   * @returns whether there are more
   */
  lookUp(texts: SearchedTexts, hasTime: () => boolean): boolean {
    const tree = this.#tree;
    this.#begin(texts);
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (this.#images[task] !== undefined || !tree.isPresent(task) || tree.isThread(task)) continue;
      while (this.#images.length < task) this.#images.push(undefined); // an array with holes is a slow one
      this.#images[task] = this.#imagesOf(task, texts);
      if (!hasTime()) return true;
    }
    return false;
  }

  /** The numbers in the index of texts of those that images of a block have which has just been made of the tree. */
  idsIn({ imageTexts }: SealedBlock, texts: SearchedTexts): Uint32Array {
    this.#begin(texts);
    const ids = new Uint32Array(imageTexts.length);
    for (let i = 0; i < ids.length; i++) {
      const number = imageTexts[i] as number;
      ids[i] = (number < 0 ? this.#path(-number, texts) : this.#text(number, texts)).id;
    }
    return ids;
  }

  #begin(texts: SearchedTexts): void {
    const isOther = this.#searched !== texts || this.#searchedGeneration !== texts.generation;
    if (isOther) this.#images.length = 0;
    if (isOther || this.#textGeneration !== this.#tree.textGeneration) {
      this.#texts = [];
      this.#paths = [];
    }
    this.#searched = texts;
    this.#searchedGeneration = texts.generation;
    this.#textGeneration = this.#tree.textGeneration;
  }

  #imagesOf(process: TaskIndex, texts: SearchedTexts): OpenImage[] {
    return imagesOf(this.#tree, process).map(({ since, comm, executable, argv, uid, container }) => ({
      since,
      comm: this.#text(comm, texts),
      path: this.#path(executable, texts),
      argv: this.#text(argv, texts),
      uid,
      container: this.#text(container, texts),
    }));
  }

  #text(number: number, texts: SearchedTexts): SearchedText {
    if (number === 0) return NOT_KNOWN;
    const known = this.#texts[number];
    if (known !== undefined) return known;
    return enter(this.#texts, number, this.#tree.textOf(number), texts);
  }

  #path(file: number, texts: SearchedTexts): SearchedText {
    if (file === 0) return NOT_KNOWN;
    const known = this.#paths[file];
    if (known !== undefined) return known;
    return enter(this.#paths, file, pathOfWireFile(this.#tree.textOf(file)), texts);
  }
}

function enter(known: (SearchedText | undefined)[], number: number, text: string, texts: SearchedTexts): SearchedText {
  while (known.length < number) known.push(undefined);
  const entered = { id: texts.idOf(text), text };
  known[number] = entered;
  return entered;
}
