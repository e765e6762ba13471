import { describe, expect, test } from 'vitest';
import { BatchWriter } from './batch-codec.ts';
import { crc32 } from './crc32.ts';
import type { EventNs, Version } from './ids.ts';
import {
  type BatchRecord,
  encodeBatchRecord,
  encodeRecordingEnd,
  encodeRecordingStart,
  inflate,
  MAX_RECORD_BYTES,
  RECORD_HEADER_BYTES,
  RECORDING_MAGIC,
  RecordingReader,
  type RecordingRecord,
} from './recording-codec.ts';
import type { RecordingHeader } from './recording-info.ts';

const HEADER: RecordingHeader = {
  host: { name: 'web-1', baseEpochNs: '1700000000000000000', users: { '0': 'root' } },
  source: 'tracefs',
  createdEpochNs: '1700000000000000001',
};
const END = { events: 12, lost: 3, rejected: { 'bad-page': 1 }, notices: ['A sentence.'] };

function batchRecord(more: Partial<BatchRecord> = {}): BatchRecord {
  const writer = new BatchWriter();
  writer.gap(1 as EventNs, 2 as EventNs, 3);
  const bytes = writer.finish();
  const [from, to] = [4 as Version, 5 as Version];
  const now = 6.5 as EventNs;
  return { kind: 'batch', isLast: false, from, to, now, bytes, isDeflated: false, batchBytes: bytes.length, ...more };
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function read(...parts: readonly Uint8Array[]): { records: RecordingRecord[]; reader: RecordingReader } {
  const reader = new RecordingReader();
  const records: RecordingRecord[] = [];
  for (const part of parts) {
    reader.push(part);
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      records.push('bytes' in record ? { ...record, bytes: new Uint8Array(record.bytes) } : record);
    }
  }
  return { records, reader };
}

test('the checksum is the CRC-32 that everybody knows', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
});

test('header, batches and end come out as they went in', () => {
  const chunk = batchRecord({ kind: 'snapshot', isLast: true, from: 0 as Version });
  const end = encodeRecordingEnd(9 as EventNs, END);
  const { records, reader } = read(
    encodeRecordingStart(HEADER),
    encodeBatchRecord(chunk),
    encodeBatchRecord(batchRecord()),
    end,
  );
  expect(records).toEqual([
    { kind: 'header', header: HEADER },
    chunk,
    batchRecord(),
    { kind: 'end', now: 9, end: END },
  ]);
  expect(reader).toMatchObject({ isWhole: true, isBroken: false });
});

describe('a file that is no recording is refused', () => {
  test.each([
    ['of another kind', new TextEncoder().encode('{"eventName": "fork"}')],
    ['of a version to come', RECORDING_MAGIC.map((byte, i) => (i === 3 ? 0x32 : byte))],
    ['whose line ends were changed on the way', Uint8Array.of(0x44, 0x4e, 0x52, 0x31, 0x0a, 0x1a, 0x0a, 0, 0)],
    ['that begins with a batch', join(RECORDING_MAGIC, encodeBatchRecord(batchRecord()))],
    ['whose header is damaged', encodeRecordingStart(HEADER).map((byte, i) => (i === 70 ? byte ^ 1 : byte))],
    ['without a host', encodeRecordingStart({} as RecordingHeader)],
    ['without a time', encodeRecordingStart({ ...HEADER, host: { ...HEADER.host, baseEpochNs: '1e3' } })],
  ])('%s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(/^This is not a recording of dendro: /);
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'DENDRO_SOURCE_UNREADABLE' }));
  });
});

test('a damaged batch is said, and what follows is read', () => {
  const damaged = encodeBatchRecord(batchRecord()).map((byte, i) => (i === RECORD_HEADER_BYTES + 40 ? byte ^ 1 : byte));
  const { records, reader } = read(encodeRecordingStart(HEADER), damaged, encodeBatchRecord(batchRecord()));
  expect(records.slice(1)).toEqual([{ kind: 'damaged' }, batchRecord()]);
  expect(reader.isBroken).toBe(false);
});

test('after something that is no record nothing is read', () => {
  const start = encodeRecordingStart(HEADER);
  const { records, reader } = read(start, new Uint8Array(100), encodeBatchRecord(batchRecord()));
  expect(records).toHaveLength(1);
  expect(reader).toMatchObject({ isWhole: false, isBroken: true, wholeBytes: start.length });
});

test('a kind of record that a later version may have is passed over', () => {
  const later = encodeBatchRecord(batchRecord());
  later[8] = 77;
  new DataView(later.buffer).setUint32(40, crc32(later.subarray(0, 40)), true);
  const { records } = read(encodeRecordingStart(HEADER), later, encodeBatchRecord(batchRecord()));
  expect(records.slice(1)).toEqual([batchRecord()]);
});

test('a length beyond the bound is no record, though its checksum is right', () => {
  const long = encodeBatchRecord(batchRecord());
  const view = new DataView(long.buffer);
  view.setUint32(0, MAX_RECORD_BYTES + 1, true);
  view.setUint32(4, MAX_RECORD_BYTES + 1, true);
  view.setUint32(40, crc32(long.subarray(0, 40)), true);
  expect(read(encodeRecordingStart(HEADER), long).reader.isBroken).toBe(true);
  expect(() => encodeBatchRecord(batchRecord({ batchBytes: MAX_RECORD_BYTES + 1 }))).toThrow(/more than a record/);
});

describe('a deflated batch', () => {
  async function deflated(text: string): Promise<Uint8Array> {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  test('is inflated without zlib', async () => {
    const bytes = await deflated('a'.repeat(100_000));
    const batch = await inflate(batchRecord({ bytes, isDeflated: true, batchBytes: 100_000 }));
    expect(new TextDecoder().decode(batch)).toBe('a'.repeat(100_000));
  });

  test('that grows longer than its record says, or less long, or is damaged, is malformed', async () => {
    const bytes = await deflated('a'.repeat(100_000));
    for (const batchBytes of [99_999, 100_001]) {
      await expect(inflate(batchRecord({ bytes, isDeflated: true, batchBytes }))).rejects.toThrow(/deflated batch/);
    }
    const damaged = batchRecord({ bytes: bytes.subarray(5), isDeflated: true, batchBytes: 100_000 });
    await expect(inflate(damaged)).rejects.toThrow(expect.objectContaining({ code: 'DENDRO_BATCH_MALFORMED' }));
  });
});

test('what a header and an end say is bounded and typed, whatever is in them', () => {
  const users = { 'no uid': 'x', '1': 2, '3': 'y'.repeat(1000) };
  const reading = { epochNs: '17', wallNs: '-18' };
  const clock = [reading, { epochNs: 17, wallNs: '18' }, 'noon', ...Array(2000).fill(reading)];
  const header = { ...HEADER, host: { ...HEADER.host, name: 'n'.repeat(1000), users }, source: 7, clock };
  const end = { events: -1, lost: 'many', rejected: { a: 1.5 }, notices: [1, 'n'.repeat(5000)] };
  const { records } = read(
    encodeRecordingStart(header as unknown as RecordingHeader),
    encodeRecordingEnd(0 as EventNs, end as unknown as typeof END),
  );
  expect(records).toEqual([
    {
      kind: 'header',
      header: {
        ...HEADER,
        host: { ...HEADER.host, name: 'n'.repeat(255), users: { '3': 'y'.repeat(255) } },
        source: '',
        clock: Array(998).fill(reading),
      },
    },
    { kind: 'end', now: 0, end: { events: 0, lost: 0, rejected: { a: 0 }, notices: ['n'.repeat(1000)] } },
  ]);
});
