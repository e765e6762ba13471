import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { textKindOf } from './text-kind.ts';

const RECORDED = new URL('../../testkit/', import.meta.url);
const kindOfFile = (path: string) => textKindOf(readFileSync(new URL(path, RECORDED)).subarray(0, 65_536));
const kindOf = (text: string) => textKindOf(new TextEncoder().encode(text));

test.each([
  ['vectors/tracee/legacy.ndjson', 'tracee'],
  ['vectors/tracee/v1beta1-threads.ndjson', 'tracee'],
  ['recordings/audit/aarch64-hosts.log', 'audit'],
  ['recordings/audit/i386-raw.log', 'audit'],
  ['recordings/audit/x86_64-enriched.log', 'audit'],
  ['recordings/core-strace/strace.txt', 'strace'],
  ['recordings/core-strace/trace.txt', 'trace'],
  ['recordings/core-strace/cpu0.raw', undefined],
  ['src/index.ts', undefined],
])('%s is %s', (path, kind) => {
  expect(kindOfFile(path)).toBe(kind);
});

test('it is seen behind a byte order mark, empty lines and what a program said first', () => {
  expect(kindOf('\ufeff{"eventName":"x"}\n')).toBe('tracee');
  expect(kindOf('starting up\r\n\r\n{"eventName":"x"}\r\n')).toBe('tracee');
  expect(kindOf('----\ntime->Mon Nov 23\n')).toBe('audit');
  expect(kindOf('type=SYSCALL msg=audit(11/23/2026 18:48:02.838:1) : arch=x86_64\n')).toBe('audit');
  expect(kindOf('strace: Process 12 attached\n')).toBe('strace');
  expect(kindOf('12 18:48:02 execve("/bin/true", ["true"], 0x0) = 0\n')).toBe('strace');
  expect(kindOf('12 1700000000.000001 execve("/bin/true", ["true"], 0x0) = 0\n')).toBe('strace');
  for (const other of ['', 'a,b\n1,2\n', '<html>', '2026-11-23T18:48:02Z error\n', '\0\0\0\0']) {
    expect(kindOf(other), other).toBeUndefined();
  }
});
