// A host as a stream of events, for benches and for tests at length: a number of tasks that live at a time, most of
// them for long, and programs that come and go, most of them for a moment. Seeded. The
// real tree makes the facts of it.

import { ProcessTree } from '@dendro/engine';
import { CLONE, type EventNs, type TaskEvent } from '@dendro/protocol';
import { Random } from './workload.ts';

export const LIVES_EPOCH_NS = 1_795_459_682_783_931_000n;
const MS = 1_000_000;
const SECOND = 1000 * MS;
const MAX_PID = 4_194_304;
const PATHS = 400;
const WORDS = 4000;
const USERS = 20;
/** Of births, how many are of those that go on for longer; and as long as too few live. */
const LONG_SHARE = 0.05;
const REFILL_SHARE = 0.5;

export interface LivesOptions {
  readonly facts: number;
  /** Facts of one batch. */
  readonly batchFacts: number;
  /** Tasks that live at a time. */
  readonly liveTasks: number;
  /** New processes in a second of the host. */
  readonly birthsPerSecond: number;
  readonly seed?: number;
  /** What its tree keeps of processes, the ended included. Default 65,536. */
  readonly maxProcesses?: number;
}

export interface LivesBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly facts: number;
  readonly at: EventNs;
}

interface Due {
  readonly at: number;
  readonly event: TaskEvent | undefined;
  /** Of the life that ends then. */
  readonly pid: number;
}

/** Events that are due, the earliest first. */
class Agenda {
  readonly #heap: Due[] = [];

  get earliest(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  add(due: Due): void {
    const heap = this.#heap;
    let i = heap.push(due) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if ((heap[up] as Due).at <= due.at) break;
      heap[i] = heap[up] as Due;
      i = up;
    }
    heap[i] = due;
  }

  take(): Due {
    const heap = this.#heap;
    const first = heap[0] as Due;
    const last = heap.pop() as Due;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && (heap[down + 1] as Due).at < (heap[down] as Due).at) down++;
      if ((heap[down] as Due).at >= last.at) break;
      heap[i] = heap[down] as Due;
      i = down;
    }
    heap[i] = last;
    return first;
  }
}

interface Life {
  readonly pid: number;
  readonly start: EventNs;
  readonly place: number;
}

export class LivesHost {
  readonly host: ProcessTree;
  readonly #options: LivesOptions;
  readonly #random: Random;
  readonly #agenda = new Agenda();
  readonly #words: string[];
  readonly #paths: string[];
  readonly #commands: string[][] = [];
  /** Living processes, for choosing a parent. */
  readonly #living: Life[] = [];
  readonly #placeOf = new Map<number, number>();
  readonly #used = new Set<number>();
  #nextPid = 300;
  #threads = 0;
  now = 0;

  constructor(options: LivesOptions) {
    this.#options = options;
    const maxProcesses = options.maxProcesses ?? 65_536;
    this.host = new ProcessTree({ maxProcesses, maxThreads: 2 * maxProcesses });
    this.#random = new Random(options.seed ?? 123_456_789);
    const syllables = 'ka to ri me lu pro sys net ser ver con fig da ta log ex in der mo dul'.split(' ');
    this.#words = Array.from({ length: WORDS }, () => {
      const parts = Array.from({ length: 2 + this.#random.below(3) }, () => syllables[this.#random.below(20)]);
      return parts.join('');
    });
    const folders = ['bin', 'lib/gcc', 'local/bin', 'libexec'];
    this.#paths = Array.from({ length: PATHS }, (_, i) => `/usr/${folders[i % 4]}/${this.#words[i]}`);
  }

  /** Batches until there are as many facts as are wanted. */
  *run(): Generator<LivesBatch> {
    const { host } = this;
    host.apply({ type: 'clock', epochNs: LIVES_EPOCH_NS });
    this.#begin();
    const pause = SECOND / this.#options.birthsPerSecond;
    let told = 0;
    let nextBirth = 0;
    while (told < this.#options.facts) {
      while (host.pending < this.#options.batchFacts) {
        if (this.#agenda.earliest <= nextBirth) this.#tell(this.#agenda.take());
        else {
          this.now = nextBirth;
          this.#bear();
          nextBirth += Math.round(pause * (0.2 + 1.6 * this.#random.next()));
        }
      }
      const facts = host.pending;
      told += facts;
      const batch = host.commit();
      if (batch !== undefined) yield { bytes: batch.bytes, facts, at: host.newest };
    }
  }

  /** What runs already. */
  #begin(): void {
    const { host } = this;
    host.apply(this.#seen(1, 0, -SECOND, ['/sbin/init']));
    this.#enter(1, -SECOND as EventNs);
    while (this.#liveTasks < this.#options.liveTasks) {
      const pid = this.#newPid();
      const start = -this.#random.below(3600) * SECOND;
      host.apply(this.#seen(pid, 1, start, this.#command()));
      this.#enter(pid, start as EventNs);
      this.#endLater(pid, this.#random.logUniform(60 * SECOND, 12 * 3600 * SECOND));
      for (let left = this.#random.below(5); left > 0; left--) this.#addThread(pid, 0, 7200 * SECOND);
    }
  }

  #seen(pid: number, ppid: number, start: number, argv: readonly string[]): TaskEvent {
    const path = argv[0] as string;
    return {
      type: 'observe',
      at: this.now as EventNs,
      tid: pid,
      pid,
      ppid,
      start: start as EventNs,
      startIsTick: true,
      comm: path.slice(path.lastIndexOf('/') + 1).slice(0, 15),
      executable: { path, device: 2049, inode: String(100_000 + path.length * 37), mode: 0o100755 },
      argv,
      cwd: '/',
      uid: 0,
      gid: 0,
      nsTid: pid,
      nsPid: pid,
      pidNs: 4_026_531_836,
    };
  }

  get #liveTasks(): number {
    return this.#living.length + this.#threads;
  }

  #bear(): void {
    const random = this.#random;
    const longShare = this.#liveTasks < this.#options.liveTasks ? REFILL_SHARE : LONG_SHARE;
    const parent = this.#living[
      random.next() < 0.7 ? random.skewed(this.#living.length) : random.below(this.#living.length)
    ] as Life;
    const pid = this.#newPid();
    const at = this.now as EventNs;
    this.host.apply({ type: 'fork', at, tid: pid, creatorTid: parent.pid, cloneFlags: 0 });
    this.#enter(pid, at);
    const argv = this.#command();
    const path = argv[0] as string;
    const doesExec = random.next() < 0.85;
    const execAt = (this.now + 200_000 + random.below(900_000)) as EventNs;
    const comm = path.slice(path.lastIndexOf('/') + 1).slice(0, 15);
    if (doesExec) this.#later(execAt, { type: 'exec', at: execAt, pid, filename: path, argv, comm });
    const isShort = random.next() >= longShare;
    const length = isShort
      ? random.logUniform(3 * MS, 5 * SECOND)
      : random.logUniform(5 * SECOND, (random.next() < 0.15 ? 6 * 3600 : 300) * SECOND);
    const seenAt = (execAt + 2 * MS + random.below(4 * MS)) as EventNs;
    if (doesExec && seenAt < this.now + length) {
      const uid = random.next() < 0.7 ? 0 : 1000 + random.below(USERS);
      this.#later(seenAt, {
        type: 'observe',
        at: seenAt,
        tid: pid,
        pid,
        ppid: parent.pid,
        start: at,
        startIsTick: false,
        executable: { path, device: 2049, inode: String(100_000 + path.length * 37), mode: 0o100755 },
        argv,
        cwd: `/home/${this.#words[random.skewed(200)]}`,
        uid,
        gid: uid,
        nsTid: pid,
        nsPid: pid,
        pidNs: 4_026_531_836,
      });
    }
    if (!isShort) for (let left = random.below(4); left > 0; left--) this.#addThread(pid, execAt + 10 * MS, length);
    this.#endLater(pid, length);
  }

  #addThread(pid: number, from: number, length: number): void {
    const tid = this.#newPid();
    const at = (from + this.#random.below(5 * MS)) as EventNs;
    this.#threads++;
    this.#later(at, { type: 'fork', at, tid, pid, creatorTid: pid, cloneFlags: CLONE.thread });
    const named = (at + this.#random.below(MS)) as EventNs;
    this.#later(named, { type: 'rename', at: named, tid, pid, comm: `worker-${this.#random.below(40)}` });
    const end = (at + this.#random.below(Math.max(2 * MS, length))) as EventNs;
    this.#later(end, { type: 'exit', at: end, tid, pid, isGroupDead: false, code: 0 }, tid);
  }

  #endLater(pid: number, after: number): void {
    const at = (this.now + after) as EventNs;
    const code = this.#random.next() < 0.9 ? 0 : this.#random.below(256);
    this.#later(at, { type: 'exit', at, tid: pid, pid, isGroupDead: true, code }, pid);
  }

  #later(at: number, event: TaskEvent, pid = 0): void {
    this.#agenda.add({ at, event, pid });
  }

  #tell({ at, event, pid }: Due): void {
    this.now = at;
    if (event === undefined) return;
    // A thread of a process that has ended says nothing any more.
    if ('pid' in event && event.pid !== undefined && !this.#placeOf.has(event.pid)) {
      if (event.type === 'exit') this.#threads--;
      return;
    }
    this.host.apply(event);
    if (pid === 0) return;
    if (event.type === 'exit' && event.isGroupDead !== true) {
      this.#threads--;
      this.#used.delete(pid);
    } else this.#leave(pid);
  }

  #enter(pid: number, start: EventNs): void {
    this.#placeOf.set(pid, this.#living.length);
    this.#living.push({ pid, start, place: this.#living.length });
  }

  #leave(pid: number): void {
    const place = this.#placeOf.get(pid);
    const last = this.#living.pop();
    this.#placeOf.delete(pid);
    this.#used.delete(pid);
    if (place === undefined || last === undefined || last.pid === pid) return;
    this.#living[place] = last;
    this.#placeOf.set(last.pid, place);
  }

  #newPid(): number {
    do this.#nextPid = this.#nextPid >= MAX_PID - 1 ? 300 : this.#nextPid + 1;
    while (this.#used.has(this.#nextPid));
    this.#used.add(this.#nextPid);
    return this.#nextPid;
  }

  /** One in twenty is new; the others have run before, most of them lately. */
  #command(): string[] {
    const random = this.#random;
    const known = this.#commands.length;
    if (known > 0 && random.next() >= 0.05) {
      const back =
        random.next() < 0.5
          ? Math.floor(random.next() ** 4 * known)
          : known - 1 - Math.floor(random.next() ** 3 * Math.min(known, 5000));
      return this.#commands[Math.max(0, back)] as string[];
    }
    const word = () => this.#words[random.skewed(WORDS)] as string;
    const path = this.#paths[random.skewed(PATHS)] as string;
    const output = `/tmp/${word()}${random.below(1e6).toString(36)}.o`;
    const command = [path, `--${word()}=${word()}`, `-I../${word()}/include`, '-o', output, `${word()}.c`];
    this.#commands.push(command);
    return command;
  }
}
