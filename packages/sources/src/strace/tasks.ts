// What the importer has to remember of the tasks that strace tells of, until
// their lines are complete: in bounded numbers, whatever a file says.

export interface OpenCall {
  readonly name: string;
  readonly args: string;
  readonly epochNs: bigint;
}

export interface Folder {
  /** As far as it is known. */
  path: string | undefined;
}

export interface TracedTask {
  readonly tid: number;
  /** Of its process; undefined while nobody has said whether it is a thread. */
  pid: number | undefined;
  /** Has its birth been told? */
  isBorn: boolean;
  /** Time of its first line. */
  readonly firstNs: bigint;
  /** Of its process: its threads have one in common. */
  folder: Folder;
  /** Is it in a pid namespace in which strace is not? Then the numbers that calls give to it mean nothing outside. */
  isInside: boolean;
  /** Are its children born into another pid namespace? */
  bearsInside: boolean;
  /** The call that it is in, when it is one that matters. */
  call: OpenCall | undefined;
  /** The thread that called exec and has this tid since. */
  execCaller: number | undefined;
  /** When it called exit_group, and with what. */
  exiting: { readonly epochNs: bigint; readonly code: number } | undefined;
}

const MAX_TASKS = 65_536;
/** Calls whose end has not come, all together. */
const MAX_OPEN_BYTES = 32 * 1024 * 1024;

export class TracedTasks {
  readonly #byTid = new Map<number, TracedTask>();
  #openBytes = 0;
  #forgotten = 0;

  /** Tasks that were forgotten because there were too many. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get size(): number {
    return this.#byTid.size;
  }

  get(tid: number): TracedTask | undefined {
    return this.#byTid.get(tid);
  }

  all(): Iterable<TracedTask> {
    return this.#byTid.values();
  }

  /** The only one that there is. */
  only(): TracedTask | undefined {
    const [task] = this.#byTid.values();
    return this.#byTid.size === 1 ? task : undefined;
  }

  add(tid: number, epochNs: bigint): TracedTask {
    this.remove(tid);
    if (this.#byTid.size >= MAX_TASKS) this.#forgetOldest();
    const task: TracedTask = {
      tid,
      pid: undefined,
      isBorn: false,
      firstNs: epochNs,
      folder: { path: undefined },
      isInside: false,
      bearsInside: false,
      call: undefined,
      execCaller: undefined,
      exiting: undefined,
    };
    this.#byTid.set(tid, task);
    return task;
  }

  remove(tid: number): void {
    const task = this.#byTid.get(tid);
    if (task === undefined) return;
    this.close(task);
    this.#byTid.delete(tid);
  }

  /** @returns false when there is no room for it */
  open(task: TracedTask, call: OpenCall): boolean {
    this.close(task);
    if (this.#openBytes + call.args.length > MAX_OPEN_BYTES) return false;
    this.#openBytes += call.args.length;
    task.call = call;
    return true;
  }

  close(task: TracedTask): OpenCall | undefined {
    const { call } = task;
    if (call === undefined) return undefined;
    this.#openBytes -= call.args.length;
    task.call = undefined;
    return call;
  }

  #forgetOldest(): void {
    const [oldest] = this.#byTid.keys();
    if (oldest === undefined) return;
    this.remove(oldest);
    this.#forgotten++;
  }
}
