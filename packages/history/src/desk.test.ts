import { expect, test } from 'vitest';
import { Desk, MAX_AHEAD_BYTES, ORDER_BYTES } from './desk.ts';

const BATCH = 32 * 1024;

/** A desk with lines of its own: a batch takes 4 ms, a question as long as it says. */
function deskOf(batches: number, questions: { name: string; sentBytes: number; ms: number }[]) {
  const done: string[] = [];
  let now = 0;
  const orders = Array.from({ length: batches }, (_, i) => i);
  const asked = [...questions];
  const desk = new Desk<number, (typeof questions)[number]>({
    nextOrder: () => orders.shift(),
    nextAsked: () => asked.shift(),
    carryOut: (order) => {
      now += 4;
      done.push(String(order));
      return BATCH;
    },
    answer: ({ name, ms }) => {
      now += ms;
      done.push(name);
    },
    now: () => now,
  });
  return { desk, done };
}

test('a question sees everything that was handed over before it, when it is little', () => {
  const { desk, done } = deskOf(4, [{ name: 'asked', sentBytes: 3 * BATCH, ms: 1 }]);
  desk.work();
  expect(done).toEqual(['0', '1', '2', 'asked', '3']);
});

test('what has no bytes, as what the clock says, is seen too when it was handed over before', () => {
  const done: string[] = [];
  const orders = ['tick', 'clock', 'tick'];
  const asked = [{ name: 'asked', sentBytes: 2 * ORDER_BYTES }];
  const desk = new Desk<string, { name: string; sentBytes: number }>({
    nextOrder: () => orders.shift(),
    nextAsked: () => asked.shift(),
    carryOut: (order) => {
      done.push(order);
      return 0;
    },
    answer: ({ name }) => done.push(name),
    now: () => 0,
  });
  desk.work();
  expect(done).toEqual(['tick', 'clock', 'asked', 'tick']);
});

test('it waits for no more than so many bytes of what is in line', () => {
  const { desk, done } = deskOf(1000, [{ name: 'asked', sentBytes: 1000 * BATCH, ms: 1 }]);
  desk.work();
  expect(done.indexOf('asked')).toBe(MAX_AHEAD_BYTES / BATCH);
  expect(done).toHaveLength(1001);
});

test('however many are asked, batches have half of the time', () => {
  const { desk, done } = deskOf(
    100,
    Array.from({ length: 10 }, (_, i) => ({ name: `asked ${i}`, sentBytes: 0, ms: 20 })),
  );
  desk.work();
  const at = Array.from({ length: 10 }, (_, i) => done.indexOf(`asked ${i}`));
  // 20 ms are five batches.
  expect(at.map((place, i) => place - (at[i - 1] ?? 0))).toEqual([0, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
});

test('without anything else to do questions are answered one after the other, and before the end all are', () => {
  const { desk, done } = deskOf(0, [
    { name: 'first', sentBytes: 0, ms: 20 },
    { name: 'second', sentBytes: 10 * BATCH, ms: 20 },
  ]);
  desk.work();
  expect(done).toEqual(['first', 'second']);
  const other = deskOf(100, [{ name: 'asked', sentBytes: 100 * BATCH, ms: 20 }]);
  other.desk.finish();
  expect(other.done).toEqual(['asked']);
});
