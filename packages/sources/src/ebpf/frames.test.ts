import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type FailedFrame,
  FRAME,
  FrameReader,
  jsonFrame,
  type ReadyFrame,
  type RecordsFrame,
  recordsFrame,
} from './frames.ts';
import { inRing } from './test-records.ts';

const COUNTS: RecordsFrame = { through: 2n ** 40n, at: 2n ** 41n + 1n, seen: 7n, lost: 3n, untracked: 5n };
const READY: ReadyFrame = { ringBytes: 4096, cpus: 2, notices: ['something is missing'], traced: [12] };
const FAILED: FailedFrame = { step: 'load', errno: 13, message: 'no', log: 'line\nline' };

/** What a reader tells, as data. */
function readerOf(told: unknown[]): FrameReader {
  return new FrameReader({
    ready: (frame) => told.push({ ready: frame }),
    failed: (frame) => told.push({ failed: frame }),
    records: (frame) => told.push({ begin: frame }),
    record: (view, bytes, start, end) => {
      expect(view.buffer).toBe(bytes.buffer);
      expect(view.byteOffset).toBe(bytes.byteOffset);
      told.push(bytes.toString('latin1', start, end));
    },
    recordsEnd: (frame) => told.push({ end: frame }),
  });
}

function read(...portions: readonly Buffer[]): unknown[] {
  const told: unknown[] = [];
  const reader = readerOf(told);
  for (const portion of portions) reader.push(portion);
  return told;
}

function frame(kind: number, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body as string);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(kind, 0);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

const RECORDS = Buffer.concat([inRing(Buffer.from('one')), inRing(Buffer.from('no'), true), inRing(Buffer.alloc(0))]);
const ALL = Buffer.concat([
  jsonFrame(FRAME.ready, READY),
  recordsFrame(COUNTS, RECORDS),
  recordsFrame(COUNTS, Buffer.alloc(0)),
  jsonFrame(FRAME.failed, FAILED),
]);
const ALL_TOLD = [
  { ready: READY },
  { begin: COUNTS },
  'one',
  '',
  { end: COUNTS },
  { begin: COUNTS },
  { end: COUNTS },
  { failed: FAILED },
];

test('frames are told as they were said, discarded records left out', () => {
  expect(read(ALL)).toEqual(ALL_TOLD);
});

test('in whatever portions they come', () => {
  expect(read(...Array.from(ALL, (byte) => Buffer.from([byte])))).toEqual(ALL_TOLD);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: ALL.length }), { maxLength: 12 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), ALL.length];
      expect(read(...places.slice(1).map((end, i) => ALL.subarray(places[i], end)))).toEqual(ALL_TOLD);
    }),
  );
});

test('a portion may be used again: what is left of it is kept as a copy', () => {
  const told: unknown[] = [];
  const reader = readerOf(told);
  const portion = Buffer.from(ALL.subarray(0, 30));
  reader.push(portion);
  portion.fill(0xff);
  reader.push(ALL.subarray(30));
  expect(told).toEqual(ALL_TOLD);
});

describe('what is no frame is refused', () => {
  const cut = inRing(Buffer.from('a record'));
  const counts = recordsFrame(COUNTS, Buffer.alloc(0)).subarray(8);
  test.each([
    ['a kind that does not exist', frame(9, ''), 'a frame of kind 9'],
    ['a length beyond all bounds', frame(FRAME.records, '').fill(0xff, 4), 'a frame of 4294967295 bytes'],
    ['records without counts', frame(FRAME.records, 'short'), 'a frame without counts'],
    ['more lost than seen', recordsFrame({ ...COUNTS, lost: 8n }, Buffer.alloc(0)), '8 records lost of 7'],
    ['half a header', frame(FRAME.records, Buffer.concat([counts, cut.subarray(0, 4)])), 'a record that is cut off'],
    ['half a record', frame(FRAME.records, Buffer.concat([counts, cut.subarray(0, 12)])), 'a record that is cut off'],
    ['no JSON', frame(FRAME.ready, '{'), 'a message without its parts'],
    ['JSON of nothing', frame(FRAME.failed, 'null'), 'a message without its parts'],
    [
      'notices that are none',
      frame(FRAME.ready, '{"ringBytes":1,"cpus":1,"notices":[1],"traced":[]}'),
      'a message without its parts',
    ],
    [
      'a traced pid that is none',
      frame(FRAME.ready, '{"ringBytes":1,"cpus":1,"notices":[],"traced":[-1]}'),
      'a message without its parts',
    ],
    [
      'a failure without its log',
      frame(FRAME.failed, '{"step":"load","errno":1,"message":""}'),
      'a message without its parts',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(message);
  });
});
