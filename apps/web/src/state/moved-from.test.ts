import type { EventNs } from '@dendro/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepMovedFrom, useMovedFrom } from './moved-from.ts';
import { view } from './view-store.ts';

const from = () => useMovedFrom.getState().from;
const past = { isLoading: false };
let end: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  past.isLoading = false;
  end = keepMovedFrom(past, () => Date.now());
});
afterEach(() => {
  end();
  view.goLive();
  vi.useRealTimers();
});

const goTo = (at: number) => view.pause(at as EventNs);

test('for a moment after the playhead has moved it is known from where; then not any more', () => {
  goTo(10);
  expect(from()).toBeUndefined();
  goTo(50);
  expect(from()).toBe(10);
  vi.advanceTimersByTime(1400);
  expect(from()).toBe(10);
  vi.advanceTimersByTime(200);
  expect(from()).toBeUndefined();
});

test('while it is dragged, from where it was a moment ago', () => {
  goTo(0);
  for (let at = 1; at <= 30; at++) {
    goTo(at * 10);
    vi.advanceTimersByTime(100);
  }
  expect(from()).toBeGreaterThan(100);
  expect(from()).toBeLessThan(200);
});

test('a filter, a fold and the present set nothing', () => {
  goTo(10);
  view.setQuery('name:x');
  view.expandAll();
  expect(from()).toBeUndefined();
  goTo(20);
  view.goLive();
  expect(from()).toBeUndefined();
});

test('while the past is on its way the moment has not begun', () => {
  goTo(10);
  past.isLoading = true;
  goTo(50);
  vi.advanceTimersByTime(5000);
  expect(from()).toBe(10);
  past.isLoading = false;
  vi.advanceTimersByTime(100);
  expect(from()).toBeUndefined();
});
