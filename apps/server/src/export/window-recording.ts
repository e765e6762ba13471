// A stretch of the history as a recording: what `--source replay:FILE` plays, and a page opens. It begins with a snapshot of
// who mattered then; the batches follow as they were recorded. It is made as fast as it is taken, a piece at a time.

import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { ClockReading, HistoryGap, ReadStretch } from '@dendro/history';
import {
  encodeBatchRecord,
  encodeRecordingEnd,
  encodeRecordingStart,
  formatRfc3339Ns,
  type HostInfo,
  MAX_CLOCK_READINGS,
  toVersion,
} from '@dendro/protocol';
import type { EpochRange } from '../history/epoch-range.ts';
import type { HostHistory } from '../history/host-history.ts';
import { cutReason } from '../history/window.ts';

export interface RecordedHost {
  readonly info: HostInfo;
  /** Name of the source. */
  readonly source: string;
}

/** As `RecordingFile` does. */
const DEFLATE_LEVEL = 1;
/** What a wall clock is off by without having been set. */
const MAX_WALL_SHIFT_NS = 1_000_000_000n;
/** Of the wall clock, in the notices. */
const MAX_SAID = 10;

const deflated = promisify(deflate);

/**
 * Asks for all that may be refused before the first byte is given.
 * @throws DendroError DENDRO_HISTORY_TOO_OLD, DENDRO_BUSY
 */
export async function recordingOf(
  history: HostHistory,
  range: EpochRange,
  host: RecordedHost,
): Promise<AsyncGenerator<Uint8Array>> {
  const [gaps, clock] = await Promise.all([history.ask({ kind: 'gaps', ...range }), history.ask({ kind: 'clock' })]);
  const stretch = await history.recording(range);
  const reason = cutReason(range, stretch, history.oldestEpochNs);
  return recordsOf({ stretch, gaps, clock: clockOf(clock, stretch), reason, host });
}

interface Extract {
  readonly stretch: ReadStretch;
  readonly gaps: readonly HistoryGap[];
  readonly clock: readonly ClockReading[];
  /** Why it begins later than asked for. */
  readonly reason: string | null;
  readonly host: RecordedHost;
}

async function* recordsOf(extract: Extract): AsyncGenerator<Uint8Array> {
  const { stretch, clock, host } = extract;
  const { name, users } = host.info;
  yield encodeRecordingStart({
    host: { name, baseEpochNs: String(stretch.baseEpochNs), users },
    source: host.source,
    createdEpochNs: String(BigInt(Date.now()) * 1_000_000n),
    clock: clock.map(({ epochNs, wallNs }) => ({ epochNs: String(epochNs), wallNs: String(wallNs) })),
  });
  let version = 0;
  let openEnds = 0;
  for await (const part of stretch.parts) {
    if (part.kind === 'rest') {
      openEnds = part.openEnds;
      continue;
    }
    const { kind, at: now, bytes: batch } = part;
    const packed = await deflated(batch, { level: DEFLATE_LEVEL });
    const isDeflated = packed.length < batch.length;
    const isSnapshot = kind === 'snapshot';
    yield encodeBatchRecord({
      kind,
      isLast: isSnapshot && part.isLast,
      from: toVersion(isSnapshot ? 0 : version),
      to: toVersion(isSnapshot ? 1 : version + 1),
      now,
      bytes: isDeflated ? packed : batch,
      isDeflated,
      batchBytes: batch.length,
    });
    version = isSnapshot ? 1 : version + 1;
  }
  const lost = extract.gaps.reduce((sum, gap) => sum + gap.lost, 0);
  yield encodeRecordingEnd(stretch.to, { events: 0, lost, rejected: {}, notices: [...noticesOf(extract, openEnds)] });
}

function* noticesOf({ stretch, gaps, clock, reason }: Extract, openEnds: number): Generator<string> {
  const [from, to] = [stretch.fromEpochNs, stretch.toEpochNs].map(formatRfc3339Ns);
  yield `An extract of a history, from ${from} to ${to}. Of the time before it holds who mattered at its beginning.`;
  if (reason !== null) yield reason;
  if (gaps.length > 0) {
    const why = [...new Set(gaps.map((gap) => gap.why))].join(', ');
    yield `Of ${gaps.length} spans of that time something is missing (${why}).`;
  }
  for (const { epochNs, wallNs } of clock.filter(isShifted).slice(-MAX_SAID)) {
    yield `At ${formatRfc3339Ns(epochNs)} of the times in here the wall clock said ${formatRfc3339Ns(wallNs)}.`;
  }
  if (openEnds > 0) yield `Of ${openEnds} processes the end was found out too late to be in here: they seem to go on.`;
}

/** What was noted in the stretch, and what held at its beginning. */
function clockOf(all: readonly ClockReading[], { fromEpochNs, toEpochNs }: ReadStretch): ClockReading[] {
  const before = all.findLast(({ epochNs }) => epochNs < fromEpochNs);
  const within = all.filter(({ epochNs }) => epochNs >= fromEpochNs && epochNs <= toEpochNs);
  return [...(before === undefined ? [] : [before]), ...within].slice(-MAX_CLOCK_READINGS);
}

function isShifted({ epochNs, wallNs }: ClockReading): boolean {
  const shift = wallNs - epochNs;
  return shift > MAX_WALL_SHIFT_NS || shift < -MAX_WALL_SHIFT_NS;
}
