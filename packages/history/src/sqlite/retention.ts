// What is too old, or more than there may be, goes: the oldest first, a few rows with each flush so that
// recording does not wait. First the edge moves, then what lies behind it is deleted: nothing is
// answered from a time of which a part is gone.

import { type EventNs, epochOf } from '@dendro/protocol';
import type { BlockStore } from './block-store.ts';
import type { Counters } from './counters.ts';
import type { Database } from './database.ts';
import type { Era, Eras } from './eras.ts';

export interface RetentionLimits {
  readonly maxAgeNs: bigint | undefined;
  /** Of the file and of its journal. */
  readonly maxBytes: number;
  readonly journalBytes: () => number;
}

/** Rows of each table that one flush deletes at most. */
const ROWS_PER_STEP = 16;
/** The edge moves by this part of what is kept, when there is too much. */
const SHARE = 1 / 64;

export class Retention {
  readonly #database: Database;
  readonly #blocks: BlockStore;
  readonly #eras: Eras;
  readonly #counters: Counters;
  readonly #limits: RetentionLimits;
  #dropped = new Set<number>();

  constructor(database: Database, blocks: BlockStore, eras: Eras, counters: Counters, limits: RetentionLimits) {
    this.#database = database;
    this.#blocks = blocks;
    this.#eras = eras;
    this.#counters = counters;
    this.#limits = limits;
  }

  /** Inside of a transaction. `noteSaved` follows when it has succeeded. */
  step(current: Era): void {
    this.#dropped.clear();
    const isCleared = this.#deleteBehindEdge();
    if (!isCleared) return;
    const edge = this.#edgeByAge(current) ?? this.#edgeBySize(current);
    if (edge !== undefined) this.#moveEdge(edge.era, edge.at);
  }

  noteSaved(): void {
    if (this.#dropped.size > 0) this.#blocks.drop(this.#dropped);
    this.#dropped = new Set();
  }

  /** Bytes of the file that hold something, and those of its journal. */
  get usedBytes(): number {
    const value = (pragma: string) => this.#database.pragma(pragma, { simple: true }) as number;
    return (value('page_count') - value('freelist_count')) * value('page_size') + this.#limits.journalBytes();
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
    if (this.usedBytes <= this.#limits.maxBytes) return undefined;
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
    era.began = Math.floor(at) as EventNs;
    this.#eras.save(era);
    this.#counters.dropBefore(epochOf(era.base, era.began));
  }

  /** @returns whether nothing is left behind the edge */
  #deleteBehindEdge(): boolean {
    const [first] = this.#eras.all;
    if (first?.began === undefined) return true;
    const blocks = this.#blocks.entries.filter(({ era, to }) => era === first.id && to < (first.began as number));
    for (const { id } of blocks.slice(0, ROWS_PER_STEP)) {
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
      .run(first.id, first.began, first.id, ROWS_PER_STEP);
    this.#database.prepare('DELETE FROM gap WHERE era = ? AND t1 < ?').run(first.id, first.began);
    if (blocks.length > ROWS_PER_STEP || changes === ROWS_PER_STEP) return false;
    const isOver = first !== this.#eras.last && first.newest !== undefined && first.began > first.newest;
    if (isOver) this.#eras.drop(first);
    return true;
  }
}
