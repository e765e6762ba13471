// Everything that is in no block, as of a row of the log: where a start begins to read batches again.

import type { EventNs, TaskId } from '@dendro/protocol';
import { PackedBlock, packBlock } from '../codec/packed-block.ts';
import type { OpenLives } from '../lives/open-lives.ts';
import { TreeLoader } from '../lives/tree-loader.ts';
import type { Database } from './database.ts';
import type { Era } from './eras.ts';

const KEPT = 2;
const EVER = Number.NEGATIVE_INFINITY as EventNs;
const FOREVER = Number.POSITIVE_INFINITY as EventNs;

/** What was there when it was made: the last row of the log, the last block. */
export interface KeyframePlace {
  readonly log: number;
  readonly block: number;
}

interface Row extends KeyframePlace {
  readonly id: number;
  readonly era: number;
  readonly at: number;
  readonly newest_id: number;
  readonly data: Uint8Array;
}

export interface LoadedKeyframe extends KeyframePlace {
  readonly open: OpenLives;
}

export class Keyframes {
  readonly #database: Database;
  #oldestLog = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Rows of the log up to here are needed for no start. */
  get oldestLog(): number {
    return this.#oldestLog;
  }

  /** Inside of a transaction. */
  save(open: OpenLives, era: Era, { log, block }: KeyframePlace): void {
    open.sweep();
    const encoded = open.encodeAll();
    const at = Number.isFinite(open.newest) ? Math.ceil(open.newest) : 0;
    // At first: the new one lies where the oldest was.
    this.#database
      .prepare('DELETE FROM keyframe WHERE id <= (SELECT id FROM keyframe ORDER BY id DESC LIMIT 1 OFFSET ?)')
      .run(KEPT - 1);
    this.#database
      .prepare('INSERT INTO keyframe (era, log, block, at, newest_id, lives, data) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(era.id, log, block, at, open.newestId, encoded.lives, packBlock(encoded));
    this.#oldestLog =
      (this.#database.prepare('SELECT min(log) FROM keyframe WHERE era = ?').pluck().get(era.id) as number | null) ?? 0;
  }

  /** Of the newest: about so many the next will take. */
  get bytes(): number {
    const newest = this.#database.prepare('SELECT length(data) FROM keyframe ORDER BY id DESC LIMIT 1').pluck().get();
    return (newest as number | undefined) ?? 0;
  }

  /** Inside of a transaction. */
  dropOthersThan(era: Era): void {
    this.#database.prepare('DELETE FROM keyframe WHERE era <> ?').run(era.id);
  }

  /**
   * The newest that can be read.
   * @param newOpen makes what it is loaded into; of each that is tried, a new one
   * @param onDamaged is called for each that cannot be read: an earlier one, or the batches from the beginning, will do
   */
  load(era: Era, newOpen: (newestId: number) => OpenLives, onDamaged: () => void): LoadedKeyframe | undefined {
    const rows = this.#database.prepare('SELECT * FROM keyframe WHERE era = ? ORDER BY id DESC').all(era.id) as Row[];
    for (const row of rows) {
      const open = newOpen(row.newest_id);
      try {
        fill(open, row, era);
        return { open, log: row.log, block: row.block };
      } catch {
        onDamaged();
      }
    }
    return undefined;
  }
}

function fill(open: OpenLives, { data, at }: Row, era: Era): void {
  const block = new PackedBlock(() => data, era.base);
  new TreeLoader(open.tree).load(block, EVER, FOREVER);
  const { rows } = block;
  open.noteNewest(at as EventNs);
  for (let life = 0; life < rows.lives; life++) {
    const [from, to] = [rows.from[life] as EventNs, rows.to[life] as EventNs];
    open.resume(rows.id[life] as TaskId, from, to, rows.isPart[life] === 1);
  }
}
