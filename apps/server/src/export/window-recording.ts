// A stretch of the history as a recording: what `--source replay:FILE` plays, and a page opens. It holds everyone who mattered
// then, as a snapshot, and what is missing.

import {
  BatchWriter,
  type EventNs,
  encodeBatchRecord,
  encodeRecordingEnd,
  encodeRecordingStart,
  eventTimeOf,
  type HostInfo,
  toVersion,
} from '@dendro/protocol';
import type { HostHistory } from '../history/host-history.ts';
import { type EpochRange, windowOf } from '../history/window.ts';

export interface RecordedHost {
  readonly info: HostInfo;
  /** Name of the source. */
  readonly source: string;
}

/** @throws DendroError DENDRO_WINDOW_TOO_LARGE, DENDRO_HISTORY_TOO_OLD, DENDRO_BUSY */
export async function recordingOf(history: HostHistory, range: EpochRange, host: RecordedHost): Promise<Buffer> {
  const [{ chunks, baseEpochNs, at }, gaps] = await Promise.all([
    windowOf(history, range),
    history.ask({ kind: 'gaps', ...range }),
  ]);
  const { name, users } = host.info;
  const base = { epochNs: baseEpochNs };
  const createdEpochNs = String(BigInt(Date.now()) * 1_000_000n);
  const missing = new BatchWriter();
  for (const { fromEpochNs, toEpochNs, lost } of gaps) {
    missing.gap(eventTimeOf(base, fromEpochNs), eventTimeOf(base, toEpochNs), lost);
  }
  const all = [...chunks, missing.finish()];
  const [none, version] = [toVersion(0), toVersion(1)];
  const parts = [
    encodeRecordingStart({
      host: { name, baseEpochNs: String(baseEpochNs), users },
      source: host.source,
      createdEpochNs,
    }),
    ...all.map((bytes, i) =>
      encodeBatchRecord({
        kind: 'snapshot',
        isLast: i === all.length - 1,
        from: none,
        to: version,
        now: at,
        bytes,
        isDeflated: false,
        batchBytes: bytes.length,
      }),
    ),
    encodeRecordingEnd(at as EventNs, { events: 0, lost: 0, rejected: {}, notices: [noticeOf(range)] }),
  ];
  return Buffer.concat(parts);
}

function noticeOf({ fromEpochNs, toEpochNs }: EpochRange): string {
  return `An extract of a history: everyone who lived at some time from ${fromEpochNs} to ${toEpochNs} (epoch nanoseconds), or through whom others are known then. Who lived before and after is not in it.`;
}
