// Made-up events as a recording: what `dendro record` would have written of such a host.

import { deflateSync } from 'node:zlib';
import { ProcessTree, type ProcessTreeOptions } from '@dendro/engine';
import {
  type EventNs,
  encodeBatchRecord,
  encodeRecordingEnd,
  encodeRecordingStart,
  type RecordingHeader,
  type TaskEvent,
} from '@dendro/protocol';

const BATCH_NS = 1e9;

/**
 * @param events in order of time, the clock first
 * @param options of the tree that they are made of
 * @returns the bytes of a file
 */
export function recordingOf(
  events: readonly TaskEvent[],
  host: Pick<RecordingHeader['host'], 'name' | 'users'>,
  options: ProcessTreeOptions = {},
): Uint8Array {
  const [clock, ...others] = events;
  if (clock?.type !== 'clock') throw new Error('the events do not begin with a clock');
  const epochNs = String(clock.epochNs);
  const tree = new ProcessTree(options);
  tree.apply(clock);
  const parts: Uint8Array[] = [
    encodeRecordingStart({ host: { ...host, baseEpochNs: epochNs }, source: 'ebpf', createdEpochNs: epochNs }),
  ];
  let now = 0 as EventNs;
  for (const [i, event] of others.entries()) {
    if (event.type === 'clock') continue;
    tree.apply(event);
    now = atOf(event);
    const next = others[i + 1];
    if (next !== undefined && next.type !== 'clock' && atOf(next) - now < BATCH_NS) continue;
    const batch = tree.commit();
    if (batch === undefined) continue;
    const { bytes, from, to } = batch;
    const deflated = deflateSync(bytes);
    const of = { isLast: false, isDeflated: true, batchBytes: bytes.length };
    parts.push(encodeBatchRecord({ kind: 'batch', from, to, now, bytes: deflated, ...of }));
  }
  parts.push(encodeRecordingEnd(now, { events: events.length, lost: 0, rejected: {}, notices: [] }));
  return Buffer.concat(parts);
}

function atOf(event: Exclude<TaskEvent, { type: 'clock' }>): EventNs {
  return event.type === 'gap' ? event.to : event.at;
}
