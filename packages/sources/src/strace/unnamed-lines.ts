// Lines that do not say whose they are. On standard error strace names nobody as
// long as it traces one task only; the first line with a name that is not a
// child's says who that was. Until then everything waits, so that it stays in
// order.

export interface UnnamedLine {
  readonly tid: number | undefined;
  readonly epochNs: bigint;
  readonly rest: string;
  readonly lineNumber: number;
}

const MAX_LINES = 20_000;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_OTHERS = 65_536;
const OWN_TID = /^(?:getpid|gettid|set_tid_address)\([^)]{0,64}\) += (\d{1,7})$/;
const BIRTH = /^(?:<\.\.\. )?(?:v?fork|clone3?)(?:\(| resumed>)/;
const RESULT = / = (\d{1,7})$/;

export class UnnamedLines {
  #lines: UnnamedLine[] = [];
  #bytes = 0;
  /** Born or attached meanwhile: none of these is the one. */
  readonly #others = new Set<number>();

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** With -p, the one that strace was told to trace. */
  get onlyAttached(): number | undefined {
    const [tid] = this.#others;
    return this.#others.size === 1 && this.isEmpty ? tid : undefined;
  }

  /** @returns false when too many wait */
  add(line: UnnamedLine): boolean {
    if (this.#lines.length >= MAX_LINES || this.#bytes + line.rest.length > MAX_BYTES) return false;
    this.#lines.push(line);
    this.#bytes += line.rest.length;
    const child = BIRTH.test(line.rest) ? RESULT.exec(line.rest)?.[1] : undefined;
    if (child !== undefined) this.attached(Number(child));
    return true;
  }

  attached(tid: number): void {
    if (this.#others.size < MAX_OTHERS) this.#others.add(tid);
  }

  isOther(tid: number): boolean {
    return this.#others.has(tid);
  }

  /** The tid of the caller, where the line is of a call that gives it. */
  ownTid(rest: string): number | undefined {
    const tid = OWN_TID.exec(rest)?.[1];
    return tid === undefined ? undefined : Number(tid);
  }

  take(): readonly UnnamedLine[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    this.#others.clear();
    return lines;
  }
}
