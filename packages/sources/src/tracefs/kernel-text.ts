// Text as the kernel keeps it: bytes up to a NUL, of any encoding.
//
// A comm or a file name may hold every byte but NUL. It is shown as UTF-8, and
// a byte that is none as `\xNN`, so that two names that differ never look the
// same for want of a valid character. (A name that really holds a backslash, x
// and two digits looks like one that holds the byte; nothing is decided on that.)

const REPLACEMENT = '\u{FFFD}';

/** Text of `bytes[start, end)`, up to the first NUL in it. */
export function kernelText(bytes: Buffer, start: number, end: number): string {
  let stop = start;
  while (stop < end && bytes[stop] !== 0) stop++;
  const text = bytes.toString('utf8', start, stop);
  return text.includes(REPLACEMENT) ? withEscapes(bytes.subarray(start, stop)) : text;
}

/** Several in a row, each with a NUL; the last one may lack it. */
export function kernelTexts(bytes: Buffer, start: number, end: number): string[] {
  if (start === end) return [];
  const text = bytes.toString('utf8', start, bytes[end - 1] === 0 ? end - 1 : end);
  // A NUL is a NUL in whatever is no UTF-8, so that they are the same in number.
  const texts = text.split('\0');
  if (!text.includes(REPLACEMENT)) return texts;
  let at = start;
  return texts.map(() => {
    let stop = at;
    while (stop < end && bytes[stop] !== 0) stop++;
    const one = kernelText(bytes, at, stop);
    at = stop + 1;
    return one;
  });
}

/**
 * Decodes what is UTF-8 and escapes the rest, byte by byte. Whoever names a program decides how long it takes:
 * runs are decoded in one go, and nothing is thrown to find out.
 */
function withEscapes(bytes: Buffer): string {
  let text = '';
  let from = 0; // of a run that is UTF-8
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    text += bytes.toString('utf8', from, at) + ESCAPES[bytes[at] as number];
    from = ++at;
  }
  return text + bytes.toString('utf8', from);
}

const ESCAPES = Array.from({ length: 256 }, (_, byte) => `\\x${byte.toString(16).padStart(2, '0')}`);

/** Bytes of the UTF-8 sequence that begins here, 0 when none does. By the table of well-formed ones (Unicode, D92). */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes[at + 1] as number;
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80; // below: overlong
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf; // above: a surrogate, or beyond Unicode
  if (second < least || second > most) return 0;
  for (let i = 2; i < length; i++) {
    if (((bytes[at + i] as number) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

const CACHE_SLOTS = 1024;
const COMM_BYTES = 16;

/**
 * Turns 16 bytes of comm into a string. Most events repeat a name that was seen just before, so
 * the string is looked up by its bytes and decoded only when another name took its slot.
 */
export class CommCache {
  readonly #words = new Int32Array(CACHE_SLOTS * 4); // slot -> the 16 bytes
  readonly #texts: string[] = new Array<string>(CACHE_SLOTS).fill(''); // slot -> their text; 16 NULs are ''

  /** Hot: once or twice per event. The caller has checked that 16 bytes are there. */
  text(page: DataView, bytes: Buffer, start: number): string {
    const a = page.getInt32(start, true);
    const b = page.getInt32(start + 4, true);
    const c = page.getInt32(start + 8, true);
    const d = page.getInt32(start + 12, true);
    let hash =
      Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f);
    hash ^= hash >>> 15;
    const slot = hash & (CACHE_SLOTS - 1);
    const words = this.#words;
    const at = slot * 4;
    if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) {
      return this.#texts[slot] as string;
    }
    const text = kernelText(bytes, start, start + COMM_BYTES);
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = c;
    words[at + 3] = d;
    this.#texts[slot] = text;
    return text;
  }
}
