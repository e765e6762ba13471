import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Haystack } from './haystack.ts';

test('what holds the words is found, once for each text, as if it were looked at by itself', () => {
  const piece = fc.constantFrom('a', 'A', 'b', 'ab', ' ', '  ', '\t', '\u0130', '');
  const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 12 }), text, fc.boolean(), (list, words, isWhole) => {
      const texts = ['', ...new Set(list)];
      const indexes = Int32Array.from([0, ...texts.keys(), ...texts.keys()]);
      const found: number[] = [];
      const haystack = new Haystack(indexes, (index) => texts[index] as string);
      haystack.search(words, isWhole, (index) => found.push(index));
      const plain = (one: string) => one.toLowerCase().replace(/\s+/g, ' ');
      const wanted = [...texts.keys()].filter((index) => {
        const one = plain(texts[index] as string);
        return index > 0 && (isWhole ? one === plain(words) : one.includes(plain(words)));
      });
      expect(found).toEqual(wanted);
    }),
    { numRuns: 2000 },
  );
});

test('a separator finds nothing', () => {
  const found: number[] = [];
  new Haystack(Int32Array.of(1, 2), () => 'a').search('\0', false, (index) => found.push(index));
  expect(found).toEqual([]);
});
