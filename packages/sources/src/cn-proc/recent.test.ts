import { expect, test } from 'vitest';
import { Recent } from './recent.ts';

test('the newest half is always there, and never more than the size', () => {
  const recent = new Recent<number>(100);
  for (let key = 0; key < 1234; key++) {
    recent.set(key, key * 2);
    for (let back = 0; back < Math.min(50, key); back++) expect(recent.get(key - back)).toBe((key - back) * 2);
    expect(recent.get(key - 100)).toBeUndefined();
  }
});

test('a key that is set again has its new value, and a deleted one none', () => {
  const recent = new Recent<number>(4);
  for (const [key, value] of [
    [1, 10],
    [2, 20],
    [3, 30],
    [1, 11],
  ] as const) {
    recent.set(key, value);
  }
  expect(recent.get(1)).toBe(11);
  recent.delete(1);
  expect(recent.get(1)).toBeUndefined();
  expect(recent.get(2)).toBe(20);
});
