// Texts that a search looks for. Which of all texts hold them is found once, and then by number.

import type { BlockImages } from '../codec/block-images.ts';
import type { LifeQuery } from '../history.ts';
import type { TextIndex } from './text-index.ts';

/** The texts that a query asks for, and which of all texts hold them. */
export class Needles {
  readonly any: Needle | undefined;
  readonly comm: Needle | undefined;
  readonly path: Needle | undefined;
  readonly argv: Needle | undefined;
  readonly container: Needle | undefined;
  /** Further ones, as `any`. */
  readonly and: readonly Needle[];
  /** Where a single one is asked for, and of a certain column. */
  readonly only: Needle | undefined;
  readonly #all: readonly Needle[];

  constructor(query: LifeQuery, texts: TextIndex) {
    const needle = (text: string | undefined, column: NeedleColumn | undefined) =>
      text === undefined ? undefined : new Needle(text, column, texts);
    this.any = needle(query.text, undefined);
    this.comm = needle(query.comm, 'comm');
    this.path = needle(query.path, 'path');
    this.argv = needle(query.commandLine, 'argv');
    this.container = needle(query.container, 'container');
    this.and = (query.andTexts ?? []).map((text) => new Needle(text, undefined, texts));
    const all = [this.any, this.comm, this.path, this.argv, this.container, ...this.and];
    this.#all = all.filter((needle) => needle !== undefined);
    const isOfColumn = this.any === undefined && this.and.length === 0;
    this.only = this.#all.length === 1 && isOfColumn ? this.#all[0] : undefined;
  }

  /** To be called when texts may have been added. */
  renew(): void {
    for (const needle of this.#all) needle.renew();
  }

  /**
   * To be called for each block.
   * @param ids of its texts
   * @returns whether any image of the block can hold all that is asked for
   */
  look(ids: Uint32Array): boolean {
    for (const needle of this.#all) {
      const isOfAny = needle === this.any || this.and.includes(needle);
      if (!needle.look(ids) && !(isOfAny && needle.pid !== undefined)) return false;
    }
    return true;
  }
}

type NeedleColumn = 'comm' | 'path' | 'argv' | 'container';

/** One of them. */
export class Needle {
  /** The pid that it may be, too. */
  readonly pid: number | undefined;
  readonly #text: string;
  readonly #column: NeedleColumn | undefined;
  readonly #texts: TextIndex;
  #hits: Uint8Array;
  #size: number;
  #inBlock = new Uint8Array(0);

  /** @param column in which it is looked for; undefined where that is every one */
  constructor(text: string, column: NeedleColumn | undefined, texts: TextIndex) {
    this.pid = pidOf(text);
    this.#text = text;
    this.#column = column;
    this.#texts = texts;
    this.#hits = texts.matches(text);
    this.#size = texts.size;
  }

  renew(): void {
    if (this.#size === this.#texts.size) return;
    this.#hits = this.#texts.matches(this.#text, this.#hits);
    this.#size = this.#texts.size;
  }

  /** Id of a text -> 1 where it holds this one; as of the last `renew`. */
  get hits(): Uint8Array {
    return this.#hits;
  }

  /** Index of a text in the block that was looked at last -> 1 where it holds this one: small, unlike what is known of all. */
  get inBlock(): Uint8Array {
    return this.#inBlock;
  }

  // hot: runs once per text of all blocks
  /** @returns whether any text of the block holds this one */
  look(ids: Uint32Array): boolean {
    const hits = this.#hits;
    if (this.#inBlock.length < ids.length) this.#inBlock = new Uint8Array(2 * ids.length);
    const inBlock = this.#inBlock;
    let isAny = 0;
    for (let text = 0; text < ids.length; text++) {
      const hit = hits[ids[text] as number] as number;
      inBlock[text] = hit;
      isAny |= hit;
    }
    return isAny !== 0;
  }

  // hot: runs once per image of most blocks
  /** How many images have it in its column, of the block that was looked at last. */
  countIn(images: BlockImages): number {
    if (this.#column === undefined) return 0;
    const column = images[this.#column];
    const inBlock = this.#inBlock;
    let count = 0;
    for (let image = 0; image < column.length; image++) count += inBlock[column[image] as number] as number;
    return count;
  }
}

/** A text that is a number is also that of a process. */
export function pidOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** Is one of these texts one of the hits? */
export function isAnyOf(hits: Uint8Array, argv: number, comm: number, path: number, container: number): boolean {
  return hits[argv] === 1 || hits[comm] === 1 || hits[path] === 1 || hits[container] === 1;
}
