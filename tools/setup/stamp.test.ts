import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clearStamp, hashFiles, readStamp, sourceFiles, writeStamp } from './stamp.mjs';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dendro-stamp-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text = ''): string {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test('a stamp is read back until it is cleared, and clearing twice is harmless', () => {
  const file = join(root, 'deep', 'stamp');
  expect(readStamp(file)).toBeUndefined();
  writeStamp(file, 'abc');
  expect(readStamp(file)).toBe('abc');
  clearStamp(file);
  clearStamp(file);
  expect(readStamp(file)).toBeUndefined();
});

test('the hash changes with content, name and salt, and not with the order of the list', () => {
  const a = write('a', '1');
  const b = write('b', '2');
  const before = hashFiles(root, [a, b]);
  expect(hashFiles(root, [b, a])).toBe(before);
  expect(hashFiles(root, [a, b], 'salt')).not.toBe(before);
  expect(hashFiles(root, [a, write('c', '2')])).not.toBe(before);
  write('b', '3');
  expect(hashFiles(root, [a, b])).not.toBe(before);
});

test('text moved from one file into the next changes the hash', () => {
  const before = hashFiles(root, [write('a', '12'), write('b', '3')]);
  expect(hashFiles(root, [write('a', '1'), write('b', '23')])).not.toBe(before);
});

test('source files are found at any depth, without tests, documents and build output', () => {
  const wanted = [write('web/index.html'), write('web/src/main.tsx'), write('web/src/deep/a.ts'), write('lock.yaml')];
  write('web/src/deep/a.test.ts');
  write('web/src/deep/a.prop.test.ts');
  write('web/src/view.test.tsx');
  write('web/README.md');
  write('web/dist/index.html');
  write('web/node_modules/x/index.js');
  write('web/.cache/x.ts');
  const found = ['web', 'lock.yaml', 'missing'].flatMap((path) => sourceFiles(join(root, path)));
  expect(found.sort()).toEqual(wanted.sort());
});
