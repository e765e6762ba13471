import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { ProcessTree } from '@dendro/engine';
import {
  type BatchRecord,
  BatchWriter,
  type EventNs,
  encodeBatchRecord,
  encodeRecordingEnd,
  encodeRecordingStart,
  factsOf,
  RECORD_HEADER_BYTES,
  type SourceStatus,
  type TaskEvent,
  type Version,
} from '@dendro/protocol';
import { afterAll, describe, expect, test } from 'vitest';
import { type ReplayFileOptions, ReplayFileSource } from './replay-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'dendro-replay-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

const START = encodeRecordingStart({
  host: { name: 'web-1', baseEpochNs: '1700000000000000000', users: { '0': 'root' } },
  source: 'tracefs',
  createdEpochNs: '1700000000000000001',
});
const END = encodeRecordingEnd(900e6 as EventNs, { events: 7, lost: 2, rejected: { odd: 1 }, notices: ['It was so.'] });

/** Says that version was reached: a gap stands for facts. */
function batch(version: number, more: Partial<BatchRecord> = {}): Uint8Array {
  const writer = new BatchWriter();
  writer.gap(version as EventNs, version as EventNs, version);
  const bytes = writer.finish();
  return encodeBatchRecord({
    kind: 'batch',
    isLast: false,
    from: (version - 1) as Version,
    to: version as Version,
    now: (version * 100e6) as EventNs,
    bytes,
    isDeflated: false,
    batchBytes: bytes.length,
    ...more,
  });
}

function fileOf(...parts: readonly Uint8Array[]): string {
  const file = join(folder, 'recording');
  writeFileSync(file, Buffer.concat(parts));
  return file;
}

async function play(file: string, options?: ReplayFileOptions) {
  const source = new ReplayFileSource(file, options);
  const tree = new ProcessTree();
  const events: { readonly event: TaskEvent; readonly atMs: number }[] = [];
  await source.start((event) => {
    tree.apply(event);
    const copy = event.type === 'facts' ? { ...event, batch: new Uint8Array(event.batch) } : event;
    events.push({ event: copy, atMs: performance.now() });
  });
  while (source.status().state === 'running') await new Promise((resolve) => setTimeout(resolve, 1));
  const status: SourceStatus = source.status();
  await source.stop();
  /** Versions whose facts came, and gaps by what came before and after. */
  const versions = events.flatMap(({ event }): (string | number)[] => {
    if (event.type === 'gap') return [`gap ${event.from / 100e6} to ${event.to / 100e6}`];
    return event.type === 'facts' ? factsOf(event.batch).map((fact) => (fact.type === 'gap' ? fact.lost : '?')) : [];
  });
  return { source, tree, events, status, versions };
}

test('facts, times, the host, and what the source had to say are those of the recording', async () => {
  const { source, tree, events, status, versions } = await play(fileOf(START, batch(1), batch(2), END));
  expect(versions).toEqual([1, 2]);
  expect(events[0]?.event).toEqual({ type: 'clock', epochNs: 1_700_000_000_000_000_000n });
  expect(tree.newest).toBe(900e6);
  expect(source.host).toMatchObject({ name: 'web-1', users: { '0': 'root' } });
  expect(status).toMatchObject({
    state: 'ended',
    events: 2,
    lost: 2,
    rejected: { odd: 1 },
    notices: ['It was so.'],
  });
});

test('a deflated batch is inflated', async () => {
  const plain = new BatchWriter();
  plain.gap(1 as EventNs, 1 as EventNs, 1);
  const bytes = plain.finish();
  const more = { bytes: deflateSync(bytes), isDeflated: true, batchBytes: bytes.length };
  expect((await play(fileOf(START, batch(1, more), END))).versions).toEqual([1]);
});

describe('what is missing is said', () => {
  test('where it was cut off', async () => {
    const file = fileOf(START, batch(1), batch(2));
    expect((await play(file)).status.notices).toEqual([
      'The recording has no end: it was cut off, or is still being written.',
    ]);
    truncateSync(file, START.length + batch(1).length + 50);
    const { versions, status } = await play(file);
    expect(versions).toEqual([1]);
    expect(status.notices).toEqual([
      'The recording has no end: it was cut off, or is still being written, and 50 bytes of a record that is not whole were left out.',
    ]);
  });

  test('a damaged record is a gap', async () => {
    const damaged = batch(2).map((byte, i) => (i === RECORD_HEADER_BYTES + 40 ? byte ^ 1 : byte));
    const { versions, status } = await play(fileOf(START, batch(1), damaged, batch(3), END));
    expect(versions).toEqual([1, 'gap 1 to 3', 3]);
    expect(status.rejected).toEqual({ odd: 1, 'damaged-record': 1 });
  });

  test('so is a batch that is malformed, or not as long as it says', async () => {
    const bytes = deflateSync(Buffer.alloc(100_000));
    for (const more of [
      { bytes: new Uint8Array(99), batchBytes: 99 },
      { bytes, isDeflated: true, batchBytes: 10 },
      { bytes, isDeflated: true, batchBytes: 200_000 },
      { bytes: bytes.subarray(9), isDeflated: true, batchBytes: 100_000 },
    ]) {
      const { versions, status } = await play(fileOf(START, batch(1), batch(2, more), batch(3), END));
      expect(versions).toEqual([1, 'gap 2 to 3', 3]);
      expect(status.rejected).toEqual({ odd: 1, 'malformed-batch': 1 });
    }
  });

  test('where nothing can be read any more', async () => {
    const { versions, status } = await play(fileOf(START, batch(1), new Uint8Array(60), batch(2)));
    expect(versions).toEqual([1]);
    const at = START.length + batch(1).length;
    const rest = 60 + batch(2).length;
    expect(status.notices).toEqual([`The recording is damaged at byte ${at}: the last ${rest} bytes cannot be read.`]);
  });
});

test('with a speed, batches come as they came, so many times faster', async () => {
  const file = fileOf(START, batch(1), batch(4, { from: 1 as Version }), END);
  const { events } = await play(file, { speed: 2 });
  const [, first, second, end] = events.map(({ atMs }) => atMs) as [number, number, number, number];
  // A timer may be early by a part of a millisecond.
  expect(second - first).toBeGreaterThan(145);
  expect(end - first).toBeGreaterThan(395);
});

test('a recording that is stopped closes its file', async () => {
  const source = new ReplayFileSource(fileOf(START, batch(1), batch(9, { from: 1 as Version })), { speed: 0.001 });
  await source.start(() => {});
  await source.stop();
  await source.stop();
  expect(source.status().state).toBe('ended');
});

describe('what cannot be replayed is one sentence', () => {
  test.each([
    ['nothing', () => join(folder, 'nothing'), /there is no such file or folder/],
    ['another file', () => fileOf(new TextEncoder().encode('{"eventName": "exec"}')), /not a recording of dendro/],
    ['an empty file', () => fileOf(), /cut off before it says/],
    ['a header without its end', () => fileOf(START.subarray(0, 60)), /cut off before it says/],
    ['a pipe', pipe, /not a file/],
  ])('%s', async (_, make, why) => {
    const source = new ReplayFileSource(make());
    const started = source.start(() => {});
    await expect(started).rejects.toThrow(why);
    await expect(started).rejects.toThrow(expect.objectContaining({ code: 'DENDRO_SOURCE_UNREADABLE' }));
    expect(source.status().state).toBe('failed');
  });
});

function pipe(): string {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}
