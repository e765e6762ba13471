// Who is whose child, of the processes that live: when one ends, the kernel says
// who inherits its children, but not which they are.

/** As many as there can be by default on a large host; beyond that the oldest are forgotten and nothing is said of them. */
const MAX_PROCESSES = 131_072;

export class Families {
  readonly #parents = new Map<number, number>(); // pid -> ppid
  readonly #children = new Map<number, Set<number>>(); // pid -> pids; never empty

  begin(pid: number, ppid: number): void {
    this.#leave(pid);
    this.#parents.set(pid, ppid);
    const siblings = this.#children.get(ppid);
    if (siblings === undefined) this.#children.set(ppid, new Set([pid]));
    else siblings.add(pid);
    if (this.#parents.size <= MAX_PROCESSES) return;
    for (const oldest of this.#parents.keys()) {
      this.#leave(oldest);
      return;
    }
  }

  /** Seen in passing: what is known already is newer or as good. */
  see(pid: number, ppid: number): void {
    if (!this.#parents.has(pid)) this.begin(pid, ppid);
  }

  get size(): number {
    return this.#parents.size;
  }

  pids(): Iterable<number> {
    return this.#parents.keys();
  }

  /**
   * The process has ended.
   * @param heir who has its children from now on
   * @returns the children
   */
  end(pid: number, heir: number): readonly number[] {
    this.#leave(pid);
    const children = [...(this.#children.get(pid) ?? [])];
    this.#children.delete(pid);
    for (const child of children) {
      this.#parents.delete(child);
      if (heir > 0) this.begin(child, heir);
    }
    return children;
  }

  #leave(pid: number): void {
    const ppid = this.#parents.get(pid);
    if (ppid === undefined) return;
    this.#parents.delete(pid);
    const siblings = this.#children.get(ppid);
    siblings?.delete(pid);
    if (siblings?.size === 0) this.#children.delete(ppid);
  }
}
