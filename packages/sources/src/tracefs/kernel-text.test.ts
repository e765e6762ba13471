import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CommCache, kernelText } from './kernel-text.ts';

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
