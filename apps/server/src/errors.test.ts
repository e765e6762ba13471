import { readFileSync } from 'node:fs';
import { ERRORS } from '@dendro/protocol';
import { expect, test } from 'vitest';

test('the README lists every error of the catalogue with its status, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const listed = [...readme.matchAll(/^\| `(DENDRO_\w+)` +\| (\d+) +\|/gm)].map(([, code, status]) => [
    code,
    Number(status),
  ]);
  expect(listed).toEqual(Object.entries(ERRORS).map(([code, { status }]) => [code, status]));
});
