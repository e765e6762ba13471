// The kernel by both of its voices: tracefs tells what happened, the process
// connector beside it what tracefs leaves out. Without the connector it goes
// on with tracefs alone.

import { DendroError, type EventNs, type SourceStatus, type TaskEvent, toError } from '@dendro/protocol';
import { Completion } from './cn-proc/completion.ts';
import { CnProcFeed, feedNotices } from './cn-proc/feed.ts';
import { HostClock } from './host-clock.ts';
import type { EventSink, Source } from './source.ts';
import { Launched } from './tracefs/launched.ts';
import { NO_EXIT_CODES, TracefsSource, type TracefsSourceOptions } from './tracefs/tracefs-source.ts';

export interface KernelSourceOptions extends TracefsSourceOptions {
  /** What the kernel may keep of connector messages that wait. */
  readonly roomBytes?: number | undefined;
}

const POLL_MS = 20;

export class KernelSource implements Source {
  readonly isLive = true;
  readonly #tracefs: TracefsSource;
  readonly #clock: HostClock;
  readonly #pollMs: number;
  readonly #roomBytes: number | undefined;
  /** When only the tree of a command is meant: the connector tells of the whole host. */
  readonly #launched: Launched | undefined;
  #feed: CnProcFeed | undefined;
  #completion: Completion | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Why the connector is not, or no longer, beside tracefs. */
  #missing: string | undefined;

  constructor(options: KernelSourceOptions = {}) {
    this.#clock = options.clock ?? HostClock.read();
    this.#pollMs = options.pollMs ?? POLL_MS;
    this.#roomBytes = options.roomBytes;
    this.#launched = options.launcherTid === undefined ? undefined : new Launched(options.launcherTid);
    this.#tracefs = new TracefsSource({ ...options, clock: this.#clock, hasIds: true });
  }

  /** Without the connector it is tracefs and nothing else. */
  get name(): string {
    return this.#missing === undefined ? 'tracefs+cn_proc' : 'tracefs';
  }

  async start(sink: EventSink): Promise<void> {
    sink({ type: 'clock', epochNs: this.#clock.base.epochNs });
    // Before tracing, so that the connector knows of every birth that is traced.
    await this.#startConnector(sink);
    try {
      await this.#tracefs.start((event) => this.#take(event, sink));
      this.#completion?.begin(this.#clock.now());
    } catch (thrown) {
      this.#feed?.stop();
      throw thrown;
    }
    if (this.#missing === undefined) this.#schedule();
  }

  status(): SourceStatus {
    const tracefs = this.#tracefs.status();
    if (this.#feed === undefined || this.#completion === undefined) {
      return { ...tracefs, name: this.name, notices: [...this.#missingNotice(), ...tracefs.notices] };
    }
    const { records, lost, rejected } = this.#feed.counters;
    return {
      ...tracefs,
      name: this.name,
      detail: `${tracefs.detail} Exit codes, users and groups from the process connector.`,
      notices: [
        ...this.#missingNotice(),
        ...tracefs.notices.filter((notice) => this.#missing !== undefined || notice !== NO_EXIT_CODES),
        ...feedNotices(this.#feed),
        ...this.#completion.notices(),
      ],
      events: tracefs.events + records,
      lost: tracefs.lost + lost,
      rejected: { ...tracefs.rejected, ...rejected },
    };
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#tracefs.stop(); // passes on its last events
    this.#read();
    this.#completion?.finish(this.#tracefs.passedUntil);
    this.#feed?.stop();
  }

  async #startConnector(sink: EventSink): Promise<void> {
    const completion = new Completion({ sink, clock: this.#clock });
    const feed = new CnProcFeed({
      clock: this.#clock,
      roomBytes: this.#roomBytes,
      onRecord: (record) => {
        if (this.#launched?.hasRecord(record) !== false) completion.takeRecord(record);
      },
      onLost: (from, to, lost) => sink({ type: 'gap', from, to, lost }),
    });
    try {
      await feed.start();
    } catch (thrown) {
      if (!(thrown instanceof DendroError)) throw thrown;
      this.#miss(thrown.message);
      return;
    }
    this.#feed = feed;
    this.#completion = completion;
  }

  #take(event: TaskEvent, sink: EventSink): void {
    if (event.type === 'fork') this.#launched?.hasEvent(event); // should the connector have lost it
    if (this.#completion === undefined) sink(event);
    else {
      if ('at' in event) this.#readUntil(event.at);
      this.#completion.takeEvent(event);
    }
  }

  /** What the connector has said up to `at` comes first: mostly it has been read, and else it is in one portion. */
  #readUntil(at: EventNs): void {
    if (this.#feed !== undefined && this.#feed.readUntil <= at) this.#read();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#read();
      this.#completion?.settle(this.#tracefs.passedUntil);
      if (this.#missing !== undefined) return;
      if (this.#tracefs.status().state === 'running') this.#schedule();
      else this.#feed?.stop();
    }, this.#pollMs);
  }

  #read(): void {
    if (this.#missing !== undefined) return;
    try {
      this.#feed?.read();
    } catch (thrown) {
      this.#miss(`The process connector broke off (${toError(thrown).message}): start dendro again to have it back.`);
      this.#feed?.stop();
    }
  }

  /** What it told of besides is now looked for in other ways, as far as there are any. */
  #miss(why: string): void {
    this.#missing = why;
    this.#tracefs.followIds();
  }

  *#missingNotice(): Generator<string> {
    if (this.#missing !== undefined) yield `${this.#missing} Exit codes are not seen.`;
  }
}
