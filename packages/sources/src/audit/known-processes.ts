// Processes that the log has spoken of, in bounded number: those that were met
// first are forgotten first.

export interface KnownProcess {
  readonly pid: number;
  readonly firstNs: bigint;
  ppid: number;
  uid: number | undefined;
  gid: number | undefined;
  /** Path of the file that it runs, as far as the log has said it. */
  executable: string | undefined;
  isBorn: boolean;
  hasThreads: boolean;
  /** Children of clone3 that may be its threads. */
  awaited: number;
  isInside: boolean;
  bearsInside: boolean;
  endNs: bigint | undefined;
}

const MAX_KNOWN = 65_536;

export class KnownProcesses {
  readonly #byPid = new Map<number, KnownProcess>();

  get(pid: number): KnownProcess | undefined {
    return this.#byPid.get(pid);
  }

  /** A new life of the pid. */
  add(pid: number, ppid: number, epochNs: bigint): KnownProcess {
    const parent = this.#byPid.get(ppid);
    const process: KnownProcess = {
      pid,
      firstNs: epochNs,
      ppid,
      uid: undefined,
      gid: undefined,
      executable: undefined,
      isBorn: false,
      hasThreads: false,
      awaited: 0,
      isInside: parent !== undefined && (parent.isInside || parent.bearsInside),
      bearsInside: false,
      endNs: undefined,
    };
    this.#byPid.delete(pid);
    const [oldest] = this.#byPid.keys();
    if (oldest !== undefined && this.#byPid.size >= MAX_KNOWN) this.#byPid.delete(oldest);
    this.#byPid.set(pid, process);
    return process;
  }
}
