import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from './bytes.ts';

const whole = fc.oneof(
  fc.nat(300),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -0, 2 ** 50, -(2 ** 50), 2 ** 53 - 1),
);

test('numbers come back as they were, each kind among the others', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('uint', 'int', 'delta', 'f64'), whole, whole)), (numbers) => {
      const out = new ByteWriter(1);
      const written: [string, number, number][] = [];
      for (const [kind, value, before] of numbers) {
        const safe = Number.isSafeInteger(value) ? value : 0;
        if (kind === 'uint') out.uint(Math.abs(safe));
        else if (kind === 'int') out.int(Math.trunc(safe / 2));
        else if (kind === 'delta') out.delta(value, before);
        else out.f64(value);
        written.push([kind, value, before]);
      }
      const from = new ByteReader(new Uint8Array(out.view()));
      for (const [kind, value, before] of written) {
        const safe = Number.isSafeInteger(value) ? value : 0;
        if (kind === 'uint') expect(from.uint()).toBe(Math.abs(safe));
        else if (kind === 'int')
          expect(Object.is(from.int(), Math.trunc(safe / 2)) || Math.trunc(safe / 2) === 0).toBe(true);
        else if (kind === 'delta') expect(from.delta(before)).toBe(value);
        else expect(from.f64()).toBe(value);
      }
      expect(from.isAtEnd).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
