// What a recording says of itself: whose host it is, and how it ended. JSON,
// so that a later version can say more; what is not understood is passed over.

import { DendroError } from './errors.ts';
import type { SourceStatus } from './messages.ts';

export interface RecordingHeader {
  readonly host: {
    /** Host name for people. */
    readonly name: string;
    /** Epoch nanoseconds of EventNs 0, in decimal. */
    readonly baseEpochNs: string;
    /** User names by uid. */
    readonly users: Readonly<Record<string, string>>;
  };
  /** The source that it was recorded from, as `--source` names it. */
  readonly source: string;
  /** When it was begun: epoch nanoseconds, in decimal. */
  readonly createdEpochNs: string;
  /** What the wall clock said at some instants of it, where that was noted; both in epoch nanoseconds, in decimal. */
  readonly clock?: readonly RecordedClock[] | undefined;
}

export interface RecordedClock {
  readonly epochNs: string;
  readonly wallNs: string;
}

/** What the source had told when the recording was ended. */
export type RecordingEnd = Pick<SourceStatus, 'events' | 'lost' | 'rejected' | 'notices'>;

const MAX_NAME = 255;
const MAX_NOTICES = 100;
/** Of the wall clock. */
export const MAX_CLOCK_READINGS = 1000;
const EPOCH_NS = /^-?\d{1,19}$/;

/** @throws DendroError DENDRO_SOURCE_UNREADABLE */
export function parseHeader(json: Uint8Array): RecordingHeader {
  const { host: stated, source, createdEpochNs, clock } = parseObject(json);
  const host = toObject(stated);
  const { name, baseEpochNs } = host;
  if (typeof name !== 'string' || typeof baseEpochNs !== 'string' || !EPOCH_NS.test(baseEpochNs)) {
    throw new DendroError(
      'DENDRO_SOURCE_UNREADABLE',
      'This is not a recording of dendro: its header does not say of which host and time it is.',
    );
  }
  const isDated = typeof createdEpochNs === 'string' && EPOCH_NS.test(createdEpochNs);
  return {
    host: { name: name.slice(0, MAX_NAME), baseEpochNs, users: parseUsers(host['users']) },
    source: typeof source === 'string' ? source.slice(0, MAX_NAME) : '',
    createdEpochNs: isDated ? createdEpochNs : baseEpochNs,
    ...(Array.isArray(clock) ? { clock: parseClock(clock) } : {}),
  };
}

/** Whatever is in it that cannot be used reads as zero or none. */
export function parseEnd(json: Uint8Array): RecordingEnd {
  const { events, lost, rejected, notices } = parseObject(json);
  const counts = Object.entries(toObject(rejected)).slice(0, MAX_NOTICES);
  const sentences = Array.isArray(notices) ? notices.slice(0, MAX_NOTICES) : [];
  return {
    events: toCount(events),
    lost: toCount(lost),
    rejected: Object.fromEntries(counts.map(([reason, times]) => [reason.slice(0, MAX_NAME), toCount(times)])),
    notices: sentences.filter((one) => typeof one === 'string').map((one) => one.slice(0, 1000)),
  };
}

function parseClock(readings: readonly unknown[]): RecordedClock[] {
  return readings.slice(0, MAX_CLOCK_READINGS).flatMap((reading) => {
    const { epochNs, wallNs } = toObject(reading);
    const isTime = (text: unknown) => typeof text === 'string' && EPOCH_NS.test(text);
    return isTime(epochNs) && isTime(wallNs) ? [{ epochNs, wallNs } as RecordedClock] : [];
  });
}

function parseUsers(value: unknown): Record<string, string> {
  const entries = Object.entries(toObject(value)).filter(
    (entry): entry is [string, string] => /^\d{1,10}$/.test(entry[0]) && typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries.map(([uid, name]) => [uid, name.slice(0, MAX_NAME)]));
}

/** Empty when it is not a JSON object. */
function parseObject(json: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return toObject(JSON.parse(new TextDecoder().decode(json)));
  } catch {
    return {}; // whoever asks says what is missing
  }
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function toCount(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
