import { expect, test } from 'vitest';
import { deviceText, fieldText, modeText } from './field-text.ts';

test('values are written in one line', () => {
  const users = { 0: 'root' };
  expect(fieldText('uid', 0, users)).toBe('0 (root)');
  expect(fieldText('euid', 1000, users)).toBe('1000');
  expect(fieldText('argv', ['sh', '-c', 'a b'], users)).toBe('sh -c "a b"');
  expect(fieldText('argv', [], users)).toBe('(none)');
  expect(fieldText('executable', { path: '/bin/sh', inode: '7' }, users)).toBe('/bin/sh');
  expect(fieldText('container', '', users)).toBe('none: on the host');
  expect(fieldText('comm', '', users)).toBe('(empty)');
  expect(fieldText('cwd', undefined, users)).toBe('not known');
});

test('a mode is written as ls does, with its digits', () => {
  expect(modeText(0o100755)).toBe('-rwxr-xr-x (755)');
  expect(modeText(0o104711)).toBe('-rws--x--x (4711)');
  expect(modeText(0o102644)).toBe('-rw-r-Sr-- (2644)');
  expect(modeText(0o41777)).toBe('drwxrwxrwt (1777)');
});

test('a device is major:minor', () => {
  expect(deviceText(0x803)).toBe('8:3');
  expect(deviceText(0x0010_3f7f)).toBe('63:383');
});
