import type { TaskEvent } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { EventGate, type EventGateOptions } from './event-gate.ts';

const BEGUN = 1_700_000_000_000_000_000n;
const DAY = 86_400_000_000_000n;
const YEAR = 365n * DAY;

/** A feed: what became of events at these times, as distances from the beginning or `refused`. */
function pass(times: readonly bigint[], options: EventGateOptions = {}): (number | 'refused')[] {
  const told: (number | 'refused')[] = [];
  const sink = (event: TaskEvent): void => {
    if (event.type === 'rename') told.push(event.at);
  };
  const gate = new EventGate(sink, () => told.push('refused'), options);
  for (const time of times) {
    gate.give(BEGUN + time, (at) => ({ type: 'rename', at, tid: 1, comm: 'a' }));
    gate.settle();
  }
  return told;
}

test.each([true, false])('a feed goes on for years (live: %s)', (isLive) => {
  const times = Array.from({ length: 200 }, (_, week) => BigInt(week) * 7n * DAY);
  expect(pass([...times, 0n], { isLive, wallMs: () => 0 })).toEqual([...times.map(Number), 0]);
});

test('a time far after all others is refused, and the others are not for it', () => {
  expect(pass([0n, YEAR, 1n, 104n * DAY, 209n * DAY])).toEqual([0, 'refused', 1, Number(104n * DAY), 'refused']);
  expect(pass([0n, -105n * DAY, -104n * DAY])).toEqual([0, 'refused', Number(-104n * DAY)]);
});

test('a live feed that was silent for years is heard again, and one that tells of the far future is not', () => {
  const wallMs = () => Number((BEGUN + 3n * YEAR) / 1_000_000n);
  const times = [0n, 3n * YEAR + 1_000_000n, 4n * YEAR, 3n * YEAR + 2_000_000n];
  const [, after, future, last] = pass(times, { isLive: true, wallMs });
  expect([after, future, last]).toEqual([Number(times[1]), 'refused', Number(times[3])]);
  expect(pass(times, { wallMs })).toEqual([0, 'refused', 'refused', 'refused']);
});
