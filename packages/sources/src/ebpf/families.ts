// Who is whose child, of the processes that live: when one ends, the kernel says
// who inherits its children, but not which they are.

/** As many as there can be by default on a large host; beyond that the oldest are forgotten and nothing is said of them. */
const MAX_PROCESSES = 131_072;
/** In place of a pid. */
export const NOT_KNOWN = 0;
const NOBODY: readonly number[] = [];

export class Families {
  readonly #parents = new Map<number, number>(); // pid -> ppid
  readonly #children = new Map<number, Set<number>>(); // pid -> pids; never empty

  /** A birth. Who was left of a life before under this pid, whose end was lost, has other parents by now. */
  begin(pid: number, ppid: number): void {
    this.#passChildren(pid, NOT_KNOWN);
    this.#add(pid, ppid);
  }

  /** Seen in passing: what is known already is newer or as good. */
  see(pid: number, ppid: number): void {
    if ((this.#parents.get(pid) ?? NOT_KNOWN) === NOT_KNOWN) this.#add(pid, ppid);
  }

  has(pid: number): boolean {
    return this.#parents.has(pid);
  }

  get size(): number {
    return this.#parents.size;
  }

  pids(): Iterable<number> {
    return this.#parents.keys();
  }

  /**
   * The process has ended.
   * @param heir who has its children from now on; 0 when it had none
   * @returns the children
   */
  end(pid: number, heir: number): readonly number[] {
    this.#leave(pid);
    return this.#passChildren(pid, heir);
  }

  #passChildren(pid: number, heir: number): readonly number[] {
    const known = this.#children.get(pid);
    if (known === undefined) return NOBODY;
    const children = [...known];
    for (const child of children) this.#add(child, heir);
    return children;
  }

  #add(pid: number, ppid: number): void {
    this.#leave(pid);
    this.#parents.set(pid, ppid);
    const siblings = this.#children.get(ppid);
    if (siblings === undefined) this.#children.set(ppid, new Set([pid]));
    else siblings.add(pid);
    if (this.#parents.size <= MAX_PROCESSES) return;
    // Many at once: to find the first key of a map that has lost others takes time.
    let tooMany = MAX_PROCESSES / 8;
    for (const oldest of this.#parents.keys()) {
      this.#leave(oldest);
      if (--tooMany === 0) return;
    }
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
