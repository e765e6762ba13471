import { toWireText } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StringTable } from './string-table.ts';
import { TextCache } from './text-cache.ts';

test('a file or a list has the index of its text, whatever resembled it before', () => {
  const word = fc.constantFrom('', '/bin/a', '/bin/b', 'x\0y', '\ud800');
  const number = fc.constantFrom(undefined, 0, 1);
  const text = fc.constantFrom(undefined, '0', '1');
  const file = fc.record({ path: word, device: number, inode: text, ctime: text, mode: number, hash: text });
  const list = fc.array(word, { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(fc.oneof(file, list), { maxLength: 60 }), (values) => {
      const strings = new StringTable();
      const cache = new TextCache((wire) => strings.intern(wire));
      for (const value of values) {
        if (Array.isArray(value)) expect(strings.textOf(cache.list(value))).toBe(toWireText('strings', value));
        else expect(strings.textOf(cache.file(value))).toBe(toWireText('file', value));
      }
    }),
  );
});

test('it does not grow without bound', () => {
  let made = 0;
  const cache = new TextCache(() => ++made);
  for (let n = 0; n < 10_000; n++) cache.file({ path: `/bin/${n}` });
  cache.file({ path: '/bin/0' });
  expect(made).toBe(10_001);
});
