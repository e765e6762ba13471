// Reads a recording that somebody has opened in the page. Nothing of it goes to
// the server: its batches are taken into a tree of this page's own.

import { ProcessTree, type TemporalTree } from '@dendro/engine';
import {
  type BatchRecord,
  DendroError,
  type EventNs,
  type HostInfo,
  inflate,
  RecordingReader,
  type RecordingRecord,
} from '@dendro/protocol';
import type { HostStats } from '../replica/replica.ts';

/** What a page can hold; a recording of more loses its oldest ended ones, and says so. */
const MAX_PROCESSES = 250_000;
const MAX_THREADS = 500_000;
/** Between two looks at the clock, so that the page can be drawn and used meanwhile. */
const TURN_MS = 12;

export interface OpenedRecording {
  readonly host: HostInfo;
  readonly tree: TemporalTree;
  readonly now: EventNs;
  readonly stats: HostStats;
}

/**
 * @param onProgress part of the file that has been read, 0 to 1
 * @param isWanted asked again and again: false gives up
 * @returns undefined when it was given up
 * @throws DendroError DENDRO_SOURCE_UNREADABLE when it is no recording; one that is cut off is read as far as it goes
 */
export async function readRecording(
  file: File,
  onProgress: (part: number) => void,
  isWanted: () => boolean,
): Promise<OpenedRecording | undefined> {
  const reading = new Reading(file.name);
  const pieces = file.stream().getReader();
  try {
    for (let turnEnds = performance.now() + TURN_MS; ; ) {
      const { done, value } = await pieces.read();
      if (done) break;
      reading.push(value);
      while (await reading.step()) {
        if (performance.now() < turnEnds) continue;
        onProgress(file.size === 0 ? 1 : reading.readBytes / file.size);
        await new Promise((resolve) => setTimeout(resolve, 0));
        if (!isWanted()) return undefined;
        turnEnds = performance.now() + TURN_MS;
      }
    }
  } finally {
    await pieces.cancel();
  }
  return isWanted() ? reading.finish() : undefined;
}

class Reading {
  readonly #name: string;
  readonly #reader = new RecordingReader();
  readonly #tree = new ProcessTree({ maxProcesses: MAX_PROCESSES, maxThreads: MAX_THREADS });
  readonly #rejected: Record<string, number> = {};
  #header: (RecordingRecord & { readonly kind: 'header' })['header'] | undefined;
  #end: (RecordingRecord & { readonly kind: 'end' })['end'] | undefined;
  #now = 0 as EventNs;
  #batches = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get readBytes(): number {
    return this.#reader.wholeBytes;
  }

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** Takes one record. @returns false when the next one has not been read as a whole */
  async step(): Promise<boolean> {
    const record = this.#reader.next();
    if (record === undefined) return false;
    if (record.kind === 'header') {
      this.#header = record.header;
      this.#tree.apply({ type: 'clock', epochNs: BigInt(record.header.host.baseEpochNs) });
    } else if (record.kind === 'end') this.#end = record.end;
    else if (record.kind === 'damaged') this.#reject('damaged');
    else await this.#take(record);
    return true;
  }

  /** @throws DendroError when not even the header could be read */
  finish(): OpenedRecording {
    if (this.#header === undefined) {
      throw new DendroError(
        'DENDRO_SOURCE_UNREADABLE',
        'This is not a recording of dendro, or it is cut off before it says of which host it is.',
      );
    }
    const { host, source } = this.#header;
    const { counts } = this.#tree;
    const { processes, threads, tasks, gaps, ringsRefused } = counts;
    if (this.#tree.factsRefused > 0) this.#rejected['fact'] = this.#tree.factsRefused;
    return {
      host: {
        id: `file:${this.#name}`,
        name: host.name,
        baseEpochNs: host.baseEpochNs,
        isLive: false,
        users: host.users,
      },
      tree: this.#tree.tree,
      now: this.#now,
      stats: {
        now: this.#now,
        source: {
          name: this.#name,
          state: 'ended',
          detail: `A recording of ${host.name} (${source}), opened in this page.`,
          notices: [...this.#notices(), ...(this.#end?.notices ?? [])],
          events: this.#batches,
          lost: this.#end?.lost ?? 0,
          rejected: { ...this.#end?.rejected, ...this.#rejected },
        },
        stats: {
          processes,
          threads,
          tasks,
          gaps,
          ringsRefused,
          evicted: counts.evictedProcesses + counts.evictedThreads,
          eventsPerSecond: 0,
          enrichmentsDropped: 0,
          memoryBytes: 0,
        },
      },
    };
  }

  async #take(record: BatchRecord): Promise<void> {
    const { kind, now, isDeflated, bytes } = record;
    try {
      const batch = isDeflated ? await inflate(record) : bytes;
      this.#tree.apply({ type: 'facts', at: now, batch, isSnapshot: kind === 'snapshot' });
      this.#tree.commit(); // nobody follows this tree: what it would tell them is dropped
      this.#batches++;
      if (now > this.#now) this.#now = now;
    } catch (thrown) {
      if (!(thrown instanceof DendroError)) throw thrown;
      this.#reject('damaged');
    }
  }

  #reject(reason: string): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
  }

  *#notices(): Generator<string> {
    if (this.#reader.isBroken) yield 'From some place on it is damaged: what comes before that is shown.';
    else if (!this.#reader.isWhole) yield 'It is cut off: what was written before that is shown.';
    const { evictedProcesses, evictedThreads } = this.#tree.counts;
    if (evictedProcesses + evictedThreads > 0) {
      yield 'It holds more than this page can: the oldest ended processes are left out. Use dendro --source replay:FILE with a larger --max-processes.';
    }
  }
}
