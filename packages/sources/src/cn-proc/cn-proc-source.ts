// The process connector by itself: births, ends with their status, users and
// groups as the kernel says them, for whoever may not trace. What a program is
// called and where it lies is not in its messages: /proc says that, of those
// that live long enough to be asked about.

import { type SourceStatus, type TaskEvent, toError } from '@dendro/protocol';
import { HostClock } from '../host-clock.ts';
import { RepairScan } from '../procfs/repair-scan.ts';
import type { EventSink, Source } from '../source.ts';
import { EventMerge } from '../tracefs/merge.ts';
import { birthOf, credentialsOf, execOf, exitOf, fosterParentOf, LeftGroups, Unkept } from './events.ts';
import { CnProcFeed, feedNotices, type HappeningRecord } from './feed.ts';
import { KnownProcesses } from './known-processes.ts';
import type { ExitRecord } from './messages.ts';

export interface CnProcSourceOptions {
  readonly clock?: HostClock | undefined;
  /**
   * Reads what already runs: walked through in small steps at the start, and again after messages were lost. Undefined
   * is none for now: the rest comes later.
   */
  readonly scan?: (() => Iterable<TaskEvent | undefined>) | undefined;
  /** Default 20. */
  readonly pollMs?: number | undefined;
  /** What the kernel may keep of messages that wait. */
  readonly roomBytes?: number | undefined;
}

const POLL_MS = 20;

export class CnProcSource implements Source {
  readonly name = 'cn_proc';
  readonly isLive = true;
  readonly #clock: HostClock;
  readonly #pollMs: number;
  readonly #feed: CnProcFeed;
  readonly #unkept = new Unkept();
  readonly #processes = new KnownProcesses();
  readonly #groups = new LeftGroups();
  #merge = new EventMerge(() => {});
  #state: SourceStatus['state'] = 'starting';
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  readonly #scan: RepairScan;
  #failure: string | undefined;

  constructor(options: CnProcSourceOptions = {}) {
    const { clock = HostClock.read(), pollMs = POLL_MS, roomBytes } = options;
    this.#clock = clock;
    this.#pollMs = pollMs;
    this.#scan = new RepairScan(options.scan, (event) => this.#see(event));
    this.#feed = new CnProcFeed({
      clock,
      roomBytes,
      onRecord: (record) => this.#take(record),
      onLost: (from, to, lost) => this.#merge.push({ type: 'gap', from, to, lost }),
    });
  }

  async start(sink: EventSink): Promise<void> {
    this.#merge = new EventMerge(sink);
    this.#merge.push({ type: 'clock', epochNs: this.#clock.base.epochNs });
    try {
      await this.#feed.start();
    } catch (thrown) {
      this.#state = 'failed';
      throw thrown;
    }
    this.#state = 'running';
    this.#work();
  }

  status(): SourceStatus {
    const { records, lost, rejected } = this.#feed.counters;
    return {
      name: this.name,
      state: this.#state,
      detail: `Births, ends, users and groups from the kernel's process connector, read every ${this.#pollMs} ms.`,
      notices: [...this.#notices()],
      events: records,
      lost,
      rejected: { ...rejected },
    };
  }

  async stop(): Promise<void> {
    if (this.#state === 'running') this.#end('ended');
  }

  *#notices(): Generator<string> {
    if (this.#failure !== undefined) yield this.#failure;
    yield* this.#scan.notices();
    yield 'Programs, names and arguments come from /proc: a process that ends within some milliseconds has those of its parent, or none.';
    yield* feedNotices(this.#feed);
    yield* this.#unkept.notices();
  }

  #work(): void {
    let isDrained = true;
    try {
      isDrained = this.#feed.read();
      this.#scan.step(this.#feed.counters.lost + this.#feed.overruns);
      // Messages of several CPUs come nearly in order.
      this.#merge.release(this.#feed.readUntil - this.#pollMs * 1e6);
    } catch (thrown) {
      this.#failure = `The process connector broke off (${toError(thrown).message}): start dendro again to go on.`;
      this.#end('failed');
      return;
    }
    if (isDrained && !this.#scan.isBusy) this.#timer = setTimeout(() => this.#work(), this.#pollMs);
    else this.#turn = setImmediate(() => this.#work());
  }

  #see(event: TaskEvent): void {
    if (event.type === 'observe' && event.tid === event.pid) this.#processes.see(event.pid, event.start, event.ppid);
    this.#merge.push(event);
  }

  #take(record: HappeningRecord): void {
    const merge = this.#merge;
    switch (record.what) {
      case 'fork':
        if (record.tid === record.pid) this.#processes.begin(record.pid, record.at, record.parentPid);
        this.#groups.forget(record.tid);
        merge.push(birthOf(record));
        break;
      case 'exec':
        this.#groups.forget(record.pid);
        merge.push(execOf(record));
        break;
      case 'comm':
        merge.push({ type: 'rename', at: record.at, tid: record.tid, pid: record.pid, comm: record.comm });
        break;
      case 'exit':
        this.#takeExit(record);
        break;
      default: {
        const event = record.what === 'uid' || record.what === 'gid' ? credentialsOf(record) : undefined;
        if (event === undefined) this.#unkept.count(record);
        else merge.push(event);
      }
    }
  }

  #takeExit(record: ExitRecord): void {
    const { tid, pid, at, parentPid } = record;
    if (tid === pid) {
      if (this.#processes.isFosterParent(pid, parentPid, at)) this.#merge.push(fosterParentOf(pid, parentPid, at));
      this.#processes.end(pid, at);
    }
    for (const event of this.#groups.end(exitOf(record), pid)) this.#merge.push(event);
  }

  #end(state: 'ended' | 'failed'): void {
    this.#state = state;
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#scan.stop();
    if (state === 'ended') this.#readLast();
    this.#merge.flush();
    this.#feed.stop();
  }

  #readLast(): void {
    try {
      this.#feed.read();
    } catch (thrown) {
      this.#failure = `The last messages could not be read: ${toError(thrown).message}.`;
    }
  }
}
