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
  readonly facts: number;
  readonly data: Uint8Array;
}

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

  constructor(database: Database) {
    this.#database = database;
    this.#packer = new BatchPacker({ epochNs: 0n });
    this.#insert = database.prepare('INSERT INTO log (era, at0, at1, batches, facts, data) VALUES (?, ?, ?, ?, ?, ?)');
    this.#newestId = (database.prepare('SELECT max(id) FROM log').pluck().get() as number | null) ?? 0;
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

  /** Batches that were recorded in `[from, to]`. */
  *between(
    era: number,
    base: TimeBase,
    from: EventNs,
    to: EventNs,
    onDamaged: (at0: EventNs, at1: EventNs) => void,
  ): Generator<LoggedBatch> {
    const ids = this.#database
      .prepare('SELECT id FROM log WHERE era = ? AND at1 >= ? AND at0 <= ? ORDER BY id')
      .pluck()
      .all(era, from, to) as number[];
    const select = this.#database.prepare('SELECT * FROM log WHERE id = ?');
    for (const id of ids) {
      const row = select.get(id) as Row | undefined;
      if (row === undefined) continue;
      for (const batch of this.#read(row, base, onDamaged)) if (batch.at >= from && batch.at <= to) yield batch;
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
