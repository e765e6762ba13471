import { expect, test } from 'vitest';
import { firstLook } from './first-look.ts';
import type { LineageLayout } from './lineage-layout.ts';

const size = { width: 1000, height: 600 };
/** The subject is at 0. */
const layout = (left: number, right: number): LineageLayout =>
  ({ left, right, top: -22, bottom: 22, nodes: [] }) as Partial<LineageLayout> as LineageLayout;

test('all of a lineage is seen where it can be read', () => {
  const { x, k } = firstLook(layout(-304, 210), size);
  expect(k).toBe(1);
  expect(x).toBeCloseTo(500 + 47);
});

test('of a large one the subject is in the left third, beside its children', () => {
  expect(firstLook(layout(-3040, 3040), size).x).toBe(300);
  expect(firstLook(layout(0, 3040), size).x).toBe(32);
});

test('who has many ancestors and no child is at the right, and no room is left empty', () => {
  const { x, k } = firstLook(layout(-3040, 210), size);
  expect(x + 210 * k).toBe(968);
});
