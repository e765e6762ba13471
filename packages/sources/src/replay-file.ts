// Plays a recording that `dendro record` made: its batches go into the tree as
// they are, as fast as it takes them, or as they came, so many times faster.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import {
  type BatchRecord,
  BatchWriter,
  DendroError,
  type EventNs,
  type RecordingEnd,
  type RecordingHeader,
  RecordingReader,
  type SourceStatus,
  toError,
} from '@dendro/protocol';
import type { EventSink, Source } from './source.ts';

const PIECE_BYTES = 256 * 1024;
/** After so much work the event loop gets a turn. */
const TURN_MS = 20;

export interface ReplayFileOptions {
  /** 1: as fast as it was, 10: ten times as fast. Undefined: as fast as the tree takes it. */
  readonly speed?: number | undefined;
}

export class ReplayFileSource implements Source {
  readonly name: string;
  readonly isLive = false;
  readonly #path: string;
  readonly #speed: number | undefined;
  readonly #reader = new RecordingReader();
  readonly #piece = new Uint8Array(PIECE_BYTES);
  readonly #notices: string[] = [];
  readonly #rejected: Record<string, number> = {};
  #state: SourceStatus['state'] = 'starting';
  #fd: number | undefined;
  #sizeBytes = 0;
  #header: RecordingHeader | undefined;
  #end: RecordingEnd | undefined;
  #endAt: EventNs | undefined;
  #sink: EventSink = () => {};
  #batches = 0;
  #version = 0;
  #lastNow: EventNs | undefined;
  /** Read ahead: it waits for its time. */
  #next: BatchRecord | undefined;
  /** When the first batch was played, and what time it was for the recorder. */
  #began: { readonly atMs: number; readonly now: EventNs } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, { speed }: ReplayFileOptions = {}) {
    this.#path = path;
    this.#speed = speed;
    this.name = `replay:${path}`;
  }

  /** Of the recording. */
  get host(): RecordingHeader['host'] | undefined {
    return this.#header?.host;
  }

  async start(sink: EventSink): Promise<void> {
    this.#sink = sink;
    try {
      this.#open();
      this.#header = this.#readHeader();
    } catch (thrown) {
      this.#state = 'failed';
      this.#close();
      throw unreadable(this.#path, toError(thrown));
    }
    sink({ type: 'clock', epochNs: BigInt(this.#header.host.baseEpochNs) });
    this.#state = 'running';
    this.#timer = setTimeout(() => this.#play(), 0);
  }

  status(): SourceStatus {
    const isReading = this.#state === 'running';
    return {
      name: this.name,
      state: this.#state,
      detail: `A recording of ${this.host?.name ?? 'a host'} (${this.#header?.source ?? ''}), read from ${this.#path}.`,
      notices: [...this.#notices, ...(this.#end?.notices ?? [])],
      events: this.#batches,
      lost: this.#end?.lost ?? 0,
      rejected: { ...this.#end?.rejected, ...this.#rejected },
      progress: isReading ? { done: this.#reader.wholeBytes, total: this.#sizeBytes } : undefined,
    };
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#close();
    if (this.#state === 'running') this.#state = 'ended';
  }

  #open(): void {
    // Without blocking: a pipe of that name must not hang the start.
    this.#fd = openSync(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(this.#fd);
    if (!stats.isFile()) throw new Error('it is not a file');
    this.#sizeBytes = stats.size;
  }

  #readHeader(): RecordingHeader {
    for (;;) {
      const record = this.#reader.next();
      if (record?.kind === 'header') return record.header;
      if (!this.#readOn()) throw new Error('it is cut off before it says of which host it is');
    }
  }

  /** @returns false at the end of the file */
  #readOn(): boolean {
    if (this.#fd === undefined) return false;
    const length = readSync(this.#fd, this.#piece, 0, PIECE_BYTES, null);
    this.#reader.push(this.#piece.subarray(0, length));
    return length > 0;
  }

  #play(): void {
    const until = performance.now() + TURN_MS;
    try {
      do {
        this.#next ??= this.#nextBatch();
        const waitMs = this.#waitFor(this.#next?.now ?? this.#endAt);
        if (waitMs > 0) {
          this.#timer = setTimeout(() => this.#play(), waitMs);
          return;
        }
        if (this.#next === undefined) {
          this.#finish();
          return;
        }
        this.#tell(this.#next);
        this.#next = undefined;
      } while (performance.now() < until);
    } catch (thrown) {
      this.#fail(toError(thrown));
      return;
    }
    this.#timer = setTimeout(() => this.#play(), 0);
  }

  #nextBatch(): BatchRecord | undefined {
    for (;;) {
      const record = this.#reader.next();
      if (record === undefined) {
        if (this.#reader.isWhole || this.#reader.isBroken || !this.#readOn()) return undefined;
      } else if (record.kind === 'batch' || record.kind === 'snapshot') return record;
      else if (record.kind === 'end') {
        this.#end = record.end;
        this.#endAt = record.now;
      } else if (record.kind === 'damaged') this.#reject('damaged-record');
    }
  }

  /** Milliseconds until it is time for what was recorded at `now`. */
  #waitFor(now: EventNs | undefined): number {
    if (this.#speed === undefined || now === undefined) return 0;
    const atMs = performance.now();
    this.#began ??= { atMs, now };
    const wait = (now - this.#began.now) / 1e6 / this.#speed - (atMs - this.#began.atMs);
    return Math.min(wait, 2 ** 31 - 1); // more than a timer can take: it asks again then
  }

  #tell(record: BatchRecord): void {
    const { now, from, to } = record;
    const isSnapshot = record.kind === 'snapshot';
    // A batch is missing: whatever it said is lost.
    if (!isSnapshot && from !== this.#version && this.#lastNow !== undefined) {
      this.#sink({ type: 'gap', from: this.#lastNow, to: Math.max(this.#lastNow, now) as EventNs, lost: 1 });
    }
    this.#lastNow = now;
    try {
      this.#sink({ type: 'facts', at: now, batch: unpack(record), isSnapshot });
      this.#batches++;
      this.#version = to;
    } catch (thrown) {
      if (!(thrown instanceof DendroError)) throw thrown;
      this.#reject('malformed-batch');
    }
  }

  #reject(reason: string): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
  }

  #finish(): void {
    const { isWhole, isBroken, wholeBytes } = this.#reader;
    const rest = this.#sizeBytes - wholeBytes;
    if (isBroken) {
      this.#notices.push(`The recording is damaged at byte ${wholeBytes}: the last ${rest} bytes cannot be read.`);
    } else if (!isWhole) {
      const left = rest > 0 ? `, and ${rest} bytes of a record that is not whole were left out` : '';
      this.#notices.push(`The recording has no end: it was cut off, or is still being written${left}.`);
    }
    // Nothing more happened until then.
    if (this.#endAt !== undefined) this.#tellNothing(this.#endAt);
    this.#state = 'ended';
    this.#close();
  }

  #tellNothing(at: EventNs): void {
    this.#sink({ type: 'facts', at, batch: new BatchWriter().finish(), isSnapshot: false });
  }

  #fail(error: Error): void {
    this.#state = 'failed';
    this.#notices.push(`Reading the recording broke off: ${error.message}.`);
    this.#close();
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** @throws DendroError DENDRO_BATCH_MALFORMED */
function unpack({ bytes, isDeflated, batchBytes }: BatchRecord): Uint8Array {
  if (!isDeflated) return bytes;
  try {
    const batch = inflateSync(bytes, { maxOutputLength: Math.max(1, batchBytes) });
    if (batch.length === batchBytes) return batch;
  } catch (cause) {
    throw new DendroError('DENDRO_BATCH_MALFORMED', 'A deflated batch cannot be inflated.', { cause });
  }
  throw new DendroError('DENDRO_BATCH_MALFORMED', 'A deflated batch is not as long as its record says.');
}

function unreadable(path: string, { message, ...rest }: NodeJS.ErrnoException): DendroError {
  const { code } = rest;
  const why =
    code === 'ENOENT'
      ? 'there is no such file or folder'
      : code === 'EACCES'
        ? 'you may not read it'
        : message.replace(/\.$/, '');
  return new DendroError(
    'DENDRO_SOURCE_UNREADABLE',
    `The recording ${path} cannot be replayed: ${why}; give replay: a file that "dendro record" wrote, or a folder of raw pages.`,
  );
}
