import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CommCache, kernelText, kernelTexts } from './kernel-text.ts';

function textOf(...parts: readonly (string | readonly number[])[]): string {
  const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
  return kernelText(bytes, 0, bytes.length);
}

test('text ends at the first NUL or at the end of its place', () => {
  expect(textOf('bash\0junk')).toBe('bash');
  expect(textOf('sixteen bytes ab')).toBe('sixteen bytes ab');
  expect(textOf('\0')).toBe('');
});

test('UTF-8 is read as such, a line break and a true U+FFFD too', () => {
  expect(textOf('naïve\n日本🐧\u{FFFD}')).toBe('naïve\n日本🐧\u{FFFD}');
});

test('every byte that is no UTF-8 stays visible', () => {
  expect(textOf('a', [0xff], 'b')).toBe('a\\xffb');
  expect(textOf([0xc3], 'é', [0xed, 0xa0, 0x80])).toBe('\\xc3é\\xed\\xa0\\x80');
  expect(textOf([0xc0, 0xaf], [0xf5])).toBe('\\xc0\\xaf\\xf5');
});

test('a name cut in the middle of a character keeps its bytes', () => {
  expect(textOf('ab', [0xe2, 0x82])).toBe('ab\\xe2\\x82');
});

test('a sequence is UTF-8 or not as the platform has it', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** Byte by byte, each asked about: slow, and sure. */
  const slowly = (bytes: Buffer): string => {
    let text = '';
    for (let at = 0; at < bytes.length; ) {
      const lead = bytes[at]!;
      const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      try {
        text += strict.decode(at + length > bytes.length ? Buffer.from([0xff]) : bytes.subarray(at, at + length));
        at += length;
      } catch {
        text += `\\x${bytes.toString('hex', at, ++at)}`;
      }
    }
    return text;
  };
  // What may follow is decided at these bounds.
  for (let first = 0x80; first < 0x100; first++) {
    for (const second of [0x01, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]) {
      for (const rest of [[], [0x7f], [0x80], [0xbf, 0x80], [0x80, 0xbf], [0x80, 0xc0]]) {
        const bytes = Buffer.from([first, second, ...rest]);
        if (textOf([...bytes]) !== slowly(bytes)) expect(textOf([...bytes])).toBe(slowly(bytes));
      }
    }
  }
  const odd = fc.array(
    fc.constantFrom(0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5),
  );
  fc.assert(
    fc.property(odd, (bytes) => {
      expect(textOf(bytes)).toBe(slowly(Buffer.from(bytes)));
    }),
    { numRuns: 500 },
  );
});

test('two names of different bytes never become one text, as long as they hold no backslash', () => {
  const name = fc.array(
    fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x5c),
    { maxLength: 15 },
  );
  fc.assert(
    fc.property(name, name, (a, b) => {
      fc.pre(Buffer.compare(Buffer.from(a), Buffer.from(b)) !== 0);
      expect(textOf(a)).not.toBe(textOf(b));
    }),
    { numRuns: 500 },
  );
});

test('several texts in a row are each what it is alone', () => {
  const texts = (...bytes: number[]) => kernelTexts(Buffer.from([9, ...bytes, 9]), 1, 1 + bytes.length);
  expect(texts()).toEqual([]);
  expect(texts(0)).toEqual(['']);
  expect(texts(0, 0)).toEqual(['', '']);
  expect(texts(0x61, 0, 0x62)).toEqual(['a', 'b']);
  const byte = fc.constantFrom(0, 0, 0x41, 0x80, 0xc3, 0xa9, 0xe2, 0x82, 0xff);
  fc.assert(
    fc.property(fc.array(byte, { minLength: 1 }), (bytes) => {
      const parts: number[][] = [[]];
      for (const one of bytes) one === 0 ? parts.push([]) : parts.at(-1)?.push(one);
      if (bytes.at(-1) === 0) parts.pop();
      expect(texts(...bytes)).toEqual(parts.map((part) => textOf(part)));
    }),
    { numRuns: 500 },
  );
});

test('the cache of comms says what decoding says, whatever takes whose slot', () => {
  const cache = new CommCache();
  const comm = fc.uint8Array({ minLength: 16, maxLength: 16, max: 3 });
  fc.assert(
    fc.property(fc.array(comm, { maxLength: 50 }), (comms) => {
      for (const bytes of comms) {
        const buffer = Buffer.from(bytes);
        const view = new DataView(buffer.buffer, buffer.byteOffset, 16);
        expect(cache.text(view, buffer, 0)).toBe(kernelText(buffer, 0, 16));
      }
    }),
  );
});
