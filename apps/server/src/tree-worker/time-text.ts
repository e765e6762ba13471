import { DendroError, parseTime } from '@dendro/protocol';

/** A time as a user writes it; relative ones count from `epochNow`. @throws DendroError DENDRO_TIME_INVALID */
export function epochTimeFrom(text: string, epochNow: bigint): bigint {
  const time = parseTime(text, epochNow);
  if (time === undefined) {
    throw new DendroError(
      'DENDRO_TIME_INVALID',
      `"${text.slice(0, 64)}" is not a time: use epoch nanoseconds, RFC 3339, -5m or live.`,
    );
  }
  return time === 'live' ? epochNow : time;
}
