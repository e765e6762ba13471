import { expect, test } from 'vitest';
import { isAlike, readQuery } from './asked.ts';
import { markedParts } from './marks.ts';
import { loadRegexEngine } from './regex.ts';

const asked = (text: string) => {
  const reading = readQuery(text);
  return reading.kind === 'asked' ? reading.asked : reading.kind;
};

test('what reads regular expressions is loaded when there is one; a bad one is told with its place', async () => {
  expect(asked('cmd:/a+/')).toBe('needs-regex');
  await loadRegexEngine();
  expect(asked('cmd:/a+/')).toMatchObject({ isFilter: true });
  expect(readQuery('sh cmd:/foo(/')).toEqual({
    kind: 'problem',
    problem: { message: 'Not a regular expression: missing closing ): `foo(`', from: 7, to: 13 },
  });
});

test('plain text finds, a field filters; the ended and threads have rows where they are asked for', () => {
  expect(asked('sshd "a b" | c')).toMatchObject({ isFilter: false, needsExited: false, needsThreads: false });
  expect(asked('sshd !user:root')).toMatchObject({ isFilter: true, needsExited: false });
  expect(asked('state:running')).toMatchObject({ needsExited: false });
  for (const query of ['state:all', '!state:exited', 'exit:!=0', 'a | (b exit:1)']) {
    expect(asked(query), query).toMatchObject({ needsExited: true });
  }
  expect(asked('tid:4')).toMatchObject({ needsThreads: true });
  expect(asked('  ')).toBe('nothing');
});

test('what was asked for is marked where it stands; what is ruled out is not', () => {
  const marks = (query: string, of: 'name' | 'command', text: string) => {
    const reading = asked(query);
    if (typeof reading === 'string') throw new Error(reading);
    return markedParts(text, reading.marks[of])
      .map((part) => (part.isMarked ? `[${part.text}]` : part.text))
      .join('');
  };
  expect(marks('PYTHON -m', 'command', '/usr/bin/python3 -m http')).toBe('/usr/bin/[python]3 [-m] http');
  expect(marks('name:py', 'command', 'python3')).toBe('python3');
  expect(marks('name:py|"th"', 'name', 'python3')).toBe('[py][th]on3');
  expect(marks('cmd:/o.?n/ !t', 'command', 'python3')).toBe('pyth[on]3');
  expect(marks('pyth tho', 'name', 'python3')).toBe('[pyth][o]n3');
});

test('a query is like the one before when it is about the same rows, and neither has a regular expression', async () => {
  await loadRegexEngine();
  const of = (text: string) => {
    const reading = readQuery(text);
    return reading.kind === 'asked' ? reading.asked : undefined;
  };
  for (const [before, after, expected] of [
    ['nod', 'node', true],
    ['node', '', true],
    ['', 'n', false],
    ['node', 'node exit:1', false],
    ['exit:1', '', false],
    ['exit:1', 'exit:12', true],
    ['tid:4', 'tid:', false],
    ['node', 'cmd:/node/', false],
    ['cmd:/nod/', 'cmd:node', false],
  ] as const) {
    expect(isAlike(of(before), of(after)), `${before} -> ${after}`).toBe(expected);
  }
});
