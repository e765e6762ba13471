import { expect, test } from 'vitest';
import { QUERY_FIELDS } from './fields.ts';
import { parseQuery } from './parse-query.ts';
import { printQuery } from './print-query.ts';

/** The query in its normal form, or what is wrong with it and where. */
function read(text: string): string {
  const parsed = parseQuery(text);
  if (parsed.kind === 'read') return parsed.query === undefined ? '' : printQuery(parsed.query);
  const { message, from, to } = parsed.problem;
  return `${from}-${to} ${message}`;
}

/** What the suggestion makes of it. */
function fixed(text: string): string | undefined {
  const parsed = parseQuery(text);
  if (parsed.kind === 'read' || parsed.problem.fix === undefined) return undefined;
  const { from, to, fix } = parsed.problem;
  return fix.replaces === 'all' ? fix.text : text.slice(0, from) + fix.text + text.slice(to);
}

test.each([
  ['', ''],
  ['   ', ''],
  ['sshd', 'sshd'],
  ['  python3   -m ', 'python3 -m'],
  ['"http server"', '"http server"'],
  ['"say \\"hi\\" \\\\ \\n"', '"say \\"hi\\" \\\\ \\\\n"'],
  ['a | b c', 'a | b c'],
  ['(a | b) c', '(a | b) c'],
  ['((a)) (b c)', 'a b c'],
  ['!a !!b !(a b)', '!a b !(a b)'],
  ['foo(bar|baz)', 'foo(bar | baz)'],
  ['NAME:sshd', 'name:sshd'],
  ['name:=sshd', 'name:=sshd'],
  ['cmd:"--port 80"', 'cmd:"--port 80"'],
  ['cmd:/a b\\/c\\d/', 'cmd:/a b\\/c\\d/'],
  ['/usr/bin/x', '/usr/bin/x'],
  ['exe:/usr/bin', 'exe:/usr/bin'],
  ['/usr', '"/usr"'],
  ['exe:/usr/bin/g++', 'exe:/usr/bin/g++'],
  ['(exe:/bin)', 'exe:"/bin"'],
  ['http://localhost:80/x', 'http://localhost:80/x'],
  ['10:30', '10:30'],
  ['user:root|deploy|1000', 'user:root|deploy|1000'],
  ['user:root|name:sh', 'user:root | name:sh'],
  ['user:root|!name:sh', 'user:root | !name:sh'],
  ['user:!=root', 'user:!=root'],
  ['pid:=5 pid:1..9 pid:..9 pid:>=3', 'pid:5 pid:1..9 pid:..9 pid:>=3'],
  ['exit:!=0|kill exit:SIGSEGV', 'exit:!=0|SIGKILL exit:SIGSEGV'],
  ['age:<5m born:>=1h30m age:1s..2.5s', 'age:<5m born:>=1h30m age:1s..2.5s'],
  ['started:>14:03 started:-5m..-1m', 'started:>14:03 started:-5m..-1m'],
  ['started:<2026-11-23T14:03:00Z', 'started:<2026-11-23T14:03:00Z'],
  ['state:EXITED', 'state:exited'],
  ['under:4242 under:sshd above:"4242"', 'under:4242 under:sshd above:"4242"'],
])('%s is read as %s', (text, normal) => {
  expect(read(text)).toBe(normal.replace('foo(bar | baz)', '"foo(bar" | "baz)"'));
});

test.each([
  ['usr:root', '0-4 There is no field usr: did you mean user:?', 'user:root'],
  ['a nmae:x', '2-7 There is no field nmae: did you mean name:?', 'a name:x'],
  ['stat:running', '0-5 There is no field stat: did you mean state:?', 'state:running'],
  ['nginx:worker', '0-12 There is no field nginx. In quotes it is found as text: "nginx:worker"', '"nginx:worker"'],
  ['cmd:/[', '4-6 A regular expression ends with another /.', undefined],
  ['/^ssh|x', '0-7 A regular expression ends with another /.', undefined],
  ['user:', '5-5 user: needs a value, as in user:root', undefined],
  ['pid:> x', '4-5 pid: needs a value, as in pid:4242', undefined],
  ['name:<5', '5-7 name: is text: < is for numbers and times', undefined],
  ['name:!sshd', '5-10 To rule it out, write !name:sshd', undefined],
  ['state:runing', '6-12 state: is one of running, exited, all', 'state:running'],
  ['age:5m', '4-6 No duration is met to the nanosecond: did you mean age:<5m?', 'age:<5m'],
  ['started:14:03', '8-13 No time is met to the nanosecond: did you mean started:>14:03?', 'started:>14:03'],
  ['age:<soon', '4-9 age: takes a length of time, as <5m, >1h30m or 10s..1m', undefined],
  ['started:>2026-02-30', '8-19 started: takes a time, as >14:03, >-5m or >2026-11-23T14:03:00Z', undefined],
  ['pid:abc', '4-7 pid: takes a number or a range, as 1000..2000', undefined],
  ['pid:99999999999', '4-15 pid: has no number that large', undefined],
  ['pid:..', '4-6 A range needs an end, as in pid:10..20', undefined],
  ['exit:<SIGKILL', '5-13 Signals have no order', undefined],
  ['exit:KILL..TERM', '5-15 Signals have no order', undefined],
  ['under:>5', '6-8 under: takes one pid or a name', undefined],
  ['"abc', '0-1 The quote is not closed.', '"abc"'],
  ['(a b', '0-1 The bracket is not closed.', '(a b)'],
  ['a (', '2-3 There is nothing in the brackets.', undefined],
  ['a |', '2-3 Something has to follow the |.', undefined],
  ['| a', '0-1 Something has to come before the |.', undefined],
  ['a !', '2-3 Something has to follow the !, which negates it.', undefined],
])('%s: %s', (text, problem, fix) => {
  expect(read(text)).toBe(problem);
  expect(fixed(text)).toBe(fix);
});

test('a query has a length', () => {
  expect(read('x'.repeat(500))).toHaveLength(500);
  expect(read('x'.repeat(501))).toBe('500-501 A query has 500 characters at most.');
});

test.each(Object.entries(QUERY_FIELDS))('the examples of %s can be read', (field, { examples }) => {
  for (const example of examples) expect(parseQuery(`${field}:${example}`).kind).toBe('read');
});
