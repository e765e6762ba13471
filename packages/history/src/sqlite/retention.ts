// What is too old, or more than there may be, goes: the oldest first, a few rows with each flush so that
// recording does not wait, some more where too much comes. First the edge moves, then what lies behind it is deleted: nothing is
// answered from a time of which a part is gone.

import { type EventNs, epochOf } from '@dendro/protocol';
import type { BlockStore } from './block-store.ts';
import type { Counters } from './counters.ts';
import type { Database } from './database.ts';
import type { Era, Eras } from './eras.ts';
import type { WallClock } from './wall-clock.ts';

export interface RetentionLimits {
  readonly maxAgeNs: bigint | undefined;
  /** @returns by how much there is too much, when so many bytes more are written */
  readonly excessWith: (bytes: number) => number;
}

/** Rows of each table that are deleted at once. */
const ROWS_PER_STEP = 16;
/** The same where there is hardly any room: each needs some of the journal. */
const ROWS_WHEN_TIGHT = 2;
/** With one flush, as long as there is too much. */
const MAX_STEPS = 8;
/** The edge moves by this part of what is kept, when there is too much. */
const SHARE = 1 / 64;

export class Retention {
  readonly #database: Database;
  readonly #blocks: BlockStore;
  readonly #eras: Eras;
  readonly #counters: Counters;
  readonly #wallClock: WallClock;
  readonly #limits: RetentionLimits;
  readonly #dropped = new Set<number>();
  #isSettled = false;
  /** Where it was before the last step. */
  #moved: { readonly era: Era; readonly from: EventNs | undefined } | undefined;

  constructor(
    database: Database,
    blocks: BlockStore,
    eras: Eras,
    counters: Counters,
    wallClock: WallClock,
    limits: RetentionLimits,
  ) {
    this.#database = database;
    this.#blocks = blocks;
    this.#eras = eras;
    this.#counters = counters;
    this.#wallClock = wallClock;
    this.#limits = limits;
  }

  /** Has the last step found nothing to do? */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /**
   * Inside of a transaction. `noteSaved` follows when it has succeeded, `noteFailed` when not.
   * @param bytes that are to be written next
   * @param isTight whether there is hardly any room: then little is done, which needs little
   */
  step(current: Era, bytes: number, isTight: boolean): void {
    this.#dropped.clear();
    this.#isSettled = false;
    this.#moved = undefined;
    for (let step = 0; step < (isTight ? 1 : MAX_STEPS); step++) {
      const isTooMuch = this.#limits.excessWith(bytes) > 0;
      if (this.#deleteBehindEdge(isTight ? ROWS_WHEN_TIGHT : ROWS_PER_STEP)) {
        const edge = this.#edgeByAge(current) ?? (isTooMuch ? this.#edgeBySize(current) : undefined);
        this.#isSettled = edge === undefined;
        if (edge !== undefined) this.#moveEdge(edge.era, edge.at);
      }
      if (!isTooMuch || this.#isSettled) return;
    }
  }

  noteSaved(): void {
    if (this.#dropped.size > 0) this.#blocks.drop(this.#dropped);
    this.#dropped.clear();
  }

  noteFailed(): void {
    if (this.#moved !== undefined) this.#moved.era.began = this.#moved.from;
    this.#dropped.clear();
    this.#isSettled = false;
  }

  #edgeByAge(current: Era): { era: Era; at: EventNs } | undefined {
    const { maxAgeNs } = this.#limits;
    if (maxAgeNs === undefined || current.newest === undefined) return undefined;
    const edgeNs = epochOf(current.base, current.newest) - maxAgeNs;
    const [first] = this.#eras.all;
    if (first === undefined) return undefined;
    const at = Number(edgeNs - first.base.epochNs);
    const moved = first.began === undefined ? at : at - first.began;
    // Not for every nanosecond: by a part of what is kept.
    return moved > Number(maxAgeNs) * SHARE ? { era: first, at: at as EventNs } : undefined;
  }

  #edgeBySize(current: Era): { era: Era; at: EventNs } | undefined {
    const [first] = this.#eras.all;
    if (first === undefined) return undefined;
    const newest = first.newest ?? current.newest;
    const oldest = this.#oldestIn(first);
    if (newest === undefined || oldest === undefined)
      return first === current ? undefined : { era: first, at: (newest ?? 0) as EventNs };
    return { era: first, at: (oldest + Math.max(1, (newest - oldest) * SHARE)) as EventNs };
  }

  #oldestIn(era: Era): number | undefined {
    if (era.began !== undefined) return era.began;
    return (
      (this.#database.prepare('SELECT min(at0) FROM log WHERE era = ?').pluck().get(era.id) as number | null) ??
      undefined
    );
  }

  #moveEdge(era: Era, at: EventNs): void {
    this.#moved ??= { era, from: era.began };
    era.began = Math.floor(at) as EventNs;
    this.#eras.save(era);
    this.#counters.dropBefore(epochOf(era.base, era.began));
    this.#wallClock.dropBehind(era);
  }

  /** @returns whether nothing is left behind the edge */
  #deleteBehindEdge(rows: number): boolean {
    const [first] = this.#eras.all;
    if (first?.began === undefined) return true;
    const edge = first.began;
    const blocks = this.#blocks.entries.filter(
      ({ id, era, to }) => era === first.id && to < edge && !this.#dropped.has(id),
    );
    for (const { id } of blocks.slice(0, rows)) {
      this.#database.prepare('DELETE FROM block WHERE id = ?').run(id);
      this.#database.prepare('DELETE FROM block_data WHERE id = ?').run(id);
      this.#dropped.add(id);
    }
    // A start needs the batches since the older keyframe.
    const { changes } = this.#database
      .prepare(
        `DELETE FROM log WHERE id IN (SELECT id FROM log WHERE era = ? AND at1 < ?
         AND id <= coalesce((SELECT min(log) FROM keyframe WHERE era = ?), id) ORDER BY id LIMIT ?)`,
      )
      .run(first.id, first.began, first.id, rows);
    this.#database.prepare('DELETE FROM gap WHERE era = ? AND t1 < ?').run(first.id, first.began);
    if (blocks.length > rows || changes === rows) return false;
    const isOver = first !== this.#eras.last && first.newest !== undefined && first.began > first.newest;
    if (isOver) this.#eras.drop(first);
    return true;
  }
}
