import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  FIELD_COUNT,
  FIELDS,
  type FileInfo,
  fieldName,
  fieldType,
  fromWireText,
  pathOfWireFile,
  toWireText,
} from './facts.ts';

/** Any text as the kernel gives it: NUL ends a string there, so none holds one. */
const text = fc.string({ unit: 'binary' }).map((any) => any.replaceAll('\0', ''));
const decimal = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const orUnknown = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const file: fc.Arbitrary<FileInfo> = fc.record({
  path: text,
  device: orUnknown(fc.integer({ min: 0 })),
  inode: orUnknown(decimal),
  ctime: orUnknown(decimal),
  mode: orUnknown(fc.integer({ min: 0, max: 0xffff })),
  hash: orUnknown(fc.stringMatching(/^[0-9a-f]{1,64}$/)),
});

test('strings come back from wire text, the empty ones and the empty list too', () => {
  fc.assert(
    fc.property(fc.array(text), (argv) => {
      expect(fromWireText('strings', toWireText('strings', argv))).toEqual(argv);
    }),
  );
  for (const argv of [[], [''], ['', ''], ['a', '', 'b']]) {
    expect(fromWireText('strings', toWireText('strings', argv))).toEqual(argv);
  }
});

test('a string comes back from wire text', () => {
  fc.assert(
    fc.property(text, (comm) => {
      expect(fromWireText('string', toWireText('string', comm))).toBe(comm);
    }),
  );
});

test('a file comes back from wire text, 64-bit numbers exact', () => {
  fc.assert(
    fc.property(file, (given) => {
      const wire = toWireText('file', given);
      expect(fromWireText('file', wire)).toEqual(given);
      expect(pathOfWireFile(wire)).toBe(given.path);
    }),
  );
});

test('device 0 and mode 0 are known, and not the same as unknown', () => {
  const known: FileInfo = { path: '/x', device: 0, inode: '0', ctime: '0', mode: 0, hash: undefined };
  expect(fromWireText('file', toWireText('file', known))).toEqual(known);
});

test('a NUL that a foreign feed smuggles into a part never moves the parts that follow', () => {
  expect(fromWireText('strings', toWireText('strings', ['a\0b', 'c']))).toEqual(['a\ufffdb', 'c']);
  const smuggled = { path: 'a\0b', device: 1, inode: '2\x003', ctime: '4\x005', mode: 6, hash: '7\x008' };
  expect(fromWireText('file', toWireText('file', smuggled))).toEqual({
    path: 'a\ufffdb',
    device: 1,
    inode: '2\ufffd3',
    ctime: '4\ufffd5',
    mode: 6,
    hash: '7\ufffd8',
  });
});

test('equal values have equal wire text, also where a feed left half a surrogate pair in them', () => {
  expect(toWireText('strings', ['a\ud83c'])).toBe(toWireText('strings', ['a\ufffd']));
  expect(toWireText('string', '\udf33')).toBe('\ufffd');
  expect(toWireText('file', { path: '/\ud83c' })).toBe(toWireText('file', { path: '/\ufffd' }));
});

test('a path alone may stand for a file', () => {
  expect(pathOfWireFile('/bin/sh')).toBe('/bin/sh');
  expect(fromWireText('file', '/bin/sh')).toMatchObject({ path: '/bin/sh', inode: undefined });
});

test('any wire text at all is read as some value', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (wire) => {
      for (const type of ['string', 'strings', 'file'] as const) fromWireText(type, wire);
      pathOfWireFile(wire);
    }),
  );
});

test('the numbers of the fields are unique, and never change', () => {
  const numbers = Object.fromEntries(Object.entries(FIELDS).map(([name, { id }]) => [name, id]));
  expect(numbers).toMatchObject({
    parent: 1,
    comm: 2,
    executable: 3,
    argv: 4,
    cwd: 5,
    interpreter: 6,
    interp: 7,
    uid: 8,
    gid: 9,
    nsTid: 10,
    nsPid: 11,
    pidNs: 12,
    container: 13,
  });
  expect(new Set(Object.values(numbers)).size).toBe(Object.keys(FIELDS).length);
});

test('every field is found by its number, and other numbers are of no field', () => {
  for (const [name, { id, type }] of Object.entries(FIELDS)) {
    expect(fieldName(id)).toBe(name);
    expect(fieldType(id)).toBe(type);
    expect(id).toBeLessThan(FIELD_COUNT);
  }
  for (const id of [0, -1, 1.5, FIELD_COUNT, 255, Number.NaN]) {
    expect(fieldName(id)).toBeUndefined();
    expect(fieldType(id)).toBeUndefined();
  }
});
