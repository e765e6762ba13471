// A window of time as bytes, as long as it is small enough for a page: how much it holds is estimated before the history
// looks for all of it.

import { DendroError } from '@dendro/protocol';
import type { HostHistory } from '../history/host-history.ts';

export interface EpochRange {
  readonly fromEpochNs: bigint;
  readonly toEpochNs: bigint;
}

/** A page takes in some 200,000 lives in a second. */
const LIMITS = { births: 200_000, bytes: 64 * 1024 * 1024 };

/**
 * @returns a repetition of u32 little-endian length and batch
 * @throws DendroError DENDRO_WINDOW_TOO_LARGE, DENDRO_HISTORY_TOO_OLD, DENDRO_BUSY
 */
export async function windowBytes(
  history: HostHistory,
  range: EpochRange,
  limits = LIMITS,
): Promise<{ readonly bytes: Buffer; readonly baseEpochNs: bigint }> {
  const { births } = await history.ask({ kind: 'histogram', ...range, buckets: 1 });
  const born = births.reduce((sum, count) => sum + count, 0);
  if (born > limits.births) throw tooLarge(`${born} processes began in it, and ${limits.births} may`, { births: born });
  const { chunks, baseEpochNs } = await history.ask({ kind: 'window', ...range });
  const size = chunks.reduce((sum, { length }) => sum + 4 + length, 0);
  if (size > limits.bytes) throw tooLarge(`it has ${size} bytes, and may have ${limits.bytes}`, { bytes: size });
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const chunk of chunks) {
    at = bytes.writeUInt32LE(chunk.length, at);
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { bytes, baseEpochNs };
}

function tooLarge(why: string, details: Readonly<Record<string, unknown>>): DendroError {
  return new DendroError(
    'DENDRO_WINDOW_TOO_LARGE',
    `The window of time holds too much, ask for a shorter one: ${why}.`,
    {
      details,
    },
  );
}
