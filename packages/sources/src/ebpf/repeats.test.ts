import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Repeats } from './repeats.ts';

const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

test('what comes again is the same object, made once', () => {
  let made = 0;
  const repeats = new Repeats((bytes, start, end) => ({ text: bytes.toString('latin1', start, end), number: made++ }));
  const bytes = Buffer.from('/usr/bin/name /usr/bin/name');
  const first = repeats.take(viewOf(bytes), bytes, 0, 13);
  expect(repeats.take(viewOf(bytes), bytes, 14, 27)).toBe(first);
  bytes.fill(0);
  expect(first).toEqual({ text: '/usr/bin/name', number: 0 });
});

test('whatever comes before, what is given is what would be made', () => {
  const repeats = new Repeats((bytes, start, end) => bytes.toString('latin1', start, end));
  // Few different bytes, so that lengths, ends and middles are often the same.
  const text = fc.uint8Array({ max: 1, maxLength: 24 });
  const long = fc.uint8Array({ max: 1, minLength: 500, maxLength: 520 });
  fc.assert(
    fc.property(fc.array(fc.oneof(text, long), { maxLength: 60 }), (texts) => {
      for (const one of texts) {
        const bytes = Buffer.concat([Buffer.from([7]), one, Buffer.from([7])]);
        expect(repeats.take(viewOf(bytes), bytes, 1, 1 + one.length)).toBe(Buffer.from(one).toString('latin1'));
      }
    }),
  );
});
