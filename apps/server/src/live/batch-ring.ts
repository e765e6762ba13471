// The last batches, encoded as frames: a browser that comes back gets what it
// missed, if that is still here.

import type { Version } from '@dendro/protocol';

export interface RingEntry {
  readonly from: Version;
  readonly to: Version;
  readonly frame: Uint8Array<ArrayBuffer>;
}

export class BatchRing {
  readonly #entries: RingEntry[] = [];
  #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(entry: RingEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.frame.length;
    this.#trim();
  }

  set maxBytes(bytes: number) {
    this.#maxBytes = bytes;
    this.#trim();
  }

  /** The batches that lead from `version` to `newest`; undefined when some are gone or the version is not one of ours. */
  since(version: Version, newest: Version): readonly RingEntry[] | undefined {
    if (version === newest) return [];
    const first = this.#entries.findIndex((entry) => entry.from === version);
    return first < 0 ? undefined : this.#entries.slice(first);
  }

  #trim(): void {
    while (this.#bytes > this.#maxBytes) this.#bytes -= this.#entries.shift()?.frame.length ?? 0;
  }
}
