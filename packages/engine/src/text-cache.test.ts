import { toWireText } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_TEXT, StringTable } from './string-table.ts';
import { TextCache } from './text-cache.ts';

test('a file and a program have the indexes of their texts, whatever resembled them before', () => {
  const word = fc.constantFrom('', '/bin/a', '/bin/b', 'x\0y', '\ud800');
  const number = fc.constantFrom(undefined, 0, 1);
  const text = fc.constantFrom(undefined, '0', '1');
  const file = fc.record({ path: word, device: number, inode: text, ctime: text, mode: number, hash: text });
  const list = fc.option(fc.array(word, { maxLength: 3 }), { nil: undefined });
  const program = fc.record({ file, argv: list, comm: fc.option(word, { nil: undefined }), isFile: fc.boolean() });
  fc.assert(
    fc.property(fc.array(program, { maxLength: 60 }), (programs) => {
      const strings = new StringTable();
      const cache = new TextCache((wire) => strings.intern(wire));
      const textOf = (index: number) => (index === NO_TEXT ? undefined : strings.textOf(index));
      for (const { file, argv, comm, isFile } of programs) {
        if (isFile) expect(textOf(cache.file(file))).toBe(toWireText('file', file));
        const { fileText, argvText, commText } = cache.program(file, argv, comm);
        expect([fileText, argvText, commText].map(textOf)).toEqual([
          toWireText('file', file),
          argv && toWireText('strings', argv),
          comm === undefined ? undefined : toWireText('string', comm),
        ]);
      }
    }),
  );
});

test('it does not grow without bound', () => {
  let made = 0;
  const cache = new TextCache(() => ++made);
  for (let n = 0; n < 10_000; n++) cache.program({ path: `/bin/${n}` }, undefined, undefined);
  cache.program({ path: '/bin/0' }, undefined, undefined);
  expect(made).toBe(10_001);
});
