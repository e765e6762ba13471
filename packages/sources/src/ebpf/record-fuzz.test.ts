// Frames and records, damaged in half a million ways, through all that reads what
// the child says: nothing is thrown but the reader's own refusal, nothing hangs,
// no memory grows, and what comes out is no worse than events of a hostile
// source.

import assert from 'node:assert/strict';
import { isTid, type TaskEvent } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { Families } from './families.ts';
import { FRAME, FrameReader, jsonFrame, recordsFrame } from './frames.ts';
import { RecordDecoder } from './records.ts';
import { birth, cgroupMove, credentials, exec, exit, inRing, rename } from './test-records.ts';

const MUTANTS = 500_000;
const SEED = Number(process.env['DENDRO_SEED'] ?? 0xebf);
/** What the reader says of what it does not understand. Anything else that is thrown is a fault. */
const REFUSALS = /^(a frame of|a frame without|a record that is cut|a message without|\d+ records lost of)/;
const MAX_STREAM_MS = 2000;
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;
/** More than a frame the reader need not keep. */
const MAX_FRAME_BYTES = 1024 * 1024 + 8;

/** xorshift32: a million streams want a faster one than fast-check's, and need no shrinking. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const id = '0123456789abcdef'.repeat(4);
const RECORDS = [
  birth(),
  birth({ tid: 101, cloneFlags: 0x10900n }),
  exec({ argv: 'sh\0-c\0echo \xff\0\0', cgroup: `docker-${id}.scope\0system.slice\0` }),
  exec({ argv: 'x'.repeat(4095), argvTotal: 100_000, executable: 'down\0'.repeat(150), flags: 1 }),
  exit({ flags: 1, heir: 60 }),
  exit({ tid: 101, flags: 3 }),
  rename({ comm: 'name' }),
  credentials(),
  cgroupMove(`${id}\0docker\0`),
];
const COUNTS = { through: 6_000_000_000n, at: 6_000_000_001n, seen: 10n, lost: 0n, untracked: 0n };

/** What a child says, of some frames. */
function streamOf(random: (below: number) => number): Buffer {
  const frames = [jsonFrame(FRAME.ready, { ringBytes: 4096, cpus: 2, notices: [], traced: [] })];
  for (let count = 1 + random(3); count > 0; count--) {
    const records = Array.from({ length: random(8) }, () =>
      inRing(RECORDS[random(RECORDS.length)] as Buffer, random(16) === 0),
    );
    frames.push(recordsFrame(COUNTS, Buffer.concat(records)));
  }
  if (random(8) === 0) frames.push(jsonFrame(FRAME.failed, { step: 'load', errno: 1, message: 'no', log: '' }));
  return Buffer.concat(frames);
}

/** Damages it in some of the ways in which bytes go wrong. */
function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  for (let changes = random(6); changes > 0; changes--) {
    const at = random(bytes.length);
    const word = Math.min(at & ~3, bytes.length - 4);
    switch (random(6)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        bytes[at] = random(256);
        break;
      case 2: // lengths, ids and offsets at their limits
        bytes.writeUInt32LE([0, 1, 8, 72, 0x0010_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff][random(8)] ?? 0, word);
        break;
      case 3: // a part of it once more, elsewhere
        bytes.copy(bytes, at, random(bytes.length));
        break;
      case 4:
        bytes.fill(random(256), at, Math.min(bytes.length, at + random(64)));
        break;
      default: // bytes are missing
        if (bytes.length > 64) return bytes.subarray(0, bytes.length - random(bytes.length >> 1));
    }
  }
  return bytes;
}

test(`${MUTANTS} damaged streams do not crash, hang or fill memory`, { timeout: 1_200_000 }, () => {
  const random = randomOf(SEED);
  const types: Record<string, number> = {};
  const problems: Record<string, number> = {};
  const families = new Families();
  const check = (event: TaskEvent): void => {
    types[event.type] = (types[event.type] ?? 0) + 1;
    const ids = 'tid' in event ? [event.tid, event.pid ?? 0] : 'pid' in event ? [event.pid] : [];
    if (event.type === 'fork') {
      ids.push(event.creatorTid, event.creatorPid ?? 0, event.parentPid ?? 0);
      if (event.tid === event.pid) families.begin(event.pid, event.parentPid ?? 0);
    }
    const isGood = ids.every(isTid) && 'at' in event && Number.isFinite(event.at);
    if (!isGood) assert.fail(JSON.stringify(event));
  };
  const decoder = new RecordDecoder(new HostClock(0n, 0n), check);
  const newReader = () =>
    new FrameReader({
      ready: ({ notices }) => assert(notices.every((notice) => typeof notice === 'string')),
      failed: ({ message, log }) => assert(typeof message === 'string' && typeof log === 'string'),
      records: () => {},
      record: (view, bytes, start, end) => {
        decoder.decode(view, bytes, start, end);
        const { problem, heir } = decoder;
        if (problem !== undefined) problems[problem] = (problems[problem] ?? 0) + 1;
        if (heir === undefined) return;
        assert(isTid(heir.heirPid));
        families.end(heir.pid, heir.heirPid);
      },
      recordsEnd: ({ seen, lost }) => assert(lost <= seen),
    });

  let refused = 0;
  let slowestMs = 0;
  let memoryBefore = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const stream = mutate(streamOf(random), random);
    const began = performance.now();
    const reader = newReader();
    try {
      const cut = random(stream.length + 1);
      reader.push(stream.subarray(0, cut));
      reader.push(stream.subarray(cut));
    } catch (thrown) {
      if (!REFUSALS.test((thrown as Error).message)) throw new Error(`stream ${i} of seed ${SEED}`, { cause: thrown });
      refused++;
    }
    slowestMs = Math.max(slowestMs, performance.now() - began);
    if (i === MUTANTS >> 1) memoryBefore = process.memoryUsage().heapUsed;
  }

  expect(Object.keys(types).sort()).toEqual(['container', 'credentials', 'exec', 'exit', 'fork', 'rename']);
  expect(Object.values(types).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(MUTANTS);
  expect(Object.keys(problems).sort()).toEqual(['malformed-record', 'unknown-record']);
  expect(refused).toBeGreaterThan(MUTANTS / 10);
  expect(slowestMs).toBeLessThan(MAX_STREAM_MS);
  expect(process.memoryUsage().heapUsed - memoryBefore).toBeLessThan(MAX_GROWTH_BYTES);
});

test('of a frame that never ends no more is kept than a frame may have', () => {
  const told: string[] = [];
  const tell = (what: string) => () => told.push(what);
  const reader = new FrameReader({
    ready: tell('ready'),
    failed: tell('failed'),
    records: tell('records'),
    record: tell('record'),
    recordsEnd: tell('recordsEnd'),
  });
  const head = Buffer.alloc(8);
  head.writeUInt32LE(FRAME.records, 0);
  head.writeUInt32LE(MAX_FRAME_BYTES - 8, 4);
  reader.push(head);
  const portion = Buffer.alloc(64 * 1024);
  const pushAll = () => {
    for (let pushed = 0; pushed <= MAX_FRAME_BYTES; pushed += portion.length) reader.push(portion);
  };
  // It is whole then, and what it holds is read, or refused: it does not go on to wait.
  expect(pushAll).toThrow();
  expect(told).toContain('records');
});
