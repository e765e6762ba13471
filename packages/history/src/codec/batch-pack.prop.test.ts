import { BatchWriter, type TimeBase } from '@dendro/protocol';
import { arbitraryFacts } from '@dendro/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchPacker } from './batch-pack.ts';
import { ByteReader, ByteWriter } from './bytes.ts';

const BASE: TimeBase = { epochNs: 1_700_000_000_123_456_789n };
const packer = new BatchPacker(BASE);

function roundTrip(bytes: Uint8Array): Uint8Array {
  const out = new ByteWriter();
  packer.pack(bytes, out);
  const from = new ByteReader(out.view());
  const back = packer.unpack(from);
  expect(from.isAtEnd).toBe(true);
  return back;
}

test('a batch comes back byte for byte', () => {
  fc.assert(
    fc.property(arbitraryFacts(8), (facts) => {
      const writer = new BatchWriter();
      for (const write of facts) write(writer);
      const bytes = writer.finish();
      expect(roundTrip(bytes)).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});

test('so does what is no batch, or one with numbers in it that no tree would write', () => {
  fc.assert(
    fc.property(arbitraryFacts(4), fc.nat(), fc.nat(255), fc.nat(40), (facts, where, value, cut) => {
      const writer = new BatchWriter();
      for (const write of facts) write(writer);
      const bytes = writer.finish();
      bytes[where % bytes.length] = value;
      const damaged = bytes.slice(0, bytes.length - (cut > 30 ? cut - 30 : 0));
      expect(roundTrip(damaged)).toEqual(damaged);
    }),
    { numRuns: 2000 },
  );
});

test('bytes that are no packed batch are refused, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        packer.unpack(new ByteReader(bytes));
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'DENDRO_HISTORY_DAMAGED' });
      }
    }),
    { numRuns: 5000 },
  );
});
