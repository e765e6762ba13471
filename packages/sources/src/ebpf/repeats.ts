// The same programs are started again and again, in the same folders: what was
// made of the same bytes before is given again, and looked up is sooner than made.

/** Slots of a cache. An entry takes the place of the one that had its slot. */
const SLOTS = 1024;
/** Longer ones come rarely, and are made each time. */
const MAX_BYTES = 512;

export class Repeats<Made> {
  readonly #make: (bytes: Buffer, start: number, end: number) => Made;
  readonly #bytes: (Uint8Array | undefined)[] = new Array<Uint8Array | undefined>(SLOTS).fill(undefined);
  readonly #made: (Made | undefined)[] = new Array<Made | undefined>(SLOTS).fill(undefined);

  /** @param make depends on the bytes alone */
  constructor(make: (bytes: Buffer, start: number, end: number) => Made) {
    this.#make = make;
  }

  /**
   * What is made of `[start, end)`. Hot: runs some five times per exec.
   * @param view and `bytes` are two views of the same
   */
  take(view: DataView, bytes: Buffer, start: number, end: number): Made {
    const length = end - start;
    if (length < 4 || length > MAX_BYTES) return this.#make(bytes, start, end);
    // What differs between texts of one length is at the ends or in the middle more often than not.
    let hash = Math.imul(view.getInt32(start, true), 0x9e3779b1) ^ length;
    hash = Math.imul((hash ^ (hash >>> 15)) + view.getInt32(end - 4, true), 0x85ebca6b);
    hash = Math.imul((hash ^ (hash >>> 15)) + view.getInt32(start + ((length - 4) >> 1), true), 0xc2b2ae35);
    const slot = (hash >>> 16) & (SLOTS - 1);
    const known = this.#bytes[slot];
    if (known !== undefined && isSame(known, bytes, start, length)) return this.#made[slot] as Made;
    const made = this.#make(bytes, start, end);
    const copy = new Uint8Array(length);
    copy.set(bytes.subarray(start, end));
    this.#bytes[slot] = copy;
    this.#made[slot] = made;
    return made;
  }
}

function isSame(known: Uint8Array, bytes: Buffer, start: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) {
    if (known[i] !== bytes[start + i]) return false;
  }
  return true;
}
