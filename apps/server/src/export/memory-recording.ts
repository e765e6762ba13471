// What is in memory of a host as a recording, where there is no history: one snapshot. Whoever plays it can ask about every
// instant that the server could be asked about.

import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import {
  DendroError,
  encodeBatchRecord,
  encodeRecordingEnd,
  encodeRecordingStart,
  formatRfc3339Ns,
  toVersion,
} from '@dendro/protocol';
import type { EpochRange } from '../history/epoch-range.ts';
import type { HostClient } from '../tree-worker/host-client.ts';

/** Each is all that is in memory once more. */
const MAX_AT_ONCE = 2;
/** As `RecordingFile` does. */
const DEFLATE_LEVEL = 1;

const deflated = promisify(deflate);

type Chunk = Parameters<Parameters<HostClient['requestSnapshot']>[0]>[0];

export class MemoryRecordings {
  #making = 0;

  /**
   * @param range that was asked for; what else is in memory is in there too, and that is said
   * @throws DendroError DENDRO_BUSY
   */
  recordingOf(host: HostClient, range: EpochRange): AsyncGenerator<Uint8Array> {
    if (this.#making >= MAX_AT_ONCE) throw new DendroError('DENDRO_BUSY');
    return this.#records(host, range);
  }

  async *#records(host: HostClient, range: EpochRange): AsyncGenerator<Uint8Array> {
    // Several can have been let in before the first of them began.
    if (this.#making >= MAX_AT_ONCE) throw new DendroError('DENDRO_BUSY');
    this.#making++;
    const chunks = new Chunks();
    const forget = host.requestSnapshot((chunk) => chunks.add(chunk));
    try {
      const { name, users, baseEpochNs } = host.info;
      yield encodeRecordingStart({
        host: { name, baseEpochNs, users },
        source: host.status.source.name,
        createdEpochNs: String(BigInt(Date.now()) * 1_000_000n),
      });
      for (let isLast = false; !isLast; ) {
        const { now, bytes: batch, ...chunk } = await chunks.next();
        isLast = chunk.isLast;
        const packed = await deflated(batch, { level: DEFLATE_LEVEL });
        const isDeflated = packed.length < batch.length;
        yield encodeBatchRecord({
          kind: 'snapshot',
          isLast,
          from: toVersion(0),
          to: toVersion(1),
          now,
          bytes: isDeflated ? packed : batch,
          isDeflated,
          batchBytes: batch.length,
        });
        if (isLast) yield endOf(host, range, now);
      }
    } finally {
      forget();
      this.#making--;
    }
  }
}

function endOf({ status }: HostClient, range: EpochRange, now: Chunk['now']): Uint8Array {
  const { events, lost, rejected, notices } = status.source;
  const { evictedProcesses, evictedThreads } = status.counts;
  const [from, to] = [range.fromEpochNs, range.toEpochNs].map(formatRfc3339Ns);
  const evicted = evictedProcesses + evictedThreads;
  return encodeRecordingEnd(now, {
    events,
    lost,
    rejected,
    notices: [
      `All that was in memory when it was made, for nothing else is recorded; ${from} to ${to} was asked for.`,
      ...(evicted > 0 ? [`${evicted} tasks that had ended had left memory before.`] : []),
      ...notices,
    ],
  });
}

/** The worker sends them all at once; they are taken one by one. */
class Chunks {
  readonly #waiting: Chunk[] = [];
  #wake: (() => void) | undefined;

  add(chunk: Chunk): void {
    this.#waiting.push(chunk);
    this.#wake?.();
  }

  async next(): Promise<Chunk> {
    for (;;) {
      const chunk = this.#waiting.shift();
      if (chunk !== undefined) return chunk;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
