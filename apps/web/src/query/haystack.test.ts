import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Haystack } from './haystack.ts';

test('what holds the words is found, once for each text, as if it were looked at by itself', () => {
  const piece = fc.constantFrom('a', 'A', 'b', 'ab', ' ', '  ', '\t', '\u0130', '');
  const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 12 }), fc.nat(12), text, fc.boolean(), (list, first, words, isWhole) => {
      const texts = ['', ...new Set(list)];
      const indexes = [...texts.keys()].slice(1);
      const found: number[] = [];
      const haystack = new Haystack((index) => texts[index] as string);
      // What comes later is found too, and only that when one begins there.
      haystack.add(indexes.slice(0, first));
      haystack.search(words, isWhole, 0, (index) => found.push(index));
      const seen = haystack.size;
      haystack.add(indexes.slice(first));
      haystack.search(words, isWhole, seen, (index) => found.push(index));
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
  const haystack = new Haystack(() => 'a');
  haystack.add([1, 2]);
  haystack.search('\0', false, 0, (index) => found.push(index));
  expect(found).toEqual([]);
});
