// Batches as they came, those of one flush in one row. What is in no block can be made of them
// again after a crash, and who wants a recording gets it byte for byte.

import type { EventNs, TimeBase } from '@dendro/protocol';
import { BatchPacker } from '../codec/batch-pack.ts';
import { ByteReader, ByteWriter } from '../codec/bytes.ts';
import { compress, decompress } from '../codec/packed-block.ts';
import type { Database } from './database.ts';

export interface LoggedBatch {
  readonly at: EventNs;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Row {
  readonly id: number;
  readonly at0: number;
  readonly at1: number;
  readonly batches: number;
  readonly facts: number;
  readonly data: Uint8Array;
}

/** So many facts in a row compress nearly as well as any number. */
const COMPACT_FACTS = 65_536;
const MAX_COMPACTED = 2048;

export class BatchLog {
  readonly #database: Database;
  readonly #insert;
  #packer: BatchPacker;
  readonly #frame = new ByteWriter(1 << 16);
  #era = 0;
  #batches = 0;
  #facts = 0;
  #at0 = Number.POSITIVE_INFINITY;
  #at1 = Number.NEGATIVE_INFINITY;
  #newestId: number;
  readonly #select;
  readonly #selectSizes;
  #compactedTo: number;
  /** How often rows were put together. */
  #merges = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#packer = new BatchPacker({ epochNs: 0n });
    this.#insert = database.prepare('INSERT INTO log (era, at0, at1, batches, facts, data) VALUES (?, ?, ?, ?, ?, ?)');
    this.#newestId = (database.prepare('SELECT max(id) FROM log').pluck().get() as number | null) ?? 0;
    this.#select = database.prepare('SELECT * FROM log WHERE id = ?');
    this.#selectSizes = database.prepare(
      `SELECT id, era, facts FROM log WHERE id > ? AND id <= ? ORDER BY id LIMIT ${MAX_COMPACTED}`,
    );
    this.#compactedTo = this.#newestId;
  }

  begin(era: number, base: TimeBase): void {
    this.#era = era;
    this.#packer = new BatchPacker(base);
  }

  /** Of the last row that is in the file. */
  get newestId(): number {
    return this.#newestId;
  }

  get pendingBatches(): number {
    return this.#batches;
  }

  get pendingBytes(): number {
    return this.#frame.length;
  }

  append(batch: Uint8Array, facts: number, at: EventNs): void {
    this.#frame.f64(at);
    this.#packer.pack(batch, this.#frame);
    this.#batches++;
    this.#facts += facts;
    this.#at0 = Math.min(this.#at0, at);
    this.#at1 = Math.max(this.#at1, at);
  }

  /** Inside of a transaction. `noteSaved` follows when it has succeeded. */
  save(): void {
    if (this.#batches === 0) return;
    const data = compress(this.#frame.view());
    const [at0, at1] = [whole(Math.floor(this.#at0)), whole(Math.ceil(this.#at1))];
    const { lastInsertRowid } = this.#insert.run(this.#era, at0, at1, this.#batches, this.#facts, data);
    this.#newestId = Number(lastInsertRowid);
  }

  noteSaved(): void {
    this.#frame.clear();
    this.#batches = 0;
    this.#facts = 0;
    this.#at0 = Number.POSITIVE_INFINITY;
    this.#at1 = Number.NEGATIVE_INFINITY;
  }

  /**
   * Puts the batches of many small rows into one, up to a row that no start needs by itself: a flush of a quiet host has few
   * facts, and few compress badly. Inside of a transaction; one row at each call.
   */
  compact(before: number): void {
    const rows = this.#selectSizes.all(this.#compactedTo, before) as { id: number; era: number; facts: number }[];
    const [first] = rows;
    if (first === undefined) return;
    let facts = 0;
    let count = 0;
    for (const row of rows) {
      if (row.era !== first.era || facts >= COMPACT_FACTS) break;
      facts += row.facts;
      count++;
    }
    // More may come that fits in.
    if (count === rows.length && count < MAX_COMPACTED && facts < COMPACT_FACTS) return;
    const group = rows.slice(0, count);
    if (count > 1) this.#merge(group.map(({ id }) => id));
    this.#compactedTo = group.at(-1)?.id ?? this.#compactedTo;
  }

  #merge(ids: readonly number[]): void {
    const rows = ids.map((id) => this.#select.get(id) as Row | undefined).filter((row) => row !== undefined);
    const [first, ...others] = rows;
    if (first === undefined) return;
    const parts: Uint8Array[] = [];
    try {
      for (const { data } of rows) parts.push(decompress(data));
    } catch {
      return; // what is damaged stays where it is, to be found by whoever reads it
    }
    const sum = (of: 'facts' | 'batches') => rows.reduce((total, row) => total + row[of], 0);
    const at0 = Math.min(...rows.map((row) => row.at0));
    const at1 = Math.max(...rows.map((row) => row.at1));
    this.#database
      .prepare('UPDATE log SET at0 = ?, at1 = ?, batches = ?, facts = ?, data = ? WHERE id = ?')
      .run(at0, at1, sum('batches'), sum('facts'), compress(Buffer.concat(parts)), first.id);
    this.#merges++;
    const remove = this.#database.prepare('DELETE FROM log WHERE id = ?');
    for (const { id } of others) remove.run(id);
  }

  /**
   * Batches of the rows after one, in the order in which they came.
   * @param onDamaged is called for a row that cannot be read, with its times; the others follow
   */
  *after(
    id: number,
    era: number,
    base: TimeBase,
    onDamaged: (at0: EventNs, at1: EventNs) => void,
  ): Generator<LoggedBatch> {
    const next = this.#database.prepare('SELECT * FROM log WHERE id > ? AND era = ? ORDER BY id LIMIT 1');
    for (
      let row = next.get(id, era) as Row | undefined;
      row !== undefined;
      row = next.get(row.id, era) as Row | undefined
    ) {
      yield* this.#read(row, base, onDamaged);
    }
  }

  /**
   * Batches that were recorded in `[from, to]`. Whoever reads them may take their time: rows that were put together meanwhile are
   * looked for anew, by the time of the last batch that was given.
   */
  *between(
    era: number,
    base: TimeBase,
    from: EventNs,
    to: EventNs,
    onDamaged: (at0: EventNs, at1: EventNs) => void,
  ): Generator<LoggedBatch> {
    const next = this.#database.prepare(
      'SELECT * FROM log WHERE id > ? AND era = ? AND at1 >= ? AND at0 <= ? ORDER BY id LIMIT 1',
    );
    let [afterId, last, given] = [0, from, 0];
    for (let isAgain = false; ; ) {
      const row = next.get(afterId, era, Math.floor(isAgain ? last : from), Math.ceil(to)) as Row | undefined;
      if (row === undefined) return;
      const merges = this.#merges;
      // Of the instant of the last one, as many as were given before are in it again.
      let passedOver = isAgain ? given : 0;
      for (const batch of this.#read(row, base, onDamaged)) {
        const { at } = batch;
        if (at < from || at > to || (isAgain && at < last)) continue;
        if (at > last) [last, given, passedOver] = [at, 0, 0];
        if (passedOver-- > 0) continue;
        given++;
        yield batch;
      }
      isAgain = merges !== this.#merges;
      afterId = isAgain ? 0 : row.id;
    }
  }

  *#read(row: Row, base: TimeBase, onDamaged: (at0: EventNs, at1: EventNs) => void): Generator<LoggedBatch> {
    const packer = new BatchPacker(base);
    try {
      const from = new ByteReader(decompress(row.data));
      while (!from.isAtEnd) {
        const at = from.f64() as EventNs;
        yield { at, bytes: packer.unpack(from) };
      }
    } catch {
      // Whatever is wrong with it: what was read of it before stays, the rest is said to be missing.
      onDamaged(row.at0 as EventNs, row.at1 as EventNs);
    }
  }
}

/** The clock of a feed that has said nothing yet is at -Infinity. */
function whole(at: number): number {
  return Number.isFinite(at) ? at : 0;
}
