// Texts by their bytes: names, paths and inodes come again and again, and to
// compare a few bytes costs less than to make a string.

const SLOTS = 4096;
/** Longer ones are made each time. */
const MAX_BYTES = 256;

export class SeenTexts {
  readonly #texts: (string | undefined)[] = new Array<string | undefined>(SLOTS).fill(undefined);

  /** @returns the text of UTF-8 bytes; invalid ones become U+FFFD */
  of(bytes: Uint8Array, from: number, end: number): string {
    const length = end - from;
    if (length > MAX_BYTES) return decode(bytes, from, end);
    let hash = length;
    for (let at = from; at < end; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#texts[slot];
    if (known !== undefined && isSame(known, bytes, from, end)) return known;
    const text = decode(bytes, from, end);
    this.#texts[slot] = text;
    return text;
  }
}

/** A text with other than ASCII characters is never found: its code units are not its bytes. */
function isSame(text: string, bytes: Uint8Array, from: number, end: number): boolean {
  if (text.length !== end - from) return false;
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[from + i] as number;
    if (text.charCodeAt(i) !== byte || byte > 127) return false;
  }
  return true;
}

function decode(bytes: Uint8Array, from: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('utf8');
}
