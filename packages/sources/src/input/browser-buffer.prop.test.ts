import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BrowserBuffer } from './browser-buffer.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
/** UTF-8 with damage, and byte order marks. */
const nearText = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 60 }), fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }))
  .map(([text, damage]) => {
    const encoded = new TextEncoder().encode(text);
    for (const [at, byte] of damage) if (at < encoded.length) encoded[at] = byte;
    return encoded;
  });
const part = fc.tuple(fc.nat(320), fc.nat(320));

test('texts are those of Node, whatever the bytes, whole and in part', () => {
  fc.assert(
    fc.property(fc.oneof(bytes, nearText), part, (data, [from, end]) => {
      const [ours, node] = [BrowserBuffer.from(data), Buffer.from(data)];
      for (const encoding of ['utf8', 'latin1'] as const) {
        expect(ours.toString(encoding)).toBe(node.toString(encoding));
        expect(ours.toString(encoding, from, end)).toBe(node.toString(encoding, from, end));
      }
      expect(ours.subarray(from, end).toString()).toBe(node.subarray(from, end).toString());
    }),
  );
  const long = new Uint8Array(100_000).map((_, i) => i % 251);
  expect(BrowserBuffer.from(long).toString('latin1')).toBe(Buffer.from(long).toString('latin1'));
  expect(BrowserBuffer.from(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)).toString()).toBe('\ufeffa');
});

test('bytes are those of Node, of texts and of parts of others', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), bytes, bytes, part, (text, data, more, [from, end]) => {
      for (const encoding of ['utf8', 'latin1'] as const) {
        expect([...BrowserBuffer.from(text, encoding)]).toEqual([...Buffer.from(text, encoding)]);
      }
      const hex = Buffer.from(data).toString('hex');
      expect([...BrowserBuffer.from(hex, 'hex')]).toEqual([...data]);
      const [offset, length] = [Math.min(from, data.length), Math.max(0, Math.min(end, data.length) - from)];
      const buffer = data.slice().buffer;
      expect([...BrowserBuffer.from(buffer, offset, length)]).toEqual([...Buffer.from(buffer, offset, length)]);
      expect([...BrowserBuffer.concat([data, more])]).toEqual([...Buffer.concat([data, more])]);
      const [ours, node] = [BrowserBuffer.alloc(400), Buffer.alloc(400)];
      expect(BrowserBuffer.from(data).copy(ours, 50, from, end)).toBe(
        Math.max(0, Math.min(end, data.length) - Math.min(from, data.length)),
      );
      Buffer.from(data).copy(node, 50, Math.min(from, data.length), Math.max(from, end));
      if (from <= end) expect([...ours]).toEqual([...node]);
      if (data.length >= 4) expect(BrowserBuffer.from(data).readInt32LE(0)).toBe(Buffer.from(data).readInt32LE(0));
    }),
  );
});

test('what is looked for is found where Node finds it', () => {
  const few = fc.array(fc.nat(2), { maxLength: 40 });
  fc.assert(
    fc.property(few, fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }), fc.nat(45), (data, what, from) => {
      const [ours, node] = [BrowserBuffer.from(data), Buffer.from(data)];
      expect(ours.indexOf(Uint8Array.from(what))).toBe(node.indexOf(Uint8Array.from(what)));
      expect(ours.subarray(1).indexOf(what[0] ?? 0, from)).toBe(node.subarray(1).indexOf(what[0] ?? 0, from));
    }),
  );
});
