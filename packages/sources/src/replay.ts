// Plays a recording: all of it, as fast as the tree takes it.

import { type SourceStatus, toError } from '@dendro/protocol';
import { openRecording, type RawFile, type Recording } from './recording.ts';
import type { EventSink, Source } from './source.ts';
import { CpuStream, FeedCounters, PageBuffer } from './tracefs/cpu-stream.ts';
import type { KernelRecord } from './tracefs/kernel-record.ts';
import { EventMerge } from './tracefs/merge.ts';
import { PageDecoder } from './tracefs/page.ts';
import { RecordJoin } from './tracefs/record-join.ts';

/** After so many pages, some milliseconds of work, the event loop gets a turn. */
const PAGES_PER_TURN = 64;

export class ReplaySource implements Source {
  readonly name: string;
  readonly isLive = false;
  readonly #folder: string;
  readonly #counters = new FeedCounters();
  readonly #notices: string[] = [
    'A recording holds births, names, programs and ends; arguments, users and folders of processes are not in it.',
  ];
  #state: SourceStatus['state'] = 'starting';
  #player: Player | undefined;
  #turn: NodeJS.Immediate | undefined;

  /** @param folder a recording: cpuN.raw and formats/ */
  constructor(folder: string) {
    this.#folder = folder;
    this.name = `replay:${folder}`;
  }

  async start(sink: EventSink): Promise<void> {
    let recording: Recording;
    try {
      recording = openRecording(this.#folder);
    } catch (thrown) {
      this.#state = 'failed';
      throw thrown;
    }
    if (!recording.hasWallTime) {
      this.#notices.push('The recording has no time marker: its times of day are guessed from the date of its files.');
    }
    sink({ type: 'clock', epochNs: recording.clock.base.epochNs });
    this.#player = new Player(recording, sink, this.#counters);
    this.#state = 'running';
    this.#turn = setImmediate(() => this.#readOn());
  }

  status(): SourceStatus {
    const { records, lost, rejected } = this.#counters;
    const player = this.#player;
    return {
      name: this.name,
      state: this.#state,
      detail: `Kernel events recorded on ${player?.cpuCount ?? 0} CPUs, read from ${this.#folder}.`,
      notices: [...this.#notices],
      events: records,
      lost,
      rejected: { ...rejected },
      progress: player && this.#state === 'running' ? { done: player.doneBytes, total: player.totalBytes } : undefined,
    };
  }

  async stop(): Promise<void> {
    clearImmediate(this.#turn);
    this.#player?.close();
    if (this.#state === 'running') this.#state = 'ended';
  }

  #readOn(): void {
    const player = this.#player;
    if (player === undefined) return;
    try {
      if (player.play(PAGES_PER_TURN)) {
        this.#turn = setImmediate(() => this.#readOn());
        return;
      }
      this.#state = 'ended';
    } catch (thrown) {
      this.#state = 'failed';
      this.#notices.push(`Reading the recording broke off: ${toError(thrown).message}.`);
    }
    player.finish();
  }
}

interface PlayedCpu {
  readonly file: RawFile;
  readonly stream: CpuStream;
  nextPage: number;
}

/** Reads the page of whichever CPU is furthest behind, so that little has to wait in the merge. */
class Player {
  readonly totalBytes: number;
  readonly cpuCount: number;
  readonly #merge: EventMerge<KernelRecord>;
  readonly #buffer: PageBuffer;
  readonly #files: readonly RawFile[];
  #unread: PlayedCpu[] = [];
  #doneBytes = 0;

  constructor({ layout, records, clock, start, cpus }: Recording, sink: EventSink, counters: FeedCounters) {
    const join = new RecordJoin(sink);
    this.#merge = new EventMerge((record) => join.take(record));
    this.#buffer = new PageBuffer(layout.sizeBytes);
    this.#files = cpus;
    this.cpuCount = cpus.length;
    this.totalBytes = cpus.reduce((sum, file) => sum + file.sizeBytes, 0);
    const pages = new PageDecoder(layout, clock);
    for (const file of cpus) {
      if (file.pageCount === 0) continue;
      const stream = new CpuStream(pages, records, this.#merge, counters, this.#buffer, start);
      this.#unread.push({ file, stream, nextPage: 0 });
    }
  }

  get doneBytes(): number {
    return this.#doneBytes;
  }

  /** @returns false when everything was read */
  play(pageCount: number): boolean {
    for (let i = 0; i < pageCount && this.#unread.length > 0; i++) this.#playPage();
    return this.#unread.length > 0;
  }

  finish(): void {
    this.#merge.flush();
    this.close();
  }

  close(): void {
    this.#unread = [];
    for (const file of this.#files) file.close();
  }

  #playPage(): void {
    const cpu = this.#unread.reduce((last, other) => (other.stream.lastAt < last.stream.lastAt ? other : last));
    const length = cpu.file.readPage(cpu.nextPage, this.#buffer);
    cpu.stream.take(length);
    cpu.nextPage++;
    this.#doneBytes += length;
    if (cpu.nextPage >= cpu.file.pageCount) this.#unread = this.#unread.filter((other) => other !== cpu);
    if (this.#unread.length > 0) this.#merge.release(Math.min(...this.#unread.map((other) => other.stream.lastAt)));
  }
}
