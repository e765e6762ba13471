import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextIndex } from './text-index.ts';

test('finds the texts that hold a text, whatever the case and wherever in them, and no others', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'B', 'b', 'é', ' ', '\0', '\n', '-'), maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 60 }),
      fc.string({ unit: fc.constantFrom('a', 'B', 'b', 'é', ' '), maxLength: 3 }),
      fc.nat(60),
      (texts, needle, first) => {
        const index = new TextIndex();
        const plain = (one: string) => one.replaceAll(/[\0\n]/g, ' ').replaceAll('B', 'b');
        // Some are known when it is looked for, the rest comes later.
        for (const one of texts.slice(0, first)) index.idOf(one);
        const before = index.matches(needle);
        for (const one of texts) index.idOf(one);
        for (const hits of [index.matches(needle), index.matches(needle, before)]) {
          for (const one of texts) expect(hits[index.idOf(one)] === 1).toBe(plain(one).includes(plain(needle)));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('a text has one number, and another after all was forgotten because there was too much', () => {
  const index = new TextIndex(1000);
  const long = 'x'.repeat(2_000_000);
  expect([index.idOf('a'), index.idOf(long), index.idOf('a')]).toEqual([1, 2, 1]);
  expect([...index.matches('xx')]).toEqual([0, 0, 1]);
  const { generation } = index;
  index.trim();
  expect(index.generation).toBe(generation + 1);
  expect(index.size).toBe(0);
  expect(index.idOf('b')).toBe(1);
  index.trim();
  expect(index.idOf('b')).toBe(1);
});
