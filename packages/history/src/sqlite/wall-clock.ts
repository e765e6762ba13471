// What the wall clock said, and when it said what. Event time follows the boot clock alone; a wall clock can be set. From one
// reading to the next the two go side by side: a time that the wall clock has passed over is of no instant, one to
// which it was set back of two.

import { type EventNs, epochOf } from '@dendro/protocol';
import type { ClockReading } from '../history.ts';
import type { Database } from './database.ts';
import type { Era, Eras } from './eras.ts';

interface Reading {
  readonly era: number;
  readonly at: EventNs;
  readonly wallNs: bigint;
}

export class WallClock {
  readonly #database: Database;
  readonly #eras: Eras;
  readonly #insert;
  /** Not in the file yet. */
  #pending: Reading[] = [];

  constructor(database: Database, eras: Eras) {
    this.#database = database;
    this.#eras = eras;
    this.#insert = database.prepare('INSERT INTO clock (era, at, wall_ns) VALUES (?, ?, ?)');
  }

  note(era: Era, at: EventNs, wallNs: bigint): void {
    this.#pending.push({ era: era.id, at: Math.round(at) as EventNs, wallNs });
  }

  /** Inside of a transaction. `noteSaved` follows when it has succeeded. */
  save(): void {
    for (const { era, at, wallNs } of this.#pending) this.#insert.run(era, at, String(wallNs));
  }

  noteSaved(): void {
    this.#pending = [];
  }

  /** In the order in which they were taken. */
  readings(): ClockReading[] {
    const bases = new Map(this.#eras.all.map(({ id, base }) => [id, base]));
    return this.#all().flatMap(({ era, at, wallNs }) => {
      const base = bases.get(era);
      return base === undefined ? [] : [{ epochNs: epochOf(base, at), wallNs }];
    });
  }

  /**
   * The instants, as epoch time, at which the wall clock said this; the oldest first. Where it was never looked at, event
   * time is what it said.
   */
  instantsAt(wallNs: bigint): bigint[] {
    const all = this.#all();
    const instants: bigint[] = [];
    for (const era of this.#eras.all) {
      const readings = all.filter((one) => one.era === era.id);
      const ahead = readings.map(({ at, wallNs: wall }) => wall - epochOf(era.base, at));
      for (let i = 0; i < Math.max(1, readings.length); i++) {
        const epochNs = wallNs - (ahead[i] ?? 0n);
        const since = i === 0 ? era.began : readings[i]?.at;
        const until = readings[i + 1]?.at;
        if (since !== undefined && epochNs < epochOf(era.base, since)) continue;
        if (until !== undefined ? epochNs >= epochOf(era.base, until) : isAfter(era, epochNs)) continue;
        instants.push(epochNs);
      }
    }
    return instants;
  }

  /** Inside of a transaction: what says nothing of the time since the edge of an era. */
  dropBehind({ id, began }: Era): void {
    this.#database
      .prepare('DELETE FROM clock WHERE era = ? AND id < (SELECT max(id) FROM clock WHERE era = ? AND at <= ?)')
      .run(id, id, began ?? Number.NEGATIVE_INFINITY);
    this.#database.prepare('DELETE FROM clock WHERE era NOT IN (SELECT id FROM era)').run();
  }

  #all(): Reading[] {
    const rows = this.#database.prepare('SELECT era, at, wall_ns FROM clock ORDER BY id').raw().all() as [
      number,
      EventNs,
      string,
    ][];
    return [...rows.map(([era, at, wall]) => ({ era, at, wallNs: BigInt(wall) })), ...this.#pending];
  }
}

function isAfter({ base, newest }: Era, epochNs: bigint): boolean {
  return newest !== undefined && epochNs > epochOf(base, newest);
}
