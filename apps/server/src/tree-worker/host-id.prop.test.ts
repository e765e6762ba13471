import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FIRST_ID, hostIdOf } from './host-id.ts';

const NAMES = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 64 }),
  fc.string({ unit: fc.constantFrom('.', '~', '/', '%', '0', 'l', 'L', '\u0000', '\ud800'), maxLength: 6 }),
  fc.constantFrom(FIRST_ID, '..', '~006cocal', 'web-07', 'WEB-07', 'web/07', 'web%2f07'),
);

test('no two names have the same id', () => {
  fc.assert(
    fc.property(NAMES, NAMES, (a, b) => {
      expect(hostIdOf(a) === hostIdOf(b)).toBe(a === b);
    }),
  );
});

test('an id is a part of an address as it is, and never that of the first host', () => {
  fc.assert(
    fc.property(
      NAMES.filter((name) => name !== ''),
      (name) => {
        const id = hostIdOf(name);
        expect(id).toMatch(/^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/);
        expect(new URL(`/hosts/${id}/tree`, 'http://h').pathname).toBe(`/hosts/${id}/tree`);
        expect(id).not.toBe(FIRST_ID);
      },
    ),
  );
});

test('what is plain stays readable', () => {
  expect(['web-07', 'ip-10-0-0-1.eu', 'Büro 1', '..'].map(hostIdOf)).toEqual([
    'web-07',
    'ip-10-0-0-1.eu',
    'B~00fcro~00201',
    '~002e.',
  ]);
});
