// The texts of all images, each once: what a search looks through. A block has some hundred of them, most of
// which other blocks have too. Filled as blocks are searched; when it is full it begins anew.

const MAX_BYTES = 64 * 1024 * 1024;
const PAGE_BYTES = 1024 * 1024;
const SEPARATOR = 10;
const NEARLY = 0.75;

interface Page {
  /** Lower case, one text after the other, a line feed behind each. */
  readonly bytes: Buffer;
  length: number;
  readonly firstId: number;
  /** Ends of its texts, line feeds included. */
  readonly ends: number[];
}

export class TextIndex {
  readonly #maxBytes: number;
  readonly #ids = new Map<string, number>();
  #pages: Page[] = [];
  #bytes = 0;
  #generation = 0;

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Changes when it begins anew: ids that were given before are void then. */
  get generation(): number {
    return this.#generation;
  }

  /** How many there are. */
  get size(): number {
    return this.#ids.size;
  }

  /** Is there so much in it that more would soon begin it anew? */
  get isNearlyFull(): boolean {
    return this.#bytes > NEARLY * this.#maxBytes;
  }

  /** To be called between searches: ids stay as they are during one. */
  trim(): void {
    if (this.#bytes <= this.#maxBytes) return;
    this.#ids.clear();
    this.#pages = [];
    this.#bytes = 0;
    this.#generation++;
  }

  /** @returns never 0 */
  idOf(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.#ids.size + 1;
    this.#ids.set(text, id);
    const bytes = lowered(text);
    let page = this.#pages.at(-1);
    if (page === undefined || page.length + bytes.length + 1 > page.bytes.length) {
      page = { bytes: Buffer.alloc(Math.max(PAGE_BYTES, bytes.length + 1)), length: 0, firstId: id, ends: [] };
      this.#pages.push(page);
    }
    bytes.copy(page.bytes, page.length);
    page.length += bytes.length;
    page.bytes[page.length++] = SEPARATOR;
    page.ends.push(page.length);
    this.#bytes += bytes.length + 64;
    return id;
  }

  /**
   * Which texts hold a text, whatever the case of the letters A to Z: `hits[id]` is 1.
   * @param known what was found of it when there were fewer texts
   */
  matches(needle: string, known: Uint8Array = new Uint8Array(1)): Uint8Array {
    const hits = new Uint8Array(this.#ids.size + 1);
    hits.set(known);
    const wanted = lowered(needle);
    for (const { bytes, length, firstId, ends } of this.#pages) {
      if (firstId + ends.length <= known.length) continue;
      const used = bytes.subarray(0, length);
      let text = Math.max(0, known.length - firstId);
      for (let at = used.indexOf(wanted, text === 0 ? 0 : ends[text - 1]); at >= 0 && at < length; ) {
        while ((ends[text] as number) <= at) text++;
        hits[firstId + text] = 1;
        at = used.indexOf(wanted, ends[text]);
      }
    }
    return hits;
  }
}

/** Arguments are parted by NUL in wire texts; a person parts them by blanks. A line feed only ever parts texts. */
export function lowered(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte === 0 || byte === SEPARATOR) bytes[i] = 32;
    else if (byte >= 65 && byte <= 90) bytes[i] = byte + 32;
  }
  return bytes;
}
