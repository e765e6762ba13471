// The order of batches [FA9]. Each leads from one version of the tree to a
// later one, and a replica knows what the server knew at a version only when
// it has merged exactly the batches up to it. A bus, or a second socket,
// delivers them early, late and twice: this puts them in order, in bounded
// memory, and says when that is no longer possible.

import type { Version } from '@dendro/protocol';

export interface SequencedBatch {
  readonly from: Version;
  readonly to: Version;
  readonly bytes: Uint8Array;
}

export interface BatchSequenceOptions {
  /** Early batches that are held back at most. Default 64. */
  readonly maxWaiting?: number | undefined;
  /** Their bytes together, at most. Default 4 MiB. */
  readonly maxWaitingBytes?: number | undefined;
}

/** What became of a batch. Only when it was `merged` has the version risen. */
export type BatchOutcome = 'merged' | 'waiting' | 'repeated' | 'dropped';

export class BatchSequence<B extends SequencedBatch = SequencedBatch> {
  readonly #merge: (batch: B) => void;
  readonly #maxWaiting: number;
  readonly #maxWaitingBytes: number;
  /** By the version that they start from. */
  readonly #waiting = new Map<Version, B>();
  #waitingBytes = 0;
  #version: Version | undefined;
  #needsSnapshot = false;

  /** @param merge gets each batch once, in order of versions. When it throws, the batch counts as not arrived. */
  constructor(
    merge: (batch: B) => void,
    { maxWaiting = 64, maxWaitingBytes = 4 * 2 ** 20 }: BatchSequenceOptions = {},
  ) {
    this.#merge = merge;
    this.#maxWaiting = maxWaiting;
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  /** What the merged batches led to; undefined before the first `reset`: until then every batch waits. */
  get version(): Version | undefined {
    return this.#version;
  }

  /** Batches held back. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Will what is missing not come, or not fit? True from the batch that was dropped until `reset`. What continues
   * the version is merged all the same.
   */
  get needsSnapshot(): boolean {
    return this.#needsSnapshot;
  }

  /** Merges the batch, and those that waited for it; or keeps it until its turn. */
  take(batch: B): BatchOutcome {
    const version = this.#version;
    if (version !== undefined && batch.to <= version) return 'repeated';
    if (version === undefined || batch.from > version) return this.#hold(batch);
    // It begins before the version and ends after it. To merge it would say things of tasks again that may have been
    // forgotten in between.
    if (batch.from < version) return this.#drop();
    this.#advance(batch);
    this.#continue();
    return 'merged';
  }

  /** A snapshot of this version is in place: goes on from there. Batches that wait for later versions stay. */
  reset(version: Version): void {
    this.#version = version;
    this.#needsSnapshot = false;
    this.#continue();
  }

  #advance(batch: B): void {
    this.#merge(batch);
    this.#version = batch.to;
  }

  /** Merges what has waited for this version, and lets go of what has become too late. */
  #continue(): void {
    if (this.#waiting.size === 0) return;
    for (let next = this.#nextOne(); next !== undefined; next = this.#nextOne()) {
      this.#release(next);
      this.#advance(next);
    }
    const version = this.#version as Version;
    for (const batch of [...this.#waiting.values()]) {
      if (batch.from > version) continue;
      this.#release(batch);
      if (batch.to > version) this.#drop();
    }
  }

  #nextOne(): B | undefined {
    return this.#version === undefined ? undefined : this.#waiting.get(this.#version);
  }

  #hold(batch: B): BatchOutcome {
    const known = this.#waiting.get(batch.from);
    if (known !== undefined) {
      if (known.to >= batch.to) return 'repeated';
      this.#release(known);
    }
    this.#waiting.set(batch.from, batch);
    this.#waitingBytes += batch.bytes.length;
    // The snapshot that is needed now will most likely hold what the earliest of them say.
    while (this.#waiting.size > this.#maxWaiting || this.#waitingBytes > this.#maxWaitingBytes) this.#dropEarliest();
    return this.#waiting.get(batch.from) === batch ? 'waiting' : 'dropped';
  }

  #dropEarliest(): void {
    let earliest: B | undefined;
    for (const batch of this.#waiting.values()) {
      if (earliest === undefined || batch.from < earliest.from) earliest = batch;
    }
    if (earliest !== undefined) this.#release(earliest);
    this.#drop();
  }

  #release(batch: B): void {
    this.#waiting.delete(batch.from);
    this.#waitingBytes -= batch.bytes.length;
  }

  #drop(): BatchOutcome {
    this.#needsSnapshot = true;
    return 'dropped';
  }
}
