import type { EventNs, HostInfo } from '@dendro/protocol';
import { encodeFrame, type TaskId, type Version } from '@dendro/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { batchOf, treeOf } from '../testing/tree-of.ts';
import { bothTrees } from './both-trees.ts';
import { Past } from './past.ts';
import { Pinned } from './pinned.ts';
import { Replica } from './replica.ts';

const EPOCH = 1_700_000_000_000_000_000n;
const HOST: HostInfo = {
  ...{ id: 'local', name: 'here', baseEpochNs: String(EPOCH), isLive: true, users: {} },
  oldestEpochNs: String(EPOCH),
};
const NOW = 10_000e9;
const at = (seconds: number) => (seconds * 1e9) as EventNs;

let replica: Replica;
let past: Past;
/** From and to of each window asked for, in seconds. */
let asked: [from: number, to: number][];
/** What the server says: nothing, or a status for windows longer than so many seconds. */
/** When another boot of the host began, in seconds. */
let booted: number | undefined;
let refuses: { readonly status: number; readonly longerThan: number } | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  refuses = undefined;
  booted = undefined;
  replica = new Replica(() => 0);
  replica.greet(HOST);
  replica.resync();
  const batch = batchOf([{ id: 1, fields: { comm: 'init' } }]);
  const [from, to] = [0 as Version, 1 as Version];
  replica.takeFrame(encodeFrame({ kind: 'snapshot', isLast: true, from, to, now: NOW as EventNs, batch }));
  past = new Past({
    replica,
    origin: '',
    clock: () => Date.now(),
    fetch: async (url) => {
      const query = new URL(url, 'http://x').searchParams;
      const [from, to] = ['from', 'to'].map((name) => Number(BigInt(query.get(name) ?? 0) - EPOCH) / 1e9) as [
        number,
        number,
      ];
      asked.push([from, to]);
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (refuses !== undefined && to - from > refuses.longerThan) {
        return Response.json({ message: 'No.' }, { status: refuses.status });
      }
      const bytes = batchOf([{ id: 1 }, { id: 2, parent: 1, start: at(from) - 1, exit: { at: at(to) + 1 } }]);
      const answer = new Uint8Array(4 + bytes.length);
      new DataView(answer.buffer).setUint32(0, bytes.length, true);
      answer.set(bytes, 4);
      const begins = booted !== undefined && from < booted && to >= booted ? at(booted) : at(from);
      return new Response(answer, { headers: { 'x-dendro-from-epoch-ns': String(EPOCH + BigInt(begins)) } });
    },
  });
});
afterEach(() => vi.useRealTimers());

test('it is for what the replica has not seen, from the beginning of the history on', () => {
  const wholeFrom = replica.wholeFrom;
  expect([wholeFrom, wholeFrom - 1, 0, -1].map((one) => past.isFor(one as EventNs))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

test('the instant comes first, then a window around it; within that nothing is asked', async () => {
  expect(past.isFor(at(5000))).toBe(true);
  expect(past.treeAt(at(5000))).toBeUndefined();
  await vi.advanceTimersByTimeAsync(210);
  expect(past.treeAt(at(5000))?.taskCount).toBe(2);
  expect(past.treeAt(at(5001))).toBeUndefined();
  past.treeAt(at(5000)); // back again before the pointer had come to rest
  await vi.advanceTimersByTimeAsync(300);
  expect(asked).toEqual([
    [5000, 5000],
    [4700, 5300],
  ]);
  for (const second of [4700, 4900, 5300]) expect(past.treeAt(at(second))?.taskCount).toBe(2);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toHaveLength(2);
});

test('where too much happened shorter windows are asked for, and at last single instants, which is said', async () => {
  refuses = { status: 413, longerThan: 20 };
  past.treeAt(at(5000));
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked.map(([from, to]) => to - from)).toEqual([0, 600, 120, 10]);
  expect([past.isSampled, past.holds(at(5005))?.from]).toEqual([false, at(4995)]);
  refuses = { status: 413, longerThan: 0 };
  past.treeAt(at(6000));
  await vi.advanceTimersByTimeAsync(3000);
  expect([past.isSampled, past.isLoading]).toEqual([true, false]);
  past.treeAt(at(6001));
  await vi.advanceTimersByTimeAsync(290);
  expect([past.holds(at(6001))?.from, past.isLoading, past.isSampled]).toEqual([at(6001), false, true]);
});

test('what could not be had is said, and asked for again after a while and not with each frame', async () => {
  refuses = { status: 503, longerThan: -1 };
  past.treeAt(at(5000));
  await vi.advanceTimersByTimeAsync(400);
  expect([past.problem, past.isLoading]).toEqual(['No.', false]);
  for (let frame = 0; frame < 100; frame++) {
    past.treeAt(at(5000));
    await vi.advanceTimersByTimeAsync(20);
  }
  expect(asked).toHaveLength(1);
  refuses = undefined;
  await vi.advanceTimersByTimeAsync(5000);
  past.treeAt(at(5000));
  await vi.advanceTimersByTimeAsync(300);
  expect([past.problem, past.holds(at(5000))?.tree.taskCount]).toEqual([undefined, 2]);
});

test('a pointer that never rests is followed all the same', async () => {
  for (let step = 0; step < 40; step++) {
    past.treeAt(at(5000 - 10 * step));
    await vi.advanceTimersByTimeAsync(16);
  }
  expect(asked.length).toBeGreaterThan(0);
});

test('the next window is fetched while the past is played, before it is needed', async () => {
  past.treeAt(at(5000));
  await vi.advanceTimersByTimeAsync(1000);
  past.playedTo(at(5100));
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toHaveLength(2);
  past.playedTo(at(5250));
  past.playedTo(at(5251));
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.slice(2)).toEqual([[4950, 5550]]);
});

test('who has been evicted is missing from the past: from the end of that one on the replica is whole', () => {
  const { wholeFrom } = replica;
  const frame = (from: number, batch: Uint8Array) => {
    const header = { kind: 'batch', isLast: true, from: from as Version, to: (from + 1) as Version } as const;
    replica.takeFrame(encodeFrame({ ...header, now: (NOW + 5e9) as EventNs, batch }));
  };
  frame(1, batchOf([{ id: 2, parent: 1, start: NOW + 1, exit: { at: NOW + 3e9 } }]));
  expect(replica.wholeFrom).toBe(wholeFrom);
  frame(2, batchOf([], [2]));
  expect(replica.wholeFrom).toBe(NOW + 3e9);
});

test('A within what the replica knows costs no request; before it whoever lived then is put beside the present', async () => {
  const pinned = new Pinned({ replica, past });
  expect(pinned.treeFor((NOW + 1) as EventNs, replica.tree)).toBe(replica.tree);
  expect(asked).toEqual([]);
  expect(pinned.treeFor(at(5000), replica.tree)).toBeUndefined();
  await vi.advanceTimersByTimeAsync(300);
  const both = pinned.treeFor(at(5000), replica.tree);
  expect(both?.taskCount).toBe(2);
  expect(pinned.treeFor(at(5000), replica.tree)).toBe(both);
  // It goes on with the present.
  const batch = batchOf([{ id: 9, parent: 1, start: NOW + 1 }]);
  const [from, to] = [1 as Version, 2 as Version];
  replica.takeFrame(encodeFrame({ kind: 'batch', isLast: true, from, to, now: (NOW + 1) as EventNs, batch }));
  expect(both?.taskCount).toBe(3);
  expect(asked).toEqual([[5000, 5000]]);
});

test('two trees in one: whoever lived at A stays, though the other tree has evicted him', () => {
  const first = treeOf([
    { id: 1, fields: { comm: 'init' } },
    { id: 2, parent: 1, start: 5, fields: { comm: 'gone' } },
    { id: 3, parent: 2, start: 6 },
  ]);
  first.apply(batchOf([], [2]));
  expect(first.isStub(first.indexOf(2 as TaskId))).toBe(true);
  const both = bothTrees(first, [batchOf([{ id: 1 }, { id: 2, parent: 1, start: 5, fields: { comm: 'gone' } }])]);
  const [gone, child] = [both.indexOf(2 as TaskId), both.indexOf(3 as TaskId)];
  expect(both.isPresent(gone)).toBe(true);
  expect(both.textAt(child, 'comm', 7 as EventNs)).toBe('gone');
  both.apply(batchOf([], [2, 3]));
  expect([both.isPresent(gone), both.isPresent(child)]).toEqual([true, false]);
});

test('a window is of one boot of the host: that of an earlier one ends where the later begins', async () => {
  booted = 5100;
  past.treeAt(at(5000));
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked.map(([from, to]) => [from, Math.round(to)])).toEqual([
    [5000, 5000],
    [4700, 5300],
    [4700, 5100],
  ]);
  expect(past.holds(at(5099))?.from).toBe(at(4700));
  expect(past.holds(at(5101))).toBeUndefined();
  past.treeAt(at(5101));
  await vi.advanceTimersByTimeAsync(1000);
  expect([past.holds(at(5101))?.from, past.holds(at(5099))]).toEqual([at(5100), undefined]);
});
