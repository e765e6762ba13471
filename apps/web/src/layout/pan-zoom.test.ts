import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fit, MAX_ZOOM, MIN_ZOOM, reveal, zoomAt } from './pan-zoom.ts';

const at = fc.record({
  x: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  y: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  k: fc.double({ min: MIN_ZOOM, max: MAX_ZOOM, noNaN: true }),
});

test('zooming keeps the point under the pointer there, and has an end both ways', () => {
  fc.assert(
    fc.property(at, fc.double({ min: 0.01, max: 100, noNaN: true }), fc.nat(2000), fc.nat(2000), (at, factor, x, y) => {
      const next = zoomAt(at, factor, x, y);
      expect(next.k).toBeGreaterThanOrEqual(MIN_ZOOM);
      expect(next.k).toBeLessThanOrEqual(MAX_ZOOM);
      expect((x - next.x) / next.k).toBeCloseTo((x - at.x) / at.k, 3);
      expect((y - next.y) / next.k).toBeCloseTo((y - at.y) / at.k, 3);
    }),
  );
});

test('what fits is seen whole, in the middle and not enlarged; of what does not, the part around the origin', () => {
  const size = { width: 1000, height: 500 };
  expect(fit({ left: -100, top: -50, right: 100, bottom: 50 }, size)).toEqual({ x: 500, y: 250, k: 1 });
  const { x, k } = fit({ left: 0, top: -1000, right: 400, bottom: 1000 }, size);
  expect(k).toBeCloseTo(0.218);
  expect(x + 200 * k).toBeCloseTo(500);
  expect(fit({ left: 0, top: -1e6, right: 400, bottom: 2e6 }, size)).toMatchObject({ k: MIN_ZOOM, y: 250 });
});

test('what is brought into view is moved no further than needed', () => {
  const size = { width: 1000, height: 500 };
  const here = { x: 0, y: 0, k: 1 };
  expect(reveal(here, { left: 100, top: 100, right: 300, bottom: 144 }, size)).toBe(here);
  expect(reveal(here, { left: 900, top: 100, right: 1110, bottom: 144 }, size)).toEqual({ x: -142, y: 0, k: 1 });
  expect(reveal(here, { left: -400, top: -40, right: -190, bottom: 4 }, size)).toEqual({ x: 432, y: 72, k: 1 });
});
