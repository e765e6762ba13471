// Tracee's entity id, so that an id pasted from a Tracee event finds its task.
//
// MurmurHash3 (x86, 32 bit; Austin Appleby, public domain), seed 0x18273645,
// over twelve bytes, big endian: u32 host tid, then u64 start in epoch
// nanoseconds rounded down to 100 ms; to 10 ms by Tracee until August 2025. An
// alias: it collides, and two sources can round the same start into different
// buckets.

import type { EntityId, EventNs, TimeBase } from '@dendro/protocol';

const SEED = 0x18273645;
const BUCKET_NS = 100_000_000;
/** Of releases before August 2025. */
export const OLDER_BUCKET_NS = 10_000_000;

/** Hashes starts of one host. Starts are split so that the arithmetic is exact without BigInt: it runs once per birth. */
export class EntityIds {
  readonly #bucketNs: number;
  readonly #baseBucket: number;
  readonly #baseRest: number; // ns of the base above its bucket
  // The bucket of the last start: births that follow each other mostly share it.
  #bucketFrom = Number.NaN; // EventNs
  #high = 0; // its first nanosecond since the epoch, as two 32-bit words
  #low = 0;

  constructor(base: TimeBase, bucketNs = BUCKET_NS) {
    this.#bucketNs = bucketNs;
    this.#baseBucket = Number(base.epochNs / BigInt(bucketNs));
    this.#baseRest = Number(base.epochNs % BigInt(bucketNs));
  }

  of(tid: number, start: EventNs): EntityId {
    const since = start - this.#bucketFrom;
    if (!(since >= 0 && since < this.#bucketNs)) this.#enterBucket(start);
    return hashThreeWords(tid, this.#high, this.#low);
  }

  #enterBucket(start: EventNs): void {
    const bucketNs = this.#bucketNs;
    const buckets = Math.floor((this.#baseRest + Math.floor(start)) / bucketNs);
    this.#bucketFrom = buckets * bucketNs - this.#baseRest;
    const bucket = this.#baseBucket + buckets;
    // bucket * bucketNs as two 32-bit words.
    const high = Math.floor(bucket / 2 ** 24) * bucketNs;
    const low = (bucket % 2 ** 24) * bucketNs + (high % 256) * 2 ** 24;
    this.#high = Math.floor(high / 256) + Math.floor(low / 2 ** 32);
    this.#low = low % 2 ** 32;
  }
}

/** MurmurHash3 over three u32 written big endian and read little endian. */
export function hashThreeWords(a: number, b: number, c: number): EntityId {
  let hash = mix(mix(mix(SEED, swapBytes(a)), swapBytes(b)), swapBytes(c)) ^ 12;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) as EntityId;
}

function mix(hash: number, word: number): number {
  const scrambled = Math.imul(rotateLeft(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotateLeft(hash ^ scrambled, 13), 5) + 0xe6546b64) | 0;
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function swapBytes(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
