// A window of time, as long as it is small enough for a page: how much it holds is estimated before the history looks for
// all of it.

import type { FactsAnswer, WindowAnswer } from '@dendro/history';
import { DendroError, formatRfc3339Ns } from '@dendro/protocol';
import type { EpochRange } from './epoch-range.ts';
import type { HostHistory } from './host-history.ts';

/** A page takes in some 200,000 lives in a second. */
const LIMITS = { births: 200_000, bytes: 64 * 1024 * 1024 };

/** @throws DendroError DENDRO_WINDOW_TOO_LARGE, DENDRO_HISTORY_TOO_OLD, DENDRO_BUSY */
export async function windowOf(history: HostHistory, range: EpochRange, limits = LIMITS): Promise<WindowAnswer> {
  // At a single instant there is nothing to count.
  if (range.fromEpochNs < range.toEpochNs) await refuseMany(history, range, limits.births);
  const found = await history.ask({ kind: 'window', ...range });
  const bytes = sizeOf(found);
  if (bytes > limits.bytes) throw tooLarge(`it has ${bytes} bytes, and may have ${limits.bytes}`, { bytes });
  return found;
}

async function refuseMany(history: HostHistory, range: EpochRange, most: number): Promise<void> {
  const { births } = await history.ask({ kind: 'histogram', ...range, buckets: 1 });
  const born = births.reduce((sum, count) => sum + count, 0);
  if (born > most) throw tooLarge(`${born} processes began in it, and ${most} may`, { births: born });
}

/** Why an answer begins later than it was to; null where it does not. */
export function cutReason(
  { fromEpochNs: askedNs }: EpochRange,
  { fromEpochNs }: Pick<EpochRange, 'fromEpochNs'>,
  oldestEpochNs: bigint | undefined,
): string | null {
  if (fromEpochNs <= askedNs) return null;
  const time = formatRfc3339Ns(fromEpochNs);
  return oldestEpochNs !== undefined && fromEpochNs <= oldestEpochNs
    ? `The history begins at ${time}.`
    : `It begins at ${time}: what was before is of another boot of the host, ask for it by itself.`;
}

/** A repetition of u32 little-endian length and batch. */
export function bytesOf(found: FactsAnswer): Buffer {
  const bytes = Buffer.allocUnsafe(sizeOf(found));
  let at = 0;
  for (const chunk of found.chunks) {
    at = bytes.writeUInt32LE(chunk.length, at);
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function sizeOf({ chunks }: FactsAnswer): number {
  return chunks.reduce((sum, { length }) => sum + 4 + length, 0);
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
