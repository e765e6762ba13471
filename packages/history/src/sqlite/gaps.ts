// Times of which something is missing, and why.

import { type EventNs, epochOf, eventTimeOf } from '@dendro/protocol';
import type { GapReason, HistoryGap } from '../history.ts';
import type { Database } from './database.ts';
import type { Era, Eras } from './eras.ts';

interface Gap {
  readonly era: number;
  readonly from: EventNs;
  readonly to: EventNs;
  readonly lost: number;
  readonly why: GapReason;
}

export class Gaps {
  readonly #database: Database;
  readonly #eras: Eras;
  readonly #insert;
  /** Not in the file yet. */
  #pending: Gap[] = [];

  constructor(database: Database, eras: Eras) {
    this.#database = database;
    this.#eras = eras;
    this.#insert = database.prepare('INSERT INTO gap (era, t0, t1, lost, why) VALUES (?, ?, ?, ?, ?)');
  }

  note(era: Era, from: EventNs, to: EventNs, why: GapReason, lost = 0): void {
    this.#pending.push({ era: era.id, from, to, lost, why });
  }

  /** Of batches that are taken in again: what the source has lost is in the file already. */
  forgetTold(): void {
    this.#pending = this.#pending.filter(({ why }) => why !== 'source');
  }

  /** Inside of a transaction. `noteSaved` follows when it has succeeded. */
  save(): void {
    for (const { era, from, to, lost, why } of this.#pending) {
      this.#insert.run(era, Math.floor(from), Math.ceil(to), Math.round(lost), why);
    }
  }

  noteSaved(): void {
    this.#pending = [];
  }

  /** The earliest first. */
  between(fromEpochNs: bigint, toEpochNs: bigint): HistoryGap[] {
    const found: HistoryGap[] = [];
    const select = this.#database.prepare('SELECT t0, t1, lost, why FROM gap WHERE era = ? AND t1 >= ? AND t0 <= ?');
    for (const { id, base } of this.#eras.all) {
      const [from, to] = [eventTimeOf(base, fromEpochNs), eventTimeOf(base, toEpochNs)];
      const saved = select.raw().all(id, from, to) as [EventNs, EventNs, number, GapReason][];
      const pending = this.#pending.filter((gap) => gap.era === id && gap.to >= from && gap.from <= to);
      for (const [t0, t1, lost, why] of [
        ...saved,
        ...pending.map((gap) => [gap.from, gap.to, gap.lost, gap.why] as const),
      ]) {
        found.push({ fromEpochNs: epochOf(base, t0), toEpochNs: epochOf(base, t1), lost, why });
      }
    }
    return found.sort((a, b) => (a.fromEpochNs < b.fromEpochNs ? -1 : a.fromEpochNs > b.fromEpochNs ? 1 : 0));
  }
}
