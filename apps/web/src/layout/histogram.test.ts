import { ProcessTree, type TaskIndex } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changeBeside, histogramOf, joined } from './histogram.ts';

interface Life {
  readonly start: number;
  readonly lived: number;
}

/** A tree of processes with these lives; every second one has a thread too, which is not counted. */
function treeOf(lives: readonly Life[]) {
  const host = new ProcessTree();
  host.apply({ type: 'clock', epochNs: 0n });
  const ns = (n: number) => n as EventNs;
  for (const [i, { start, lived }] of lives.entries()) {
    const tid = 1000 + 2 * i;
    host.apply({ type: 'fork', at: ns(start), tid, pid: tid, creatorTid: 1, cloneFlags: 0 });
    if (i % 2 === 0)
      host.apply({ type: 'fork', at: ns(start), tid: tid + 1, pid: tid, creatorTid: tid, cloneFlags: 0x10000 });
    host.apply({ type: 'exit', at: ns(start + lived), tid, pid: tid, isGroupDead: true });
  }
  return host.tree;
}

const lives = fc.array(
  fc.record({ start: fc.integer({ min: 2, max: 9000 }), lived: fc.integer({ min: 1, max: 900 }) }),
  {
    maxLength: 60,
  },
);

test('every start and every end in the window is in its bucket, once', () => {
  fc.assert(
    fc.property(
      lives,
      fc.integer({ min: 0, max: 9000 }),
      fc.integer({ min: 1, max: 4000 }),
      fc.integer({ min: 1, max: 700 }),
      (lives, from, span, bucketNs) => {
        const {
          births,
          exits,
          from: first,
          most,
        } = histogramOf(treeOf(lives), from as EventNs, (from + span) as EventNs, bucketNs);
        const last = first + births.length * bucketNs;
        expect(first % bucketNs).toBe(0);
        expect(first).toBeLessThanOrEqual(from);
        expect(last).toBeGreaterThanOrEqual(from + span);
        const counted = (times: readonly number[]) => {
          const counts = new Uint32Array(births.length);
          for (const time of times) if (time >= first && time < last) counts[Math.floor((time - first) / bucketNs)]!++;
          return counts;
        };
        const wantedBirths = counted(lives.map(({ start }) => start));
        // The process that created them all was mentioned by the first birth.
        if (lives.length > 0) {
          const mention = Math.min(...lives.map(({ start }) => start));
          if (mention >= first && mention < last) wantedBirths[Math.floor((mention - first) / bucketNs)]!++;
        }
        expect(births).toEqual(wantedBirths);
        expect(exits).toEqual(counted(lives.map(({ start, lived }) => start + lived)));
        expect(most).toBe(Math.max(0, ...births, ...exits));
      },
    ),
  );
});

test('the change beside an instant is the nearest one on that side', () => {
  fc.assert(
    fc.property(lives, fc.integer({ min: 0, max: 10_000 }), (lives, at) => {
      const tree = treeOf(lives);
      const isShown = (task: TaskIndex) => tree.tidOf(task) !== 1;
      const times = lives.flatMap(({ start, lived }) => [start, start + lived]);
      const after = times.filter((time) => time > at);
      const before = times.filter((time) => time < at);
      expect(changeBeside(tree, at as EventNs, 1, isShown)).toBe(after.length === 0 ? undefined : Math.min(...after));
      expect(changeBeside(tree, at as EventNs, -1, isShown)).toBe(
        before.length === 0 ? undefined : Math.max(...before),
      );
    }),
  );
});

test('findings are those that the server tells, at their place, of the present as well', () => {
  const of = (from: number, births: number[]) => {
    const [counts, none] = [Uint32Array.from(births), new Uint32Array(births.length)];
    return { from: from as EventNs, bucketNs: 10, births: counts, exits: none, most: 1 };
  };
  const past = { ...of(0, [1, 1, 1, 1]), findings: Uint32Array.of(0, 0, 2, 5) };
  const { births, findings } = joined(past, of(10, [0, 7, 0]), 20 as EventNs);
  expect([Array.from(births), Array.from(findings ?? [])]).toEqual([
    [1, 7, 0],
    [0, 2, 5],
  ]);
  expect(joined(of(0, [1]), of(0, [1]), 5 as EventNs).findings).toBeUndefined();
});
