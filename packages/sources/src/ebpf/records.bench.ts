// Records per second from frames to events in order of time: as many births,
// execs and ends as vfork and exec make, each with its name.

import { test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { EventMerge } from '../tracefs/merge.ts';
import { FrameReader, recordsFrame } from './frames.ts';
import { RecordDecoder } from './records.ts';
import { birth, exec, exit, inRing, rename } from './test-records.ts';

const PROCESSES = 25_000;
const PER_FRAME = 250;
const PORTION = 64 * 1024;
const HOLD = 5_000_000n;

const portions = portionsOf(
  Array.from({ length: PROCESSES / PER_FRAME }, (_, frame) => {
    const records = Array.from({ length: PER_FRAME }, (_, i) => {
      const tid = 1000 + ((frame * PER_FRAME + i) % 30_000);
      const at = BigInt(frame * PER_FRAME + i) * 80_000n + 10_000_000_000n;
      const of = { tid, pid: tid, start: at, leaderStart: at, comm: 'dendro-storm' };
      const argv = `/usr/bin/program-${i % 20}\0--number\0${tid}\0`;
      return [
        birth({ ...of, at }),
        rename({ ...of, at: at + 1n }),
        exec({ ...of, at: at + 2n, argv }),
        exit({ ...of, at: at + 3n, flags: 1 }),
      ];
    });
    const through = BigInt((frame + 1) * PER_FRAME) * 80_000n + 10_000_000_000n;
    const seen = BigInt(4 * (frame + 1) * PER_FRAME);
    return recordsFrame(
      { through, at: through, seen, lost: 0n, untracked: 0n },
      Buffer.concat(records.flat().map((record) => inRing(record))),
    );
  }),
);

/** As a pipe gives them. */
function portionsOf(frames: readonly Buffer[]): Buffer[] {
  return frames.flatMap((frame) =>
    Array.from({ length: Math.ceil(frame.length / PORTION) }, (_, i) => frame.subarray(i * PORTION, (i + 1) * PORTION)),
  );
}

function decodeAll(): void {
  let emitted = 0;
  const merge = new EventMerge(() => emitted++);
  const decoder = new RecordDecoder(new HostClock(0n, 10_000_000_000n), (event) => merge.push(event));
  const frames = new FrameReader({
    ready: () => {},
    failed: () => {},
    records: () => {},
    record: (view, bytes, start, end) => decoder.decode(view, bytes, start, end),
    recordsEnd: ({ through }) => merge.release(Number(through - HOLD - 10_000_000_000n)),
  });
  for (const portion of portions) frames.push(portion);
  merge.flush();
  if (emitted !== 4 * PROCESSES) throw new Error(`${4 * PROCESSES} events expected, got ${emitted}`);
}

test('decoding', async ({ bench }) => {
  await bench(`decode and merge ${4 * PROCESSES} records`, decodeAll).run();
});
