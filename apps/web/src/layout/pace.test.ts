import { beforeEach, expect, test } from 'vitest';
import { Pace } from './pace.ts';

let pace: Pace;
beforeEach(() => {
  pace = new Pace();
});

test('the first drawing waits for nothing', () => {
  expect(pace.wait(0)).toBe(0);
});

test('what costs little is drawn with every frame', () => {
  pace.drew(1, 1000);
  expect(pace.wait(1016)).toBe(0);
});

test('what costs much is drawn so seldom that two thirds of the time are left', () => {
  pace.drew(40, 1000);
  expect(pace.wait(1010)).toBe(70);
  expect(pace.wait(1080)).toBe(0);
});

test('while somebody scrolls it is drawn more seldom, but never later than a fifth of a second', () => {
  pace.drew(15, 1000);
  pace.scrolled(1010);
  expect(pace.wait(1020)).toBe(115);
  pace.drew(500, 2000);
  pace.scrolled(2010);
  expect(pace.wait(2020)).toBe(180);
});

test('once scrolling is over it is drawn as before', () => {
  pace.scrolled(1000);
  pace.drew(15, 1200);
  expect(pace.wait(1230)).toBe(0);
});

test('whoever presses something is answered before what happened meanwhile is drawn, but that is not put off for ever', () => {
  pace.movedOn(990);
  pace.drew(2, 1000);
  pace.pressed(1010);
  expect(pace.wait(1010)).toBe(80);
  expect(pace.wait(1090)).toBe(0);
  // A key that is held down.
  for (let now = 1100; now < 1190; now += 30) pace.pressed(now);
  expect(pace.wait(1189)).toBe(1);
  expect(pace.wait(1190)).toBe(0);
});

test('rows are expected with the key while finding took no longer than a frame', () => {
  expect(pace.findsAtOnce).toBe(false);
  pace.found(16);
  expect(pace.findsAtOnce).toBe(true);
  pace.found(17);
  expect(pace.findsAtOnce).toBe(false);
});
