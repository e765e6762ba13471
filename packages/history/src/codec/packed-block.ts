// A block as it lies on the disk: its parts, each compressed by itself and with a checksum,
// behind a table of their lengths.

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { TimeBase } from '@dendro/protocol';
import type { StoredBlock } from '../lives/tree-loader.ts';
import { BlockImages } from './block-images.ts';
import { ByteReader, ByteWriter, damaged } from './bytes.ts';
import { BlockTexts, LivesBlock } from './lives-block.ts';
import type { EncodedBlock } from './lives-encoder.ts';

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 } };
const MAX_PART_BYTES = 256 * 1024 * 1024;

export function compress(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, LEVEL);
}

/** @throws DendroError DENDRO_HISTORY_DAMAGED */
export function decompress(bytes: Uint8Array): Uint8Array {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: MAX_PART_BYTES });
  } catch (cause) {
    throw damaged(cause);
  }
}

export function packBlock({ rows, texts, chunks }: EncodedBlock): Uint8Array {
  const parts = [rows, texts, ...chunks.map(({ bytes }) => bytes)].map(compress);
  const out = new ByteWriter(parts.reduce((sum, part) => sum + part.length, 64));
  out.uint(parts.length);
  for (const part of parts) out.uint(part.length);
  for (const part of parts) out.raw(part);
  return out.view();
}

/** Unpacked chunks of blocks, by their numbers. */
export interface KnownChunks {
  get(number: number): Uint8Array | undefined;
  set(number: number, chunk: Uint8Array): void;
}

/** What is known of a block without unpacking anything. */
export interface KnownParts {
  readonly rows?: LivesBlock | undefined;
  readonly texts?: BlockTexts | undefined;
  readonly chunks?: KnownChunks | undefined;
}

export class PackedBlock implements StoredBlock {
  readonly #fetch: () => Uint8Array;
  readonly #base: TimeBase;
  #rows: LivesBlock | undefined;
  #parts: readonly Uint8Array[] | undefined;
  #texts: BlockTexts | undefined;
  readonly #chunks: KnownChunks | undefined;

  /**
   * @param fetch gets the bytes of it, when something is asked for that is not known
   * Whatever is asked of it throws DendroError DENDRO_HISTORY_DAMAGED where it is damaged.
   */
  constructor(fetch: () => Uint8Array, base: TimeBase, { rows, texts, chunks }: KnownParts = {}) {
    this.#fetch = fetch;
    this.#base = base;
    this.#rows = rows;
    this.#texts = texts;
    this.#chunks = chunks;
  }

  get rows(): LivesBlock {
    if (this.#rows === undefined) {
      this.#rows = new LivesBlock(this.#part(0), this.#base);
      if (this.#rows.chunks !== this.#packed().length - 2) throw damaged();
    }
    return this.#rows;
  }

  images(): BlockImages {
    return new BlockImages(this.#part(0));
  }

  get knownTexts(): BlockTexts | undefined {
    return this.#texts;
  }

  texts(): BlockTexts {
    this.#texts ??= new BlockTexts(this.#part(1));
    return this.#texts;
  }

  chunk(number: number): Uint8Array {
    const known = this.#chunks?.get(number);
    if (known !== undefined) return known;
    const chunk = this.#part(2 + number);
    this.#chunks?.set(number, chunk);
    return chunk;
  }

  #part(number: number): Uint8Array {
    const part = this.#packed()[number];
    if (part === undefined) throw damaged();
    return decompress(part);
  }

  #packed(): readonly Uint8Array[] {
    this.#parts ??= split(this.#fetch());
    return this.#parts;
  }
}

/** Rows, texts, and the chunks. @throws DendroError DENDRO_HISTORY_DAMAGED */
function split(data: Uint8Array): Uint8Array[] {
  const from = new ByteReader(data);
  const count = from.uint();
  if (count < 2 || count > data.length) throw damaged();
  const lengths = Array.from({ length: count }, () => from.uint());
  return lengths.map((length) => from.raw(length));
}
