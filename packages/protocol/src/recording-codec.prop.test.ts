import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DendroError } from './errors.ts';
import type { EventNs, Version } from './ids.ts';
import {
  type BatchRecord,
  encodeBatchRecord,
  encodeRecordingEnd,
  encodeRecordingStart,
  RecordingReader,
  type RecordingRecord,
} from './recording-codec.ts';

const version = fc.nat().map((n) => n as Version);
const batch: fc.Arbitrary<BatchRecord> = fc
  .record({
    kind: fc.constantFrom('batch' as const, 'snapshot' as const),
    isLast: fc.boolean(),
    from: version,
    to: version,
    now: fc.double({ min: -(2 ** 63), max: 2 ** 63, noNaN: true }).map((ns) => ns as EventNs),
    bytes: fc.uint8Array({ maxLength: 200 }),
    isDeflated: fc.boolean(),
    more: fc.nat(1000),
  })
  .map(({ more, ...record }) => ({ ...record, batchBytes: record.bytes.length + (record.isDeflated ? more : 0) }));

const recording = fc
  .record({ name: fc.string({ maxLength: 50 }), batches: fc.array(batch, { maxLength: 6 }), hasEnd: fc.boolean() })
  .map(({ name, batches, hasEnd }) => {
    const host = { name, baseEpochNs: '-12', users: {} };
    const parts = [
      encodeRecordingStart({ host, source: 'x', createdEpochNs: '1' }),
      ...batches.map(encodeBatchRecord),
      ...(hasEnd ? [encodeRecordingEnd(1 as EventNs, { events: 1, lost: 0, rejected: {}, notices: [] })] : []),
    ];
    return { parts, batches, hasEnd, bytes: Uint8Array.from(parts.flatMap((part) => [...part])) };
  });

function readAll(
  bytes: Uint8Array,
  pieceBytes = bytes.length,
): { records: RecordingRecord[]; reader: RecordingReader } {
  const reader = new RecordingReader();
  const records: RecordingRecord[] = [];
  for (let from = 0; from < bytes.length; from += Math.max(1, pieceBytes)) {
    reader.push(bytes.subarray(from, from + Math.max(1, pieceBytes)));
    for (let record = reader.next(); record !== undefined; record = reader.next()) records.push(copyOf(record));
  }
  return { records, reader };
}

/** What a reader gives is a view. */
function copyOf(record: RecordingRecord): RecordingRecord {
  return 'bytes' in record ? { ...record, bytes: new Uint8Array(record.bytes) } : record;
}

test('records come out as they went in, in whatever pieces the file is read', () => {
  fc.assert(
    fc.property(recording, fc.integer({ min: 1, max: 300 }), ({ bytes, batches, hasEnd }, pieceBytes) => {
      const { records, reader } = readAll(bytes, pieceBytes);
      expect(records.filter((record) => 'bytes' in record)).toEqual(batches);
      expect(records).toHaveLength(batches.length + (hasEnd ? 2 : 1));
      expect([reader.isWhole, reader.isBroken, reader.wholeBytes]).toEqual([hasEnd, false, bytes.length]);
    }),
  );
});

test('cut off at any byte, all whole records before it are read and it is known not to be whole', () => {
  fc.assert(
    fc.property(recording, ({ bytes, parts }) => {
      const whole = readAll(bytes).records;
      for (let length = 0; length < bytes.length; length++) {
        const { records, reader } = readAll(bytes.subarray(0, length));
        let [count, end] = [0, 0];
        for (const part of parts) {
          if (end + part.length > length) break;
          end += part.length;
          count++;
        }
        expect(records).toEqual(whole.slice(0, count));
        expect(reader.isWhole || reader.isBroken).toBe(false);
        if (count > 0) expect(reader.wholeBytes).toBe(end);
      }
    }),
    { numRuns: 30 },
  );
});

test('changed at any places, it is refused, or read in records that went in and ones that are said to be damaged', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(recording, changes, ({ bytes }, list) => {
      const known = new Set(readAll(bytes).records.map((record) => JSON.stringify(record)));
      const changed = new Uint8Array(bytes);
      for (const [at, by] of list) changed[at % bytes.length] = (changed[at % bytes.length] as number) ^ by;
      try {
        for (const record of readAll(changed).records) {
          expect(record.kind === 'damaged' || known.has(JSON.stringify(record))).toBe(true);
        }
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(DendroError);
      }
    }),
    { numRuns: 1000 },
  );
});

test('bytes of any kind are refused, and nothing is kept of them beyond their length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 300 }), (bytes) => {
      expect(() => readAll(bytes)).toThrow(DendroError);
    }),
  );
});
