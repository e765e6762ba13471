import { beforeAll, expect, test } from 'vitest';
import { compileRegex, loadRegexEngine, type Regex } from './regex.ts';

beforeAll(loadRegexEngine);

function regex(source: string): Regex {
  const compiled = compileRegex(source);
  if (compiled.kind === 'bad') throw new Error(compiled.message);
  return compiled.regex;
}

// A backtracking matcher would be at each of these for longer than the universe has been there.
test.each([
  '(a+)+$',
  '(a|aa)+$',
  '(.*)*x',
  '(a|a)*b',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(.*a){20}',
  'a?'.repeat(40) + 'a'.repeat(40),
])('%s comes to an end', (source) => {
  expect(typeof regex(source).test(`${'a'.repeat(50_000)}!`)).toBe('boolean');
  regex(source).find(`${'a'.repeat(2000)}!`);
});

test('case does not matter unless it is asked for', () => {
  expect(regex('SSHD?$').test('/usr/sbin/sshd')).toBe(true);
  expect(regex('(?-i)SSHD').test('sshd')).toBe(false);
});

test('the first place that is not empty is found', () => {
  expect(regex('a*').find('bbaac')).toEqual([2, 4]);
  expect(regex('x*').find('bb')).toBeUndefined();
});

test.each([
  ['foo(', 'missing closing ): `foo(`'],
  ['*a', 'missing argument to repetition operator: `*`'],
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['a{1000}{1000}', 'invalid nested repetition operator: `{1000}{1000}`'],
])('%s is none: %s', (source, message) => {
  expect(compileRegex(source)).toMatchObject({ kind: 'bad', message });
});
