import type { Version } from '@dendro/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { BatchSequence, type BatchSequenceOptions, type SequencedBatch } from './batch-sequence.ts';

const version = (n: number) => n as Version;
const batch = (from: number, to = from + 1, sizeBytes = 10): SequencedBatch => ({
  from: version(from),
  to: version(to),
  bytes: new Uint8Array(sizeBytes),
});

let merged: string[];
beforeEach(() => {
  merged = [];
});

function sequenceAt(at: number | undefined, options?: BatchSequenceOptions): BatchSequence {
  const sequence = new BatchSequence(({ from, to }) => merged.push(`${from}-${to}`), options);
  if (at !== undefined) sequence.reset(version(at));
  return sequence;
}

/** What each came to. */
const take = (sequence: BatchSequence, batches: readonly SequencedBatch[]) => batches.map((one) => sequence.take(one));

describe('[FA9] the order of batches', () => {
  test('what follows on the version is merged at once', () => {
    const sequence = sequenceAt(7);
    expect(take(sequence, [batch(7), batch(8, 12), batch(12)])).toEqual(['merged', 'merged', 'merged']);
    expect(merged).toEqual(['7-8', '8-12', '12-13']);
    expect([sequence.version, sequence.needsSnapshot]).toEqual([13, false]);
  });

  test('what comes early waits, and is merged in order once its turn has come', () => {
    const sequence = sequenceAt(7);
    expect(take(sequence, [batch(10), batch(9), batch(8)])).toEqual(['waiting', 'waiting', 'waiting']);
    expect([sequence.version, sequence.waiting, merged]).toEqual([7, 3, []]);
    expect(sequence.take(batch(7))).toBe('merged');
    expect(merged).toEqual(['7-8', '8-9', '9-10', '10-11']);
    expect([sequence.version, sequence.waiting]).toEqual([11, 0]);
  });

  test('what comes again is dropped, whether it waits or has been merged', () => {
    const sequence = sequenceAt(7);
    take(sequence, [batch(7), batch(9)]);
    expect(take(sequence, [batch(7), batch(9), batch(3)])).toEqual(['repeated', 'repeated', 'repeated']);
    sequence.take(batch(8));
    expect(merged).toEqual(['7-8', '8-9', '9-10']);
    expect(sequence.needsSnapshot).toBe(false);
  });

  test('of two that wait with one beginning the longer stays', () => {
    const sequence = sequenceAt(7);
    expect(take(sequence, [batch(8, 9), batch(8, 11), batch(8, 10), batch(7)])).toEqual([
      'waiting',
      'waiting',
      'repeated',
      'merged',
    ]);
    expect(merged).toEqual(['7-8', '8-11']);
  });

  test('before the first version all wait', () => {
    const sequence = sequenceAt(undefined);
    expect(take(sequence, [batch(1), batch(0)])).toEqual(['waiting', 'waiting']);
    expect([sequence.version, merged]).toEqual([undefined, []]);
    sequence.reset(version(0));
    expect(merged).toEqual(['0-1', '1-2']);
  });
});

describe('[FA9] when a snapshot is needed', () => {
  test('too many wait: the earliest of them go', () => {
    const sequence = sequenceAt(7, { maxWaiting: 2 });
    take(sequence, [batch(12), batch(10)]);
    expect(sequence.needsSnapshot).toBe(false);
    expect(take(sequence, [batch(11), batch(9)])).toEqual(['waiting', 'dropped']);
    expect([sequence.needsSnapshot, sequence.waiting]).toEqual([true, 2]);
    sequence.reset(version(11));
    expect([sequence.needsSnapshot, merged, sequence.version]).toEqual([false, ['11-12', '12-13'], 13]);
  });

  test('those that wait are too large together', () => {
    const sequence = sequenceAt(7, { maxWaitingBytes: 100 });
    expect(take(sequence, [batch(9, 10, 60), batch(10, 11, 40)])).toEqual(['waiting', 'waiting']);
    expect(take(sequence, [batch(11, 12, 30)])).toEqual(['waiting']);
    expect([sequence.needsSnapshot, sequence.waiting]).toEqual([true, 2]);
    expect(take(sequence, [batch(20, 21, 101)])).toEqual(['dropped']);
    expect(sequence.waiting).toBe(0);
  });

  test('room is free again when what waited has gone its way', () => {
    const sequence = sequenceAt(0, { maxWaiting: 1, maxWaitingBytes: 10 });
    for (let from = 0; from < 100; from += 2) take(sequence, [batch(from + 1), batch(from)]);
    expect([sequence.needsSnapshot, sequence.version]).toEqual([false, 100]);
  });

  test('a batch begins before the version and ends after it', () => {
    const sequence = sequenceAt(7);
    expect(sequence.take(batch(6, 9))).toBe('dropped');
    expect([sequence.version, sequence.needsSnapshot, merged]).toEqual([7, true, []]);
    // What follows is merged all the same; only a snapshot settles the matter.
    expect(sequence.take(batch(7))).toBe('merged');
    expect(sequence.needsSnapshot).toBe(true);
  });

  test('so does one that waited, now that another has led past its beginning', () => {
    const sequence = sequenceAt(7);
    expect(take(sequence, [batch(8, 10), batch(7, 9)])).toEqual(['waiting', 'merged']);
    expect([sequence.version, sequence.needsSnapshot, sequence.waiting]).toEqual([9, true, 0]);
  });

  test('the snapshot is newer than what waited: that is dropped, and nothing is missing', () => {
    const sequence = sequenceAt(7);
    take(sequence, [batch(9), batch(10), batch(12)]);
    sequence.reset(version(11));
    expect([sequence.version, sequence.waiting, sequence.needsSnapshot]).toEqual([11, 1, false]);
  });
});

test('a batch that cannot be merged counts as not arrived', () => {
  let isBroken = true;
  const sequence = new BatchSequence(({ from }) => {
    if (from === 8 && isBroken) throw new Error('malformed');
    merged.push(`${from}`);
  });
  sequence.reset(version(7));
  sequence.take(batch(8));
  expect(() => sequence.take(batch(7))).toThrow('malformed');
  expect([sequence.version, sequence.waiting, merged]).toEqual([8, 0, ['7']]);
  isBroken = false;
  expect(sequence.take(batch(8))).toBe('merged');
  expect(merged).toEqual(['7', '8']);
});
