// What lives-encoder.ts has written, read again. Rows are unpacked as columns, chunks and
// texts when they are asked for. Bytes come from a disk: all of it is checked.

import { EntityIds, type TemporalTree } from '@dendro/engine';
import {
  type Authority,
  type EntityId,
  type EventNs,
  FIELDS,
  fieldType,
  isTextField,
  type TaskId,
  type Tid,
  type TimeBase,
} from '@dendro/protocol';
import { ByteReader, damaged, isDelta } from './bytes.ts';
import { authorityOfKind, fieldOfKind, MAX_FIELDS } from './entry-kind.ts';
import {
  BLOCK_VERSION,
  COLUMN_COUNT,
  COLUMNS,
  IS_PART,
  LIVES_PER_CHUNK,
  LONG_AGO,
  LONG_AGO_AUTHORITY,
} from './lives-encoder.ts';

const MAX_LIVES = 1 << 20;
const MAX_AUTHORITY = 2;
const NONE = -1;
const MAX_INDEXED = 2;

/** A second fact of one kind about one life: rare. */
export interface ExtraTask {
  readonly life: number;
  readonly tid: Tid;
  readonly pid: Tid;
  readonly leader: TaskId;
  readonly creator: TaskId;
  readonly start: EventNs;
  readonly entityId: EntityId;
  readonly flags: number;
  readonly authority: Authority;
}

export interface ExtraExit {
  readonly life: number;
  readonly at: EventNs;
  readonly authority: Authority;
  readonly code: number;
  readonly signal: number;
}

/** Takes the entries of a life. A text is its index in the texts of the block plus one, 0 "not known". */
export interface EntryVisitor {
  entry(life: number, field: number, since: EventNs, authority: Authority, value: number): void;
}

export class LivesBlock {
  readonly lives: number;
  // life -> …
  readonly id: Float64Array;
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly start: Float64Array;
  readonly tid: Int32Array;
  readonly pid: Int32Array;
  readonly leader: Float64Array;
  readonly creator: Float64Array;
  readonly entity: Uint32Array;
  readonly flags: Uint8Array;
  /** 1 where what it was before is in an earlier block. */
  readonly isPart: Uint8Array;
  readonly authority: Uint8Array;
  /** Infinity where no end was told. */
  readonly exit: Float64Array;
  readonly exitAuthority: Uint8Array;
  readonly code: Int32Array;
  readonly signal: Int32Array;
  readonly sets: Uint32Array;
  readonly extraTasks: readonly ExtraTask[];
  readonly extraExits: readonly ExtraExit[];

  /** @throws DendroError DENDRO_HISTORY_DAMAGED */
  constructor(rows: Uint8Array, base: TimeBase) {
    const whole = new ByteReader(rows);
    if (whole.uint() !== BLOCK_VERSION) throw damaged();
    const lives = whole.uint();
    if (lives > MAX_LIVES) throw damaged();
    const columns = Array.from({ length: COLUMN_COUNT }, () => new ByteReader(whole.block()));
    const column = (of: keyof typeof COLUMNS) => columns[COLUMNS[of]] as ByteReader;
    const entityIds = new EntityIds(base);
    this.lives = lives;
    this.id = new Float64Array(lives);
    this.from = new Float64Array(lives);
    this.to = new Float64Array(lives);
    this.start = new Float64Array(lives);
    this.tid = new Int32Array(lives);
    this.pid = new Int32Array(lives);
    this.leader = new Float64Array(lives);
    this.creator = new Float64Array(lives);
    this.entity = new Uint32Array(lives);
    this.flags = new Uint8Array(lives);
    this.isPart = new Uint8Array(lives);
    this.authority = new Uint8Array(lives);
    this.exit = new Float64Array(lives).fill(Number.POSITIVE_INFINITY);
    this.exitAuthority = new Uint8Array(lives);
    this.code = new Int32Array(lives).fill(NONE);
    this.signal = new Int32Array(lives).fill(NONE);
    this.sets = new Uint32Array(lives);
    const extraTasks: ExtraTask[] = [];
    const extraExits: ExtraExit[] = [];
    const [ids, froms, tos, starts] = [column('id'), column('from'), column('to'), column('start')];
    const [tids, pids, leaders, creators] = [column('tid'), column('pid'), column('leader'), column('creator')];
    const [entities, flags, exits, statuses] = [column('entity'), column('flags'), column('exit'), column('status')];
    const [counts, extra] = [column('counts'), column('extra')];
    let [id, start, tid] = [0, 0, 0];
    for (let life = 0; life < lives; life++) {
      id += ids.uint();
      if (!Number.isSafeInteger(id) || id === 0) throw damaged();
      const began = starts.time(start);
      if (isDelta(began)) start = began;
      tid += tids.int();
      this.id[life] = id;
      this.start[life] = began;
      this.from[life] = froms.delta(began);
      this.tid[life] = tid;
      this.pid[life] = tid + pids.int();
      this.leader[life] = relative(leaders.uint(), id);
      this.creator[life] = relative(creators.uint(), id);
      const entity = entities.uint();
      this.entity[life] = entity === 0 ? entityIds.of(tid, began as EventNs) : entity - 1;
      const bits = flags.u8();
      this.flags[life] = bits & ~IS_PART;
      this.isPart[life] = (bits & IS_PART) === 0 ? 0 : 1;
      this.authority[life] = authorityOf(flags.u8());
      this.sets[life] = counts.uint();
      counts.uint(); // images: block-images.ts
      for (let more = counts.uint(); more > 0; more--) extraTasks.push(readTask(extra, life, id, began, entityIds));
      for (let more = counts.uint(), isFirst = true; more > 0; more--, isFirst = false) {
        if (isFirst) {
          this.exit[life] = exits.time(began);
          this.exitAuthority[life] = authorityOf(statuses.u8());
          this.code[life] = statuses.uint() - 1;
          this.signal[life] = statuses.uint() - 1;
        } else extraExits.push(readExit(extra, life, began));
      }
      const exit = this.exit[life] as number;
      this.to[life] = tos.delta(exit === Number.POSITIVE_INFINITY ? began : exit);
      if (Number.isNaN(this.from[life]) || Number.isNaN(this.to[life])) throw damaged();
    }
    this.extraTasks = extraTasks;
    this.extraExits = extraExits;
  }

  get chunks(): number {
    return Math.ceil(this.lives / LIVES_PER_CHUNK);
  }

  /** Rough, for the bounds of caches. */
  get byteLength(): number {
    return this.lives * 96;
  }

  /** -1 when it is not here. */
  indexOf(id: TaskId): number {
    let [low, high] = [0, this.lives - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.id[middle] as number;
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return NONE;
  }

  /**
   * Gives the entries of a chunk's lives, those of one life from the oldest to the newest.
   * @param wants which lives
   * @throws DendroError DENDRO_HISTORY_DAMAGED
   */
  visitChunk(chunk: number, bytes: Uint8Array, wants: (life: number) => boolean, visitor: EntryVisitor): void {
    const whole = new ByteReader(bytes);
    const kinds = new ByteReader(whole.block());
    const sinces = new ByteReader(whole.block());
    const values = new ByteReader(whole.block());
    const lastOf = new Float64Array(MAX_FIELDS);
    const end = Math.min(this.lives, (chunk + 1) * LIVES_PER_CHUNK);
    const entries: number[] = [];
    for (let life = chunk * LIVES_PER_CHUNK; life < end; life++) {
      const isWanted = wants(life);
      let since = this.start[life] as number;
      entries.length = 0;
      for (let left = this.sets[life] as number; left > 0; left--) {
        const kind = kinds.u8();
        const field = fieldOfKind(kind);
        const authority = authorityOfKind(kind);
        if (fieldType(field) === undefined) throw damaged();
        if (authority === LONG_AGO_AUTHORITY) {
          const nothing = isTextField(fieldType(field)) ? 0 : Number.NaN;
          if (isWanted) entries.push(field, LONG_AGO, 0, nothing);
          continue;
        }
        const at = sinces.time(since);
        if (isDelta(at)) since = at;
        let value: number;
        if (IS_TEXT[field]) value = values.uint();
        else if (field === FIELDS.nsTid.id || field === FIELDS.nsPid.id) value = values.delta(this.tid[life] as number);
        else if (field === FIELDS.parent.id) value = values.delta(this.id[life] as number);
        else {
          value = values.delta(lastOf[field] as number);
          if (isDelta(value)) lastOf[field] = value;
        }
        if (isWanted) entries.push(field, at, authority, value);
      }
      for (let i = entries.length - 4; i >= 0; i -= 4) {
        visitor.entry(
          life,
          entries[i] as number,
          entries[i + 1] as EventNs,
          entries[i + 2] as Authority,
          entries[i + 3] as number,
        );
      }
    }
  }
}

/** The texts of a block. */
export class BlockTexts {
  readonly #bytes: Buffer;
  readonly #ends: Uint32Array;
  readonly #known: (string | undefined)[] = [];

  /** @throws DendroError DENDRO_HISTORY_DAMAGED */
  constructor(bytes: Uint8Array) {
    const from = new ByteReader(bytes);
    const count = from.uint();
    if (count > bytes.length) throw damaged();
    this.#ends = new Uint32Array(count);
    let end = 0;
    for (let i = 0; i < count; i++) {
      end += from.uint();
      this.#ends[i] = end;
    }
    const utf8 = from.raw(end);
    this.#bytes = Buffer.from(utf8.buffer, utf8.byteOffset, utf8.length);
  }

  get count(): number {
    return this.#ends.length;
  }

  get byteLength(): number {
    return 2 * this.#bytes.length + 8 * MAX_INDEXED * this.count;
  }

  /** @param index as in an entry: plus one, 0 "not known" */
  textOf(index: number): string | undefined {
    if (index === 0) return undefined;
    const known = this.#known[index];
    if (known !== undefined) return known;
    const end = this.#ends[index - 1];
    if (end === undefined) throw damaged();
    const text = this.#bytes.toString('utf8', index === 1 ? 0 : this.#ends[index - 2], end);
    while (this.#known.length < index) this.#known.push(undefined);
    this.#known[index] = text;
    return text;
  }

  /** The trees that asked last, and what texts are in them. */
  #indexed: { readonly tree: TemporalTree; readonly generation: number; readonly indexes: Int32Array }[] = [];

  /** Index of a text, as in an entry -> what it is in a tree, 0 = not looked up yet. Of a few trees it is remembered. */
  indexesIn(tree: TemporalTree): Int32Array {
    const generation = tree.textGeneration;
    const known = this.#indexed.find((one) => one.tree === tree && one.generation === generation);
    if (known !== undefined) return known.indexes;
    const indexes = new Int32Array(this.count + 1);
    const others = this.#indexed.filter((one) => one.tree !== tree).slice(0, MAX_INDEXED - 1);
    this.#indexed = [{ tree, generation, indexes }, ...others];
    return indexes;
  }
}

const IS_TEXT: readonly boolean[] = Array.from({ length: MAX_FIELDS }, (_, field) => isTextField(fieldType(field)));

function relative(coded: number, id: number): number {
  if (coded === 0) return 0;
  const value = coded - 1;
  return id - (value % 2 === 0 ? value / 2 : -(value + 1) / 2);
}

function authorityOf(value: number): Authority {
  if (value > MAX_AUTHORITY) throw damaged();
  return value as Authority;
}

function readTask(from: ByteReader, life: number, id: number, start: number, entityIds: EntityIds): ExtraTask {
  const tid = from.int() as Tid;
  const began = from.time(start) as EventNs;
  const pid = (tid + from.int()) as Tid;
  const leader = relative(from.uint(), id) as TaskId;
  const creator = relative(from.uint(), id) as TaskId;
  const entity = from.uint();
  const entityId = entity === 0 ? entityIds.of(tid, began) : ((entity - 1) as EntityId);
  const flags = from.u8();
  return { life, tid, pid, leader, creator, start: began, entityId, flags, authority: authorityOf(from.u8()) };
}

function readExit(from: ByteReader, life: number, start: number): ExtraExit {
  const at = from.time(start) as EventNs;
  const authority = authorityOf(from.u8());
  return { life, at, authority, code: from.uint() - 1, signal: from.uint() - 1 };
}
