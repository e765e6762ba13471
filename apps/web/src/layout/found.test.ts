import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Found } from './found.ts';

test('counts, places and steps agree with a plain list', () => {
  const position = fc.integer({ min: -1, max: 40 });
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), position, (flags, from) => {
      const found = new Found(Uint8Array.from(flags, Number));
      const list = [...flags.keys()].filter((p) => flags[p]);
      const at = Math.min(from, flags.length - 1);
      expect(found.count).toBe(list.length);
      expect(found.countIn(0, Math.max(0, at))).toBe(list.filter((p) => p < at).length);
      expect(found.placeOf(at)).toBe(list.includes(at) ? list.indexOf(at) + 1 : undefined);
      expect(found.step(at, 1)).toBe(list.find((p) => p > at) ?? list[0] ?? -1);
      expect(found.step(at, -1)).toBe((at < 0 ? undefined : list.findLast((p) => p < at)) ?? list.at(-1) ?? -1);
    }),
  );
});
