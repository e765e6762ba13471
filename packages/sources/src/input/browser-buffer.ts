// As much of Node's Buffer as the decoders use, for browsers, which have none. Where there is one, it stays.

const CODES_AT_ONCE = 8192;
const encoder = new TextEncoder();
/** What is no UTF-8 becomes U+FFFD, and a byte order mark stays: as in Node. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

type Encoding = 'utf8' | 'latin1' | 'hex';

class Bytes extends Uint8Array {
  override toString(encoding: Encoding = 'utf8', from = 0, end = this.length): string {
    const bytes = this.subarray(Math.max(0, from), Math.max(0, end));
    if (encoding === 'latin1') return latin1(bytes);
    return decoder.decode(bytes);
  }

  override indexOf(what: number | Uint8Array, from = 0): number {
    if (typeof what === 'number') return super.indexOf(what, from);
    const [first] = what;
    if (first === undefined) return from;
    for (let at = super.indexOf(first, from); at >= 0; at = super.indexOf(first, at + 1)) {
      if (at + what.length > this.length) return -1;
      if (what.every((byte, i) => this[at + i] === byte)) return at;
    }
    return -1;
  }

  copy(target: Uint8Array, targetFrom = 0, from = 0, end = this.length): number {
    const bytes = this.subarray(from, end);
    target.set(bytes, targetFrom);
    return bytes.length;
  }

  readInt32LE(at = 0): number {
    return new DataView(this.buffer, this.byteOffset, this.length).getInt32(at, true);
  }
}

/** Tests hold it to Node's own. */
export const BrowserBuffer = {
  alloc: (length: number) => new Bytes(length),
  allocUnsafeSlow: (length: number) => new Bytes(length),

  from(data: string | ArrayBuffer | readonly number[] | Uint8Array, second?: Encoding | number, length?: number) {
    if (data instanceof ArrayBuffer) return new Bytes(data, second as number | undefined, length);
    if (typeof data !== 'string') return new Bytes(data);
    if (second === 'latin1') return fromLatin1(data);
    if (second === 'hex') return Bytes.from(data.match(/../g) ?? [], (two) => Number.parseInt(two, 16)) as Bytes;
    return new Bytes(encoder.encode(data));
  },

  concat(parts: readonly Uint8Array[]) {
    const all = new Bytes(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  },
};

function fromLatin1(text: string): Bytes {
  const bytes = new Bytes(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function latin1(bytes: Uint8Array): string {
  if (bytes.length <= CODES_AT_ONCE) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let text = '';
  for (let at = 0; at < bytes.length; at += CODES_AT_ONCE) text += latin1(bytes.subarray(at, at + CODES_AT_ONCE));
  return text;
}

const scope: { Buffer?: unknown } = globalThis;
scope.Buffer ??= BrowserBuffer;
