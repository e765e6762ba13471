import type { TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fuzz } from '../input/test-mutations.ts';
import { StraceDecoder } from './strace-decoder.ts';

const CORPUS = [
  '7 1700000000.000001 execve("/bin/sh", ["sh", "-c", "true"...], 0x7ffe /* 35 vars */) = 0',
  '7 1700000000.000002 chdir("/tmp")   = 0',
  '7 1700000000.000003 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 8',
  '7 1700000000.000004 vfork( <unfinished ...>',
  '9 1700000000.000005 execve("/bin/\\303\\244", ["x\\n\\"", "\\x41"], 0x0 <unfinished ...>',
  '7 1700000000.000006 <... vfork resumed>) = 9',
  '9 1700000000.000007 <... execve resumed>) = 0',
  '8 1700000000.000008 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0, stack=0x7f} => {parent_tid=[10]}, 88) = 10',
  '10 1700000000.000009 prctl(PR_SET_NAME, "name") = 0',
  '10 1700000000.000010 execveat(3</memfd:evil>(deleted), "", ["memfdprog"], 0x0, AT_EMPTY_PATH <unfinished ...>',
  '8 1700000000.000011 +++ superseded by execve in pid 10 +++',
  '8 1700000000.000012 <... execveat resumed>) = 0',
  '8 1700000000.000013 unshare(CLONE_NEWNS|CLONE_NEWPID) = 0',
  '8 1700000000.000014 fork() = 11',
  '11 1700000000.000015 vfork( <unfinished ...>',
  '12 1700000000.000016 setresuid(1000, 1000, -1) = 0',
  '11 1700000000.000017 <... vfork resumed>) = 2',
  "11 1700000000.000018 fork() = 3 /* 13 in strace's PID NS */",
  '12 1700000000.000019 exit_group(3) = ?',
  '12 1700000000.000020 +++ exited with 3 +++',
  '[pid    13] 1700000000.000021 +++ killed by SIGSEGV (core dumped) +++',
  'strace: Process 14 attached',
  '[pid    14] 1700000000.000022 clone(child_stack=NULL, flags=SIGCHLDstrace: Process 15 attached',
  ', child_tidptr=0x7f) = 15',
  '1700000000.000023 kill(70, SIGKILL)   = ?',
  '7 1700000000.000024 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---',
  '7 1700000000.000025 read(3, "abc", 832) = 3',
];
const TOKENS = [
  ' <unfinished ...>',
  '<... ',
  ' resumed>',
  '"',
  '\\',
  '[',
  ']',
  ') = ',
  ' = ',
  '+++ ',
  '...',
  ', ',
  'flags=',
  '\n',
  '\0',
];

test('changed lines neither stop the decoder nor forge what the tree cannot take', () => {
  fuzz(
    () => CORPUS,
    TOKENS,
    (sink) => new StraceDecoder(sink),
  );
}, 600_000);

function decode(bytes: Buffer, cuts: readonly number[] = []) {
  const events: TaskEvent[] = [];
  const decoder = new StraceDecoder((event) => events.push(event));
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    decoder.push(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  decoder.push(bytes.subarray(from));
  decoder.end();
  return { events, rejected: { ...decoder.rejected } };
}

test('where the chunks are cut changes nothing', () => {
  const bytes = Buffer.from(CORPUS.join('\r\n'), 'latin1');
  const whole = decode(bytes);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
      expect(decode(bytes, cuts)).toEqual(whole);
    }),
  );
});

test('a line of 100 MB is dropped as it streams by, in little memory, and the next one is whole', () => {
  const events: TaskEvent[] = [];
  const decoder = new StraceDecoder((event) => events.push(event));
  const chunk = Buffer.alloc(1024 * 1024, '[');
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  decoder.push(Buffer.from('7 1700000000.000001 execve("/bin/sh", ['));
  for (let i = 0; i < 100; i++) {
    decoder.push(chunk);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  decoder.push(Buffer.from(`\n${CORPUS[0]}\n`));
  expect(peak - before).toBeLessThan(20 * 1024 * 1024);
  expect(decoder.rejected).toEqual({ 'line-too-long': 1 });
  expect(events.map(({ type }) => type)).toEqual(['clock', 'exec']);
});

test.each([
  ['brackets', '['.repeat(3e6)],
  ['quotes', '"'.repeat(3e6)],
  ['backslashes', '"\\'.repeat(1.5e6)],
  ['results', ') = '.repeat(75e4)],
  ['dots', '"..., '.repeat(5e5)],
  ['blanks', ' '.repeat(3e6)],
  ['flags', `flags=${'CLONE_VM|'.repeat(3e5)}`],
  ['attachments', 'Process 1 attached'.repeat(150_000)],
])('a line full of %s takes no time to speak of', (_what, text) => {
  const began = performance.now();
  for (const name of [
    'execve("',
    'execve("/a", [',
    'clone(',
    'prctl(PR_SET_NAME, "',
    'setns(',
    '+++ killed by ',
    '<... ',
  ]) {
    decode(Buffer.from(`7 1700000000.000001 ${name}${text}\n7 1700000000.000001 ${name}${text}) = 0\n`));
  }
  decode(Buffer.from(`${text}\n`));
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('calls that never end, of more tasks than there can be, are forgotten', () => {
  const decoder = new StraceDecoder(() => {});
  const args = 'x'.repeat(4000);
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  for (let tid = 1; tid <= 100_000; tid++) {
    decoder.push(Buffer.from(`${tid} 1700000000.000001 execve("${args}", <unfinished ...>\n`));
  }
  expect(process.memoryUsage.rss() - before).toBeLessThan(400 * 1024 * 1024);
  expect(decoder.rejected['unreadable-call']).toBeGreaterThan(1000);
  expect(decoder.notices.join(' ')).toMatch(/34464 tasks were forgotten/);
});
