// Where the blocks of ended lives are: a directory of all of them in memory, their contents on the
// disk, what was asked for last unpacked in bounded caches.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { DendroError, type EventNs, type TaskId, type TimeBase } from '@dendro/protocol';
import { LRUCache } from 'lru-cache';
import { BlockImages } from '../codec/block-images.ts';
import { damaged } from '../codec/bytes.ts';
import type { BlockTexts, LivesBlock } from '../codec/lives-block.ts';
import { LIVES_PER_CHUNK } from '../codec/lives-encoder.ts';
import { PackedBlock, packBlock } from '../codec/packed-block.ts';
import type { SealedBlock } from '../lives/life-sealer.ts';
import { TreeLoader } from '../lives/tree-loader.ts';
import type { Database } from './database.ts';

export interface BlockEntry {
  readonly id: number;
  readonly era: number;
  readonly durationClass: number;
  readonly from: EventNs;
  readonly to: EventNs;
  readonly id0: TaskId;
  readonly id1: TaskId;
  readonly lives: number;
  readonly facts: number;
  /** While it is not on the disk yet. */
  data: Uint8Array | undefined;
}

/** From when to when, both included. */
export interface Stretch {
  readonly from: EventNs;
  readonly to: EventNs;
}

interface Row {
  readonly id: number;
  readonly era: number;
  readonly class: number;
  readonly t0: number;
  readonly t1: number;
  readonly id0: number;
  readonly id1: number;
  readonly lives: number;
  readonly facts: number;
}

const EVER = Number.NEGATIVE_INFINITY;
const FOREVER = Number.POSITIVE_INFINITY;
const ROWS_BYTES = 96 * 1024 * 1024;
const TEXTS_BYTES = 96 * 1024 * 1024;
const IMAGES_BYTES = 64 * 1024 * 1024;
const CHUNKS_BYTES = 64 * 1024 * 1024;
/** A block has fewer: for keys of chunks. */
const MAX_CHUNKS = 16_384;

export class BlockStore {
  readonly #database: Database;
  #entries: BlockEntry[] = [];
  #unsaved: BlockEntry[] = [];
  #nextId = 1;
  /** Blocks that came after this one are still in the file, and are nothing any more. */
  #droppedAfter: number | undefined;
  #damaged = new Set<number>();
  readonly #rows: LRUCache<number, LivesBlock>;
  readonly #texts: LRUCache<number, BlockTexts>;
  readonly #images: LRUCache<number, BlockImages>;
  /** Unpacked: those of long lives are in nearly every answer. Block id and number of the chunk -> bytes. */
  readonly #chunks: LRUCache<number, Uint8Array>;
  readonly #selectData;
  readonly #insert;
  readonly #insertData;

  constructor(database: Database) {
    this.#database = database;
    this.#rows = new LRUCache({ maxSize: ROWS_BYTES, sizeCalculation: (block: LivesBlock) => block.byteLength + 1 });
    this.#texts = new LRUCache({ maxSize: TEXTS_BYTES, sizeCalculation: (texts: BlockTexts) => texts.byteLength + 1 });
    this.#images = new LRUCache({ maxSize: IMAGES_BYTES, sizeCalculation: (images: BlockImages) => images.byteLength });
    this.#chunks = new LRUCache({ maxSize: CHUNKS_BYTES, sizeCalculation: ({ length }: Uint8Array) => length + 64 });
    this.#selectData = database.prepare('SELECT data FROM block_data WHERE id = ?').pluck();
    this.#insert = database.prepare('INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#insertData = database.prepare('INSERT INTO block_data VALUES (?, ?)');
    this.#readDirectory();
  }

  /** In order of their ids. */
  get entries(): readonly BlockEntry[] {
    return this.#entries;
  }

  get newestId(): number {
    return this.#nextId - 1;
  }

  /** Blocks that could not be read. */
  get damagedCount(): number {
    return this.#damaged.size;
  }

  add(sealed: SealedBlock, era: number): BlockEntry {
    const { durationClass, from, to, id0, id1, lives, facts } = sealed;
    const data = packBlock(sealed);
    const entry: BlockEntry = { id: this.#nextId++, era, durationClass, from, to, id0, id1, lives, facts, data };
    this.#entries.push(entry);
    this.#unsaved.push(entry);
    return entry;
  }

  /** Inside of a transaction. `noteSaved` follows when it has succeeded. */
  save(): void {
    if (this.#droppedAfter !== undefined) {
      this.#database.prepare('DELETE FROM block WHERE id > ?').run(this.#droppedAfter);
      this.#database.prepare('DELETE FROM block_data WHERE id > ?').run(this.#droppedAfter);
    }
    for (const { id, era, durationClass, from, to, id0, id1, lives, facts, data } of this.#unsaved) {
      this.#insert.run(id, era, durationClass, Math.floor(from), Math.ceil(to), id0, id1, lives, facts);
      this.#insertData.run(id, data);
    }
  }

  noteSaved(): void {
    for (const entry of this.#unsaved) entry.data = undefined;
    this.#unsaved = [];
    this.#droppedAfter = undefined;
  }

  get unsavedBytes(): number {
    return this.#unsaved.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
  }

  /** Takes blocks out of the directory; their rows are for the caller. */
  drop(ids: ReadonlySet<number>): void {
    for (const { id, lives } of this.#entries) {
      if (!ids.has(id)) continue;
      this.#rows.delete(id);
      this.#texts.delete(id);
      this.#images.delete(id);
      for (let chunk = 0; chunk * LIVES_PER_CHUNK < lives; chunk++) this.#chunks.delete(id * MAX_CHUNKS + chunk);
    }
    this.#entries = this.#entries.filter(({ id }) => !ids.has(id));
  }

  /** Forgets all that came after a block; in the file with the next `save`. */
  dropAfter(newest: number): void {
    this.#droppedAfter = newest;
    this.#entries = this.#entries.filter(({ id }) => id <= newest);
    this.#unsaved = [];
    this.#nextId = newest + 1;
  }

  /** Unpacked; undefined when it is damaged, which is counted. */
  open(entry: BlockEntry, base: TimeBase): PackedBlock | undefined {
    try {
      const block = this.#unpack(entry, base);
      this.#rows.set(entry.id, block.rows);
      return block;
    } catch (thrown) {
      this.#noteDamaged(entry, thrown);
      return undefined;
    }
  }

  #unpack(entry: BlockEntry, base: TimeBase): PackedBlock {
    const fetch = () => {
      const data = entry.data ?? (this.#selectData.get(entry.id) as Uint8Array | undefined);
      if (data === undefined) throw damaged();
      return data;
    };
    const first = entry.id * MAX_CHUNKS;
    return new PackedBlock(fetch, base, {
      rows: this.#rows.get(entry.id),
      texts: this.#texts.get(entry.id),
      chunks: {
        get: (number) => this.#chunks.get(first + number),
        set: (number, chunk) => this.#chunks.set(first + number, chunk),
      },
    });
  }

  /** As `open`, the rows alone. */
  rowsOf(entry: BlockEntry, base: TimeBase): LivesBlock | undefined {
    return this.#rows.get(entry.id) ?? this.open(entry, base)?.rows;
  }

  /** The same for images. */
  imagesOf(entry: BlockEntry, base: TimeBase): BlockImages | undefined {
    const known = this.#images.get(entry.id);
    if (known !== undefined) return known;
    try {
      const images = this.#unpack(entry, base).images();
      this.#images.set(entry.id, images);
      return images;
    } catch (thrown) {
      this.#noteDamaged(entry, thrown);
      return undefined;
    }
  }

  /** Those of a block that has just been made: they are not read from the disk then. */
  keepImages({ id }: BlockEntry, { rows }: SealedBlock): void {
    this.#images.set(id, new BlockImages(rows));
  }

  /** The same for texts. */
  textsOf(entry: BlockEntry, base: TimeBase): BlockTexts | undefined {
    const known = this.#texts.get(entry.id);
    if (known !== undefined) return known;
    try {
      const texts = this.#unpack(entry, base).texts();
      this.#texts.set(entry.id, texts);
      return texts;
    } catch (thrown) {
      this.#noteDamaged(entry, thrown);
      return undefined;
    }
  }

  /** Loads all lives of an era that matter at some time in `[from, to]`. */
  loadWindow(loader: TreeLoader, era: number, base: TimeBase, from: EventNs, to: EventNs): void {
    for (const entry of this.#entries) {
      if (entry.era !== era || entry.from > to || entry.to < from) continue;
      const block = this.open(entry, base);
      if (block === undefined) continue;
      this.#guarded(entry, () => loader.load(block, from, to));
      if (block.knownTexts !== undefined) this.#texts.set(entry.id, block.knownTexts);
    }
  }

  /** Where a life is, the newest block first: more than once when it was brought back. */
  *find(
    id: TaskId,
    era: number,
    base: TimeBase,
    from = EVER,
    to = FOREVER,
  ): Generator<{ readonly entry: BlockEntry; readonly life: number }> {
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i] as BlockEntry;
      if (entry.era !== era || id < entry.id0 || id > entry.id1 || entry.from > to || entry.to < from) continue;
      const life = this.rowsOf(entry, base)?.indexOf(id) ?? -1;
      if (life >= 0) yield { entry, life };
    }
  }

  /**
   * Loads one life: its copies that matter at some time in `[from, to]`, or, where there is none such, the newest one. It
   * says what the others say but for what a busy task has said in the time of these.
   * @returns from when to when the copies that there are matter, and whether what was loaded is a part; undefined when there is
   * none
   */
  loadLife(
    tree: TemporalTree,
    id: TaskId,
    era: number,
    base: TimeBase,
    [from, to]: readonly [EventNs, EventNs],
  ): { from: EventNs; to: EventNs; isPart: boolean } | undefined {
    const loader = new TreeLoader(tree);
    const near = [...this.find(id, era, base, from, to)];
    // Only who does not matter then is looked for everywhere.
    const copies = near.length > 0 ? near : [...this.find(id, era, base)];
    let span: { from: EventNs; to: EventNs } | undefined;
    const inside: typeof copies = [];
    for (const copy of copies) {
      const rows = this.rowsOf(copy.entry, base);
      if (rows === undefined) continue;
      const [begins, ends] = [rows.from[copy.life] as EventNs, rows.to[copy.life] as EventNs];
      span =
        span === undefined
          ? { from: begins, to: ends }
          : { from: Math.min(span.from, begins) as EventNs, to: Math.max(span.to, ends) as EventNs };
      if (begins <= to && ends >= from) inside.push(copy);
    }
    for (const { entry, life } of inside.length > 0 ? inside : copies.slice(0, 1)) {
      const block = this.open(entry, base);
      if (block === undefined) continue;
      this.textsOf(entry, base);
      this.#guarded(entry, () => loader.loadOne(block, life));
    }
    const isPart = loader.parts.size > 0;
    return span === undefined ? undefined : { ...span, isPart };
  }

  /**
   * Loads the copies of a life that matter at some time of one of the stretches, but for those that matter in `here` too.
   * @returns the stretches at which none matters
   */
  addParts(
    tree: TemporalTree,
    task: TaskIndex,
    era: number,
    base: TimeBase,
    stretches: readonly Stretch[],
    here: Stretch,
  ): Stretch[] {
    const loader = new TreeLoader(tree);
    const from = stretches.reduce((least, one) => Math.min(least, one.from), FOREVER);
    const to = stretches.reduce((most, one) => Math.max(most, one.to), EVER);
    const found = new Set<Stretch>();
    for (const { entry, life } of this.find(tree.taskIdOf(task), era, base, from, to)) {
      const block = this.open(entry, base);
      if (block === undefined) continue;
      const [begins, ends] = [block.rows.from[life] as EventNs, block.rows.to[life] as EventNs];
      const met = stretches.filter((one) => begins <= one.to && ends >= one.from);
      for (const one of met) found.add(one);
      const isHere = begins <= here.to && ends >= here.from;
      if (met.length > 0 && !isHere) this.#guarded(entry, () => loader.loadOne(block, life));
    }
    return stretches.filter((one) => !found.has(one));
  }

  #guarded(entry: BlockEntry, load: () => void): void {
    try {
      load();
    } catch (thrown) {
      this.#noteDamaged(entry, thrown);
    }
  }

  #noteDamaged(entry: BlockEntry, thrown: unknown): void {
    if (!(thrown instanceof DendroError) || thrown.code !== 'DENDRO_HISTORY_DAMAGED') throw thrown;
    this.#damaged.add(entry.id);
  }

  #readDirectory(): void {
    const rows = this.#database.prepare('SELECT * FROM block ORDER BY id').all() as Row[];
    this.#entries = rows.map((row) => ({
      id: row.id,
      era: row.era,
      durationClass: row.class,
      from: row.t0 as EventNs,
      to: row.t1 as EventNs,
      id0: row.id0 as TaskId,
      id1: row.id1 as TaskId,
      lives: row.lives,
      facts: row.facts,
      data: undefined,
    }));
    this.#unsaved = [];
    this.#nextId = (rows.at(-1)?.id ?? 0) + 1;
  }
}
