import { expect, test } from 'vitest';
import { isTid, MAX_TID, toEventNs, toTaskId, toTid, toVersion } from './ids.ts';

test('a task id is a positive safe integer', () => {
  expect(toTaskId(1)).toBe(1);
  expect(toTaskId(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    expect(() => toTaskId(bad)).toThrow(`task id must be a positive safe integer, got ${bad}`);
  }
});

test('a version is a safe integer from 0 on', () => {
  expect(toVersion(0)).toBe(0);
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => toVersion(bad)).toThrow(RangeError);
});

test('a tid is what Linux can give out, and 0', () => {
  for (const tid of [0, 1, MAX_TID]) {
    expect(isTid(tid)).toBe(true);
    expect(toTid(tid)).toBe(tid);
  }
  for (const bad of [-1, MAX_TID + 1, 1.5, Number.NaN]) expect(() => toTid(bad)).toThrow(RangeError);
  for (const bad of ['1', undefined, null, 1n, [1]]) expect(isTid(bad)).toBe(false);
});

test('an event time is any finite number, before the base too', () => {
  for (const at of [0, -1, 1e15, 0.25]) expect(toEventNs(at)).toBe(at);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    expect(() => toEventNs(bad)).toThrow(RangeError);
  }
});
