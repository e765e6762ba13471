// Recordings that are read out of a history piece by piece: each piece is made when it is asked for.

import { DendroError } from '@dendro/protocol';
import type { History, RecordedPart } from './history.ts';
import type { BegunStretch, ReadParts } from './messages.ts';

/** A piece has about so much. */
const PIECE_BYTES = 1024 * 1024;
/** Each holds a row of the log, and keeps the thread busy for as long as it is read. */
const MAX_OPEN = 8;
/** Whoever reads as slowly as that gives way when there is no room. */
const IDLE_MS = 60_000;

interface Open {
  readonly parts: Iterator<RecordedPart>;
  readAtMs: number;
}

export class OpenStretches {
  readonly #open = new Map<number, Open>();
  #next = 1;

  /** @throws DendroError DENDRO_HISTORY_TOO_OLD, DENDRO_BUSY */
  begin(history: History, fromEpochNs: bigint, toEpochNs: bigint): BegunStretch {
    this.#makeRoom();
    const { parts, ...about } = history.recording(fromEpochNs, toEpochNs);
    const stretch = this.#next++;
    this.#open.set(stretch, { parts, readAtMs: performance.now() });
    return { ...about, stretch };
  }

  /** @throws DendroError DENDRO_REQUEST_INVALID when it was left */
  readOn(stretch: number): ReadParts {
    const open = this.#open.get(stretch);
    if (open === undefined) throw new DendroError('DENDRO_REQUEST_INVALID', 'That recording is not being read.');
    open.readAtMs = performance.now();
    const parts: RecordedPart[] = [];
    for (let bytes = 0; bytes < PIECE_BYTES; ) {
      const { value, done } = open.parts.next();
      if (done === true) return { parts, isDone: true };
      parts.push(value);
      if (value.kind !== 'rest') bytes += value.bytes.length;
    }
    return { parts, isDone: false };
  }

  /** @throws DendroError DENDRO_BUSY */
  #makeRoom(): void {
    if (this.#open.size < MAX_OPEN) return;
    const idle = [...this.#open].find(([, { readAtMs }]) => performance.now() - readAtMs > IDLE_MS);
    if (idle === undefined) throw new DendroError('DENDRO_BUSY');
    this.leave(idle[0]);
  }

  leave(stretch: number): void {
    this.#open.get(stretch)?.parts.return?.();
    this.#open.delete(stretch);
  }
}
