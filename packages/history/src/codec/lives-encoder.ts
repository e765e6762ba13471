// Lives with all their facts as a block of columns, in order of their ids:
//
//   lives   one row per life: who it is, from when to when it matters, its end, what it ran
//   texts   every text of the block once
//   chunks  the entries of `LIVES_PER_CHUNK` lives each, so that one life can be read without the others
//
// lives-block.ts reads it. A number mostly is written as its difference from one that
// is near: the row above, the start of the life, its own id.

import { EntityIds, type FactWriter } from '@dendro/engine';
import {
  type Authority,
  type EntityId,
  type EventNs,
  FIELDS,
  fieldType,
  isTextField,
  pathOfWireFile,
  type TaskId,
  type Tid,
  type TimeBase,
} from '@dendro/protocol';
import { ByteWriter, isDelta } from './bytes.ts';
import { entryKind, MAX_FIELDS } from './entry-kind.ts';

export const LIVES_PER_CHUNK = 128;
export const BLOCK_VERSION = 1;
/** `since` of an entry that says: there was more before (packages/engine/src/temporal-tree.ts). */
export const LONG_AGO = -Number.MAX_SAFE_INTEGER;
/** Beside the flags of a task: what it was before is in an earlier block. */
export const IS_PART = 128;
/** In place of an authority, for an entry of LONG_AGO. */
export const LONG_AGO_AUTHORITY = 3;
const NOT_KNOWN = -1;
export const COLUMNS = {
  id: 0,
  from: 1,
  to: 2,
  start: 3,
  tid: 4,
  pid: 5,
  leader: 6,
  creator: 7,
  entity: 8,
  flags: 9,
  exit: 10,
  status: 11,
  counts: 12,
  extra: 13,
  imageSince: 14,
  imageComm: 15,
  imagePath: 16,
  imageArgv: 17,
  imageUser: 18,
  imageContainer: 19,
} as const;
export const COLUMN_COUNT = 20;

/** What a process was for a part of its life, as it is searched for. A text is its number, 0 "not known". */
export interface Image {
  readonly since: EventNs;
  readonly comm: number;
  /** Wire text of the file: it is searched for by its path. */
  readonly executable: number;
  /** Wire text. */
  readonly argv: number;
  readonly uid: number | undefined;
  readonly container: number;
}

/** The texts that a writer has numbered. */
export interface NumberedTexts {
  textOf(number: number): string;
}

export interface EncodedBlock {
  readonly lives: number;
  readonly facts: number;
  readonly id0: TaskId;
  readonly id1: TaskId;
  /** No life of the block matters before or after. */
  readonly from: EventNs;
  readonly to: EventNs;
  readonly rows: Uint8Array;
  readonly texts: Uint8Array;
  /** Index of a text plus one -> its number, or of a path that of its file, negated; 0 where no image has it. */
  readonly imageTexts: Int32Array;
  readonly chunks: readonly EncodedChunk[];
}

export interface EncodedChunk {
  readonly from: EventNs;
  readonly to: EventNs;
  readonly bytes: Uint8Array;
}

interface ExitFact {
  readonly at: EventNs;
  readonly authority: Authority;
  code: number;
  signal: number;
}

export class LivesEncoder implements FactWriter {
  readonly #entityIds: EntityIds;
  readonly #columns = Array.from({ length: COLUMN_COUNT }, () => new ByteWriter());
  readonly #texts = new Map<string, number>();
  readonly #indexByNumber = new NumberedIndexes();
  readonly #pathByNumber = new NumberedIndexes(); // of the path in a file
  #imageTexts = new Int32Array(1024);
  readonly #chunks: EncodedChunk[] = [];
  // Of the chunk that is being written.
  readonly #kinds = new ByteWriter();
  readonly #sinces = new ByteWriter();
  readonly #values = new ByteWriter();
  readonly #lastOf = new Float64Array(MAX_FIELDS);
  #inChunk = 0;
  #chunkFrom = Number.POSITIVE_INFINITY;
  #chunkTo = Number.NEGATIVE_INFINITY;
  // Of the block.
  #lives = 0;
  #facts = 0;
  #id0 = 0;
  #lastId = 0;
  #lastStart = 0;
  #lastTid = 0;
  #lastImageUser = 0;
  #from = Number.POSITIVE_INFINITY;
  #to = Number.NEGATIVE_INFINITY;
  // Of the life that is being written.
  #isPart = false;
  #keepsTrimmed = false;
  #lifeFrom = 0;
  #lifeTo = 0;
  #start = 0;
  #tid = 0;
  #since = 0;
  #taskFacts = 0;
  #sets = 0;
  #images = 0;
  readonly #exits: ExitFact[] = [];

  constructor(base: TimeBase) {
    this.#entityIds = new EntityIds(base);
  }

  get lives(): number {
    return this.#lives;
  }

  /**
   * The life whose facts come next; ids rise. It matters from `from` to `to`.
   * @param isPart what is said to have been let go of is in a block before
   * @param keepsTrimmed that it was let go of is written all the same
   */
  begin(id: TaskId, from: EventNs, to: EventNs, isPart = false, keepsTrimmed = false): void {
    this.#endLife();
    this.#isPart = isPart;
    this.#keepsTrimmed = keepsTrimmed;
    if (this.#inChunk === LIVES_PER_CHUNK) this.#endChunk();
    if (this.#lives === 0) this.#id0 = id;
    this.#column(COLUMNS.id).uint(id - this.#lastId);
    this.#lastId = id;
    this.#lives++;
    this.#inChunk++;
    this.#lifeFrom = from;
    this.#lifeTo = to;
    this.#chunkFrom = Math.min(this.#chunkFrom, from);
    this.#chunkTo = Math.max(this.#chunkTo, to);
  }

  numberedText(number: number, text: string): number {
    return this.#indexByNumber.get(number) || this.#indexByNumber.add(number, this.#text(text));
  }

  #text(text: string): number {
    let index = this.#texts.get(text);
    if (index === undefined) {
      index = this.#texts.size + 1;
      this.#texts.set(text, index);
    }
    return index;
  }

  task(
    task: TaskId,
    tid: Tid,
    pid: Tid,
    leader: TaskId,
    creator: TaskId,
    start: EventNs,
    entityId: EntityId,
    flags: number,
    authority: Authority,
  ): void {
    this.#facts++;
    const isFirst = this.#taskFacts++ === 0;
    const column = (of: keyof typeof COLUMNS) => this.#column(isFirst ? COLUMNS[of] : COLUMNS.extra);
    const follows = this.#entityIds.of(tid, start) === entityId;
    if (isFirst) {
      column('tid').int(tid - this.#lastTid);
      column('start').delta(start, this.#lastStart);
      if (isDelta(start)) this.#lastStart = start;
      this.#lastTid = tid;
      this.#tid = tid;
      this.#start = start;
      this.#since = start;
      column('from').delta(this.#lifeFrom, start);
    } else {
      column('tid').int(tid);
      column('start').delta(start, this.#start);
    }
    column('pid').int(pid - tid);
    column('leader').uint(leader === 0 ? 0 : 1 + zigzag(task - leader));
    column('creator').uint(creator === 0 ? 0 : 1 + zigzag(task - creator));
    column('entity').uint(follows ? 0 : entityId + 1);
    column('flags').u8((flags & ~IS_PART) | (isFirst && this.#isPart ? IS_PART : 0));
    column('flags').u8(authority);
  }

  set(task: TaskId, field: number, since: EventNs, authority: Authority, value: number): void {
    const isLongAgo = since === LONG_AGO;
    if (isLongAgo && this.#isPart && !this.#keepsTrimmed) return;
    this.#facts++;
    this.#sets++;
    this.#kinds.u8(entryKind(field, isLongAgo ? LONG_AGO_AUTHORITY : authority));
    if (isLongAgo) return;
    this.#sinces.delta(since, this.#since);
    if (isDelta(since)) this.#since = since;
    if (isTextField(fieldType(field))) this.#values.uint(value);
    else if (field === FIELDS.nsTid.id || field === FIELDS.nsPid.id) this.#values.delta(value, this.#tid);
    else if (field === FIELDS.parent.id) this.#values.delta(value, task);
    else this.#lastOf[field] = this.#values.delta(value, this.#lastOf[field] as number);
  }

  exit(_: TaskId, at: EventNs, authority: Authority, code: number, signal: number): void {
    this.#facts++;
    const last = this.#exits.at(-1);
    // When it ended and how is told apart, and mostly of one time.
    const isSame = last !== undefined && last.at === at && last.authority === authority;
    if (isSame && last.code === NOT_KNOWN && last.signal === NOT_KNOWN) {
      last.code = code;
      last.signal = signal;
    } else this.#exits.push({ at, authority, code, signal });
  }

  /** To be called after the facts of a process. */
  image({ since, comm, executable, argv, uid, container }: Image, texts: NumberedTexts): void {
    this.#images++;
    this.#column(COLUMNS.imageSince).delta(since, this.#start);
    this.#column(COLUMNS.imageComm).uint(this.#textOrNone(comm, texts));
    this.#column(COLUMNS.imagePath).uint(this.#pathOrNone(executable, texts));
    this.#column(COLUMNS.imageArgv).uint(this.#textOrNone(argv, texts));
    this.#lastImageUser = this.#column(COLUMNS.imageUser).delta(uid ?? Number.NaN, this.#lastImageUser);
    this.#column(COLUMNS.imageContainer).uint(this.#textOrNone(container, texts));
  }

  /** The block of all lives since the last one. */
  finish(): EncodedBlock {
    this.#endLife();
    this.#endChunk();
    const rows = new ByteWriter(4096);
    rows.uint(BLOCK_VERSION);
    rows.uint(this.#lives);
    for (const column of this.#columns) {
      rows.block(column.view());
      column.clear();
    }
    const block: EncodedBlock = {
      lives: this.#lives,
      facts: this.#facts,
      id0: this.#id0 as TaskId,
      id1: this.#lastId as TaskId,
      from: this.#from as EventNs,
      to: this.#to as EventNs,
      rows: rows.view(),
      texts: encodeTexts([...this.#texts.keys()]),
      imageTexts: this.#takeImageTexts(),
      chunks: this.#chunks.slice(),
    };
    this.#texts.clear();
    this.#indexByNumber.clear();
    this.#pathByNumber.clear();
    this.#chunks.length = 0;
    this.#lives = 0;
    this.#facts = 0;
    this.#lastId = 0;
    this.#lastStart = 0;
    this.#lastTid = 0;
    this.#lastImageUser = 0;
    this.#from = Number.POSITIVE_INFINITY;
    this.#to = Number.NEGATIVE_INFINITY;
    return block;
  }

  #textOrNone(number: number, texts: NumberedTexts): number {
    if (number === 0) return 0;
    const index = this.#indexByNumber.get(number) || this.numberedText(number, texts.textOf(number));
    this.#noteImageText(index, number);
    return index;
  }

  #pathOrNone(file: number, texts: NumberedTexts): number {
    if (file === 0) return 0;
    const known = this.#pathByNumber.get(file);
    if (known !== 0) return known;
    const index = this.#pathByNumber.add(file, this.#text(pathOfWireFile(texts.textOf(file))));
    this.#noteImageText(index, -file);
    return index;
  }

  #noteImageText(index: number, number: number): void {
    if (index >= this.#imageTexts.length) {
      const grown = new Int32Array(2 * index);
      grown.set(this.#imageTexts);
      this.#imageTexts = grown;
    }
    this.#imageTexts[index] = number;
  }

  #takeImageTexts(): Int32Array {
    const taken = new Int32Array(this.#texts.size + 1);
    taken.set(this.#imageTexts.subarray(0, taken.length));
    this.#imageTexts.fill(0);
    return taken;
  }

  #column(index: number): ByteWriter {
    return this.#columns[index] as ByteWriter;
  }

  #endLife(): void {
    if (this.#taskFacts === 0) return;
    const counts = this.#column(COLUMNS.counts);
    const exit = this.#column(COLUMNS.exit);
    const status = this.#column(COLUMNS.status);
    const extra = this.#column(COLUMNS.extra);
    counts.uint(this.#sets);
    counts.uint(this.#images);
    counts.uint(this.#taskFacts - 1);
    counts.uint(this.#exits.length);
    for (const [i, { at, authority, code, signal }] of this.#exits.entries()) {
      (i === 0 ? exit : extra).delta(at, this.#start);
      const out = i === 0 ? status : extra;
      out.u8(authority);
      out.uint(code + 1);
      out.uint(signal + 1);
    }
    // Mostly it matters until its end.
    this.#column(COLUMNS.to).delta(this.#lifeTo, this.#exits[0]?.at ?? this.#start);
    this.#exits.length = 0;
    this.#taskFacts = 0;
    this.#sets = 0;
    this.#images = 0;
  }

  #endChunk(): void {
    if (this.#inChunk === 0) return;
    const bytes = new ByteWriter(this.#kinds.length + this.#sinces.length + this.#values.length + 16);
    bytes.block(this.#kinds.view());
    bytes.block(this.#sinces.view());
    bytes.block(this.#values.view());
    this.#chunks.push({ from: this.#chunkFrom as EventNs, to: this.#chunkTo as EventNs, bytes: bytes.view() });
    this.#from = Math.min(this.#from, this.#chunkFrom);
    this.#to = Math.max(this.#to, this.#chunkTo);
    this.#kinds.clear();
    this.#sinces.clear();
    this.#values.clear();
    this.#lastOf.fill(0);
    this.#inChunk = 0;
    this.#chunkFrom = Number.POSITIVE_INFINITY;
    this.#chunkTo = Number.NEGATIVE_INFINITY;
  }
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** Number of a text, as its writer has given it -> its index in the block plus one. */
class NumberedIndexes {
  #indexes = new Int32Array(1024);
  readonly #numbers: number[] = []; // those that have one

  /** 0 where there is none. */
  get(number: number): number {
    return number < this.#indexes.length ? (this.#indexes[number] as number) : 0;
  }

  /** @returns `index` */
  add(number: number, index: number): number {
    if (number >= this.#indexes.length) {
      const grown = new Int32Array(2 ** Math.ceil(Math.log2(number + 1)));
      grown.set(this.#indexes);
      this.#indexes = grown;
    }
    this.#indexes[number] = index;
    this.#numbers.push(number);
    return index;
  }

  clear(): void {
    for (const number of this.#numbers) this.#indexes[number] = 0;
    this.#numbers.length = 0;
  }
}

/** Count, lengths in bytes, UTF-8. */
function encodeTexts(texts: readonly string[]): Uint8Array {
  const head = new ByteWriter(2 * texts.length + 8);
  head.uint(texts.length);
  const joined = texts.join('');
  let utf8 = Buffer.from(joined, 'utf8');
  if (utf8.length === joined.length) {
    for (const text of texts) head.uint(text.length);
  } else {
    // Two halves of a surrogate pair in neighbouring texts must not become one.
    const encoded = texts.map((text) => Buffer.from(text, 'utf8'));
    for (const { length } of encoded) head.uint(length);
    utf8 = Buffer.concat(encoded);
  }
  return Buffer.concat([head.view(), utf8]);
}
