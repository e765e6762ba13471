import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Unpacker } from './unpacker.ts';

const TEXT = Array.from({ length: 3000 }, (_, i) => `line ${(i * 7919) % 1000} of ${i}\n`).join('');
const PACKINGS: [string, (text: string) => Buffer][] = [
  ['gzip', gzipSync],
  ['zstd', (text) => zstdCompressSync(Buffer.from(text))],
];
/** What pzstd writes between frames: a length and as many bytes to skip. */
const SKIPPED_FRAME = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

async function unpack(chunks: Iterable<Uint8Array>) {
  let text = '';
  const unpacker = new Unpacker((bytes) => {
    text += bytes.toString('latin1');
  });
  for (const chunk of chunks) await unpacker.push(Buffer.from(chunk));
  await unpacker.end();
  return { text, damage: unpacker.damage, packing: unpacker.packing };
}

function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

test.each(PACKINGS)('%s is taken off, wherever the chunks are cut', async (packing, pack) => {
  const packed = pack(TEXT);
  for (const size of [1, 7, 1000, 4096, 4097, 1e6]) {
    expect(await unpack(pieces(packed, size))).toEqual({ text: TEXT, damage: undefined, packing });
  }
});

test('what is not packed goes through as it is, wherever the chunks are cut', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom('(', '[pid 1]', '\u001f', '(\u00b5/', 'P*M').map((text) => Buffer.from(text, 'latin1')),
  );
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 5 }), async (one, size) => {
      fc.pre(!(one[0] === 0x1f && one[1] === 0x8b));
      const { text, damage, packing } = await unpack(pieces(one, size));
      expect({ text, damage, packing }).toEqual({
        text: Buffer.from(one).toString('latin1'),
        damage: undefined,
        packing: undefined,
      });
    }),
  );
});

test.each(PACKINGS)('members of %s follow each other, with padding behind the last', async (packing, pack) => {
  const skip = packing === 'zstd' ? SKIPPED_FRAME : Buffer.alloc(0);
  const members = ['first\n', 'second\n', 'third\n'].flatMap((text) => [skip, pack(text)]);
  for (const padding of [0, 1, 5000]) {
    const bytes = Buffer.concat([...members, skip, Buffer.alloc(packing === 'gzip' ? padding : 0)]);
    for (const size of [1, 7, 13, pack('first\n').length, 1e6]) {
      expect(await unpack(pieces(bytes, size))).toEqual({ text: 'first\nsecond\nthird\n', damage: undefined, packing });
    }
  }
});

test.each(PACKINGS)('%s that is cut off anywhere gives what came before, and says so', async (packing, pack) => {
  const packed = pack(TEXT);
  for (let length = 5; length < packed.length; length += 97) {
    const { text, damage } = await unpack(pieces(packed.subarray(0, length), 1000));
    expect(TEXT.startsWith(text)).toBe(true);
    expect(damage).toMatch(new RegExp(`The ${packing} archive ends too early`));
  }
  const long = TEXT.repeat(10); // a block of zstd is 128 kB
  const { text } = await unpack([pack(long).subarray(0, -1)]);
  expect(text.length).toBeGreaterThan(long.length / 2);
});

test.each(PACKINGS)(
  '%s with wrong bytes in it neither throws nor hangs, and what was right before is given',
  async (_, pack) => {
    const packed = pack(TEXT);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 4, max: packed.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, xor) => {
          const bytes = Buffer.from(packed);
          bytes[at] = (bytes[at] ?? 0) ^ xor;
          await unpack(pieces(bytes, 500));
        },
      ),
      { numRuns: 300 },
    );
    const long = TEXT.repeat(10);
    const longPacked = pack(long);
    const { text, damage } = await unpack([longPacked.fill(0x55, Math.trunc(longPacked.length * 0.75))]);
    expect(long.startsWith(text.slice(0, Math.trunc(long.length / 4)))).toBe(true);
    expect(damage).toMatch(/is damaged \(|too early/);
  },
);

test.each(PACKINGS)('something else behind %s is left out and said', async (_, pack) => {
  for (const size of [1, 7, 100]) {
    const { text, damage } = await unpack(pieces(Buffer.concat([pack(TEXT), Buffer.from('bad\n')]), size));
    expect(TEXT.startsWith(text)).toBe(true);
    expect(text.length).toBeGreaterThan(TEXT.length / 2);
    expect(damage).toMatch(/something else|damaged/);
  }
});

test.each(PACKINGS)('a hundred megabytes of %s take little memory at a time', async (_, pack) => {
  const packed = pack('a'.repeat(100_000_000));
  let bytes = 0;
  let peak = 0;
  const before = process.memoryUsage.rss();
  const unpacker = new Unpacker((chunk) => {
    bytes += chunk.length;
    peak = Math.max(peak, process.memoryUsage.rss());
  });
  await unpacker.push(packed);
  await unpacker.end();
  expect(bytes).toBe(100_000_000);
  expect(peak - before).toBeLessThan(80 * 1024 * 1024);
});
