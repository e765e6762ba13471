import { expect, test } from 'vitest';
import { CpuCredit } from './cpu-credit.ts';

/** Works `costMs` at a time, as often as the credit allows but no more often than every `pollMs`. @returns the times */
function run(costs: readonly number[], pollMs = 250): number[] {
  const credit = new CpuCredit(0.1);
  let now = 0;
  return costs.map((costMs) => {
    const at = now;
    now += Math.max(pollMs, credit.spend(costMs, now));
    return at;
  });
}

const gaps = (times: readonly number[]) => times.slice(1).map((time, i) => time - (times[i] ?? 0));

test('cheap work is never held back', () => {
  expect(new Set(gaps(run(Array(1000).fill(20))))).toEqual(new Set([250]));
});

test('one costly moment is paid from what was saved', () => {
  expect(new Set(gaps(run([5, 5, 900, ...Array(20).fill(5)])))).toEqual(new Set([250]));
});

test('work that is always costly gets its share of a core and no more', () => {
  const times = run(Array(200).fill(100));
  expect(gaps(times)[0]).toBe(250);
  expect(
    gaps(times)
      .slice(50)
      .every((gap) => gap === 1000),
  ).toBe(true);
});

test('after hard times it goes on as before', () => {
  const times = run([...Array(50).fill(100), ...Array(50).fill(1)]);
  expect(gaps(times).at(-1)).toBe(250);
});
