import { expect, test } from 'vitest';
import { Families } from './families.ts';

test('who ends leaves its children to the heir, and they are told', () => {
  const families = new Families();
  families.begin(10, 1);
  families.begin(11, 10);
  families.begin(12, 10);
  families.begin(13, 12);
  expect(families.end(10, 1)).toEqual([11, 12]);
  expect(families.end(1, 5)).toEqual([11, 12]); // they were its own by then
  expect(families.end(12, 5)).toEqual([13]);
});

test('without children there is nobody to tell of', () => {
  const families = new Families();
  families.begin(10, 1);
  expect(families.end(10, 0)).toEqual([]);
  expect(families.end(99, 1)).toEqual([]);
});

test('what was seen in passing does not change what is known', () => {
  const families = new Families();
  families.begin(10, 2);
  families.see(10, 3);
  expect(families.end(3, 1)).toEqual([]);
  expect(families.end(2, 1)).toEqual([10]);
});

test('who was there before anybody looked is known from being seen', () => {
  const families = new Families();
  families.see(10, 2);
  expect(families.end(2, 7)).toEqual([10]);
  expect(families.end(7, 1)).toEqual([10]);
});

test('a newborn under a pid whose last end was lost has no children; who these belong to is known when they are seen again', () => {
  const families = new Families();
  families.begin(10, 1);
  families.begin(11, 10);
  families.begin(10, 1); // again: its end was lost, and 11 went to somebody
  expect(families.end(10, 7)).toEqual([]);
  expect([...families.pids()]).toEqual([11]);
  families.see(11, 8);
  expect(families.end(8, 1)).toEqual([11]);
});

test('a process that ends is forgotten, and so is the child of a dead child', () => {
  const families = new Families();
  for (let pid = 2; pid < 1000; pid++) families.begin(pid, pid - 1);
  for (let pid = 2; pid < 1000; pid++) families.end(pid, pid === 999 ? 0 : 1);
  expect(families.size).toBe(0);
});

test('an heir that is the dead one itself does no harm', () => {
  const families = new Families();
  families.begin(11, 10);
  expect(families.end(10, 10)).toEqual([11]);
  expect(families.size).toBe(1);
});

test('of ends that were lost no memory grows: the oldest are forgotten', () => {
  const families = new Families();
  for (let pid = 2; pid < 200_000; pid++) families.begin(pid, 1);
  expect(families.size).toBeLessThanOrEqual(131_072);
  expect(families.size).toBeGreaterThan(100_000);
  expect(families.end(1, 0)).toContain(199_999);
});
