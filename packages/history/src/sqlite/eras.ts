// Stretches of event time, one after the other: a boot of the host each. A time that two of them know,
// because the wall clock was set back in between, is one of the later.

import { DendroError, type EventNs, epochOf, eventTimeOf, formatRfc3339Ns, type TimeBase } from '@dendro/protocol';
import type { HostStart } from '../history.ts';
import type { Database } from './database.ts';

export interface Era {
  readonly id: number;
  readonly base: TimeBase;
  readonly bootId: string | undefined;
  readonly bootNs: bigint;
  /** First instant that can be asked about; undefined: any. */
  began: EventNs | undefined;
  /** Last one; undefined before anything was recorded. */
  newest: EventNs | undefined;
}

interface Row {
  readonly id: number;
  readonly base_ns: string;
  readonly boot_id: string | null;
  readonly boot_ns: string | null;
  readonly began: number | null;
  readonly newest: number | null;
}

export class Eras {
  readonly #database: Database;
  readonly #eras: Era[];
  readonly #update;

  constructor(database: Database) {
    this.#database = database;
    const rows = database.prepare('SELECT * FROM era ORDER BY id').all() as Row[];
    this.#eras = rows.map((row) => ({
      id: row.id,
      base: { epochNs: BigInt(row.base_ns) },
      bootId: row.boot_id ?? undefined,
      bootNs: BigInt(row.boot_ns ?? 0),
      began: (row.began ?? undefined) as EventNs | undefined,
      newest: (row.newest ?? undefined) as EventNs | undefined,
    }));
    this.#update = database.prepare('UPDATE era SET began = ?, newest = ? WHERE id = ?');
  }

  get all(): readonly Era[] {
    return this.#eras;
  }

  get last(): Era | undefined {
    return this.#eras.at(-1);
  }

  /** Is it the boot, or the feed, of the last era? */
  continues({ bootId, base }: HostStart): boolean {
    const { last } = this;
    if (last === undefined) return false;
    return bootId === undefined
      ? last.bootId === undefined && last.base.epochNs === base.epochNs
      : last.bootId === bootId;
  }

  /** One more, that is in the file when `insert` has put it there. */
  add({ base, bootId, bootNs, at }: HostStart): Era {
    const began = Number.isFinite(at) ? (Math.floor(at) as EventNs) : undefined;
    const era: Era = { id: (this.last?.id ?? 0) + 1, base, bootId, bootNs, began, newest: undefined };
    this.#eras.push(era);
    return era;
  }

  /** Inside of a transaction. One that is there already stays as it is. */
  insert({ id, base, bootId, bootNs, began }: Era): void {
    this.#database
      .prepare(
        'INSERT INTO era (id, base_ns, boot_id, boot_ns, began) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
      )
      .run(id, String(base.epochNs), bootId ?? null, String(bootNs), began ?? null);
  }

  /** Inside of a transaction. */
  save({ id, began, newest }: Era): void {
    const ceil = newest === undefined || !Number.isFinite(newest) ? null : Math.ceil(newest);
    this.#update.run(began === undefined ? null : Math.floor(began), ceil, id);
  }

  /** Inside of a transaction: forgets an era of which nothing is left. */
  drop(era: Era): void {
    this.#database.prepare('DELETE FROM era WHERE id = ?').run(era.id);
    this.#eras.splice(this.#eras.indexOf(era), 1);
  }

  /**
   * The era of a time. What no era knows, between two of them or after the last, is of the one before.
   * @throws DendroError DENDRO_HISTORY_TOO_OLD
   */
  at(epochNs: bigint): { readonly era: Era; readonly at: EventNs } {
    for (let i = this.#eras.length - 1; i >= 0; i--) {
      const era = this.#eras[i] as Era;
      const at = eventTimeOf(era.base, epochNs);
      if (era.began === undefined || at >= era.began) return { era, at };
    }
    const oldest = this.oldestEpochNs;
    if (oldest === undefined) throw new DendroError('DENDRO_HISTORY_TOO_OLD');
    throw new DendroError(
      'DENDRO_HISTORY_TOO_OLD',
      `The history does not reach back to that time: it begins at ${formatRfc3339Ns(oldest)}.`,
      { details: { oldest: String(oldest), nearest: String(oldest) } },
    );
  }

  get oldestEpochNs(): bigint | undefined {
    const first = this.#eras.find(({ began, newest }) => began !== undefined || newest !== undefined);
    return first?.began === undefined ? undefined : epochOf(first.base, first.began);
  }

  get newestEpochNs(): bigint | undefined {
    const { last } = this;
    return last?.newest === undefined ? undefined : epochOf(last.base, last.newest);
  }
}
