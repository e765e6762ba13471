import fc from 'fast-check';
import { expect, test } from 'vitest';
import { completions } from './complete.ts';
import type { CountedField, Word } from './vocabulary.ts';

const WORDS: Readonly<Record<CountedField, readonly Word[]>> = {
  name: [
    { value: 'kworker/0:1', count: 9 },
    { value: 'sshd', count: 3 },
    { value: 'ssh agent', count: 2 },
    { value: 'openssh', count: 1 },
  ],
  container: [],
  user: [
    { value: 'root', count: 90 },
    { value: 'deploy', count: 4 },
  ],
  euid: [],
  exit: [{ value: 'SIGKILL', count: 2 }],
};
const complete = (text: string, caret = text.length) => completions(text, caret, (field) => WORDS[field]);
const texts = (text: string, caret?: number) => complete(text, caret).map((one) => one.text);

test.each([
  ['us', ['user:']],
  ['a !st', ['a !state:', 'a !started:']],
  ['ssh', ['sshd ', '"ssh agent" ', 'openssh ']],
  ['user:', ['user:root ', 'user:deploy ']],
  ['user:root|d', ['user:root|deploy ']],
  ['(user:!=ro', ['(user:!=root ']],
  ['under:ssh', ['under:sshd ', 'under:"ssh agent" ', 'under:openssh ']],
  ['state:ru', ['state:running ']],
  ['exit:', ['exit:SIGKILL ']],
  ['age:', ['age:<5m ', 'age:>1h ', 'age:10s..1m ']],
  ['container:', ['container:4f1c ']],
  ['sshd ', []],
  ['"ss', []],
])('%s can go on as %j', (text, wanted) => {
  expect(texts(text)).toEqual(wanted);
});

test('what is behind the caret stays', () => {
  expect(complete('user:d age:<5m', 6)).toEqual([
    { text: 'user:deploy age:<5m', caret: 12, label: 'deploy', detail: '4 rows' },
  ]);
});

test('nothing written: the fields; and whatever is written, the caret is in the text', () => {
  expect(texts('')).toContain('name:');
  fc.assert(
    fc.property(fc.string({ maxLength: 20 }), fc.nat(20), (text, at) => {
      for (const one of complete(text, Math.min(at, text.length))) {
        expect(one.caret).toBeGreaterThanOrEqual(0);
        expect(one.caret).toBeLessThanOrEqual(one.text.length);
      }
    }),
  );
});
