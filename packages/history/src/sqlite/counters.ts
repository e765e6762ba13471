// How many processes began, ran something and ended in each second: for the strip under the time
// slider. Seconds are summed up to minutes and hours as they come, so that a range of any length is
// read from some thousand rows at most.

import type { EventNs, TimeBase } from '@dendro/protocol';
import type { Histogram } from '../history.ts';
import type { Database } from './database.ts';

const SECOND_NS = 1_000_000_000n;
const TABLES = [
  { name: 'count_second', seconds: 1 },
  { name: 'count_minute', seconds: 60 },
  { name: 'count_hour', seconds: 3600 },
] as const;
/** Rows read for one answer: about a microsecond each. */
const MAX_ROWS = 8000;
const KINDS = 3;

export class Counters {
  readonly #database: Database;
  readonly #upserts;
  /** By table: epoch second -> births, execs, exits, not in the file yet. */
  readonly #pending = TABLES.map(() => new Map<number, Float64Array>());
  #base: bigint;
  /** What began before is not counted: it was there already when recording began. */
  #since = Number.NEGATIVE_INFINITY;
  #lastSecond = Number.NaN;
  #last: Float64Array = new Float64Array(KINDS);

  constructor(database: Database, base: TimeBase) {
    this.#database = database;
    this.#base = base.epochNs;
    this.#upserts = TABLES.map(({ name }) =>
      database.prepare(
        `INSERT INTO ${name} VALUES (?, ?, ?, ?) ON CONFLICT (t) DO UPDATE
         SET births = births + excluded.births, execs = execs + excluded.execs, exits = exits + excluded.exits`,
      ),
    );
  }

  begin(base: TimeBase, since: EventNs): void {
    this.#base = base.epochNs;
    this.#since = since;
    this.#lastSecond = Number.NaN;
  }

  birth(at: EventNs): void {
    if (at >= this.#since) this.#count(at, 0);
  }

  exec(at: EventNs): void {
    if (at >= this.#since) this.#count(at, 1);
  }

  exit(at: EventNs): void {
    if (at >= this.#since) this.#count(at, 2);
  }

  /** Inside of a transaction. `noteSaved` follows when it has succeeded. */
  save(): void {
    const [seconds, ...others] = this.#pending;
    if (seconds === undefined || seconds.size === 0) return;
    for (const [i, sums] of others.entries()) {
      const unit = TABLES[i + 1]?.seconds ?? 1;
      sums.clear();
      for (const [second, counts] of seconds) {
        const slot = Math.floor(second / unit) * unit;
        const sum = sums.get(slot) ?? new Float64Array(KINDS);
        for (let kind = 0; kind < KINDS; kind++) (sum[kind] as number) += counts[kind] as number;
        sums.set(slot, sum);
      }
    }
    for (const [i, sums] of this.#pending.entries()) {
      for (const [t, [births, execs, exits]] of sums) this.#upserts[i]?.run(t, births, execs, exits);
    }
  }

  noteSaved(): void {
    for (const sums of this.#pending) sums.clear();
    this.#lastSecond = Number.NaN;
  }

  /** Forgets what is not saved: of a stretch that is taken in again. */
  discard(): void {
    this.noteSaved();
  }

  /**
   * Sums in buckets of one length. They begin at whole multiples of it, so that there is one more than `buckets` at most;
   * the longer the range, the coarser the unit (seconds, minutes, hours) that it is counted in.
   */
  histogram(from: bigint, to: bigint, buckets: number): Histogram {
    const span = Number((to - from) / SECOND_NS) + 1;
    const table =
      TABLES.find(({ seconds }, i) => span / seconds <= MAX_ROWS || i === TABLES.length - 1) ??
      TABLES[TABLES.length - 1];
    const unit = table?.seconds ?? 1;
    const width = Math.max(unit, Math.ceil(span / Math.max(1, buckets) / unit) * unit);
    const first = Math.floor(Number(from / SECOND_NS) / width) * width;
    const last = Number(to / SECOND_NS);
    const count = Math.floor((last - first) / width) + 1;
    const sums = Array.from({ length: KINDS }, () => new Array<number>(count).fill(0));
    const rows = this.#database
      .prepare(`SELECT t, births, execs, exits FROM ${table?.name} WHERE t >= ? AND t <= ?`)
      .raw()
      .all(first, last) as [number, number, number, number][];
    for (const [t, ...values] of rows) {
      const bucket = Math.floor((t - first) / width);
      for (let kind = 0; kind < KINDS; kind++)
        (sums[kind] as number[])[bucket] = (sums[kind]?.[bucket] ?? 0) + (values[kind] ?? 0);
    }
    const [births = [], execs = [], exits = []] = sums;
    return { firstEpochNs: BigInt(first) * SECOND_NS, bucketNs: BigInt(width) * SECOND_NS, births, execs, exits };
  }

  /** Inside of a transaction. Of the minute and the hour in which the edge is, what is left is counted anew. */
  dropBefore(epochNs: bigint): void {
    const second = Number(epochNs / SECOND_NS);
    for (const [i, { name, seconds }] of TABLES.entries()) {
      const slot = Math.floor(second / seconds) * seconds;
      this.#database.prepare(`DELETE FROM ${name} WHERE t < ?`).run(slot);
      const finer = TABLES[i - 1]?.name;
      if (finer === undefined) continue;
      const sum = (kind: string) => `(SELECT coalesce(sum(${kind}), 0) FROM ${finer} WHERE t < :end)`;
      this.#database
        .prepare(
          `UPDATE ${name} SET births = ${sum('births')}, execs = ${sum('execs')}, exits = ${sum('exits')} WHERE t = :slot`,
        )
        .run({ slot, end: slot + seconds });
    }
  }

  // hot: runs once per birth, exec and exit
  #count(at: number, kind: number): void {
    const second = Math.floor((Number(this.#base % SECOND_NS) + at) / 1e9) + Number(this.#base / SECOND_NS);
    if (second !== this.#lastSecond) {
      const seconds = this.#pending[0] as Map<number, Float64Array>;
      this.#last = seconds.get(second) ?? new Float64Array(KINDS);
      seconds.set(second, this.#last);
      this.#lastSecond = second;
    }
    (this.#last[kind] as number) += 1;
  }
}
