import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from './lines.ts';

const TOO_LONG = Symbol('too long');

function split(chunks: readonly (string | Uint8Array)[], maxBytes = 100): (string | symbol)[] {
  const lines: (string | symbol)[] = [];
  const splitter = new LineSplitter(maxBytes, {
    line: (bytes, from, end) => lines.push(bytes.toString('utf8', from, end)),
    tooLong: () => lines.push(TOO_LONG),
  });
  for (const chunk of chunks) splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  splitter.end();
  return lines;
}

test.each<[string, string[], (string | symbol)[]]>([
  ['lines end with a line feed', ['a\nb\n'], ['a', 'b']],
  ['lines end with carriage return and line feed', ['a\r\nb\r\n'], ['a', 'b']],
  ['a chunk ends between carriage return and line feed', ['a\r', '\nb\r\n'], ['a', 'b']],
  ['a carriage return inside of a line stays', ['a\rb\n'], ['a\rb']],
  ['the last line has no end', ['a\nb'], ['a', 'b']],
  ['empty lines are lines', ['\n\r\na\n\n'], ['', '', 'a', '']],
  ['a line comes in many chunks', ['a', 'b', '', 'c', '\n', 'd'], ['abc', 'd']],
  ['nothing comes', ['', ''], []],
])('%s', (_what, chunks, expected) => {
  expect(split(chunks)).toEqual(expected);
});

test('the longest line allowed is given, one byte more is not, wherever the chunks are cut', () => {
  const bytes = Buffer.from(`${'a'.repeat(10)}\n${'b'.repeat(11)}\n${'c'.repeat(1000)}\nd\n${'e'.repeat(11)}`);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 30 }), (cuts) => {
      const ends = [...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
      expect(split(chunks, 10)).toEqual(['a'.repeat(10), TOO_LONG, TOO_LONG, 'd', TOO_LONG]);
    }),
  );
});

test('bytes that are no UTF-8 become replacement characters, and the line is kept', () => {
  expect(split([Buffer.from([0x61, 0xff, 0xfe, 0x62, 10, 0xc3]), Buffer.from([0xa9, 10])])).toEqual([
    'a\u{FFFD}\u{FFFD}b',
    '\u00e9',
  ]);
});

test('a chunk may be used again: what is kept of it is a copy', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter(100, {
    line: (bytes, from, end) => lines.push(bytes.toString('utf8', from, end)),
    tooLong: () => {},
  });
  const chunk = Buffer.from('first');
  splitter.push(chunk);
  chunk.fill('x');
  splitter.push(Buffer.from('\n'));
  expect(lines).toEqual(['first']);
});

test('a line that comes byte by byte takes no more memory than its length', () => {
  const splitter = new LineSplitter(4 * 1024 * 1024, { line: () => {}, tooLong: () => {} });
  const byte = Buffer.from('a');
  globalThis.gc?.();
  const before = process.memoryUsage();
  for (let i = 0; i < 2_000_000; i++) splitter.push(byte);
  const after = process.memoryUsage();
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 1024 * 1024);
  expect(after.heapUsed - before.heapUsed).toBeLessThan(64 * 1024 * 1024);
});
