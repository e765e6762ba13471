import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { nearestWhole } from './nearest-whole.ts';

const at = (ms: number) => (ms * 1e6) as EventNs;
const gap = (from: number, to: number) => ({ from: at(from), to: at(to) });
const known = { knownFrom: at(1000), gaps: [gap(2000, 3000)] };

test('an instant in a gap leads to the nearer end of it, and out of it', () => {
  expect(nearestWhole(at(2100), known)).toBe(at(1999));
  expect(nearestWhole(at(2900), known)).toBe(at(3001));
  for (const ms of [1000, 1999, 3001]) expect(nearestWhole(at(ms), known)).toBeUndefined();
});

test('gaps that touch are one, and nothing leads to where nothing is known', () => {
  const gaps = [gap(2000, 3000), gap(3004, 3500), gap(2500, 4000)];
  expect(nearestWhole(at(3600), { ...known, gaps })).toBe(at(4001));
  expect(nearestWhole(at(2600), { ...known, gaps })).toBe(at(1999));
  expect(nearestWhole(at(1100), { ...known, gaps: [gap(1000, 3000)] })).toBe(at(3001));
});
