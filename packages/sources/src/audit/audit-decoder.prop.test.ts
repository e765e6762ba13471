import type { TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fuzz } from '../input/test-mutations.ts';
import { AuditDecoder } from './audit-decoder.ts';

const call = (serial: number, nr: number, more: string) =>
  `type=SYSCALL msg=audit(1700000000.${100 + serial}:${serial}): arch=c000003e syscall=${nr} success=yes ${more} auid=0 uid=0 gid=0 euid=0 tty=pts0 ses=1 comm="sh" exe="/bin/sh" subj=unconfined key=(null)\u001dARCH=x86_64 SYSCALL=x AUID="root"`;
const of = (type: string, serial: number, body: string) =>
  `type=${type} msg=audit(1700000000.${100 + serial}:${serial}): ${body}`;

const CORPUS = [
  call(1, 56, 'exit=20 a0=1200011 a1=0 a2=0 a3=0 items=0 ppid=1 pid=10'),
  call(2, 59, 'exit=0 a0=1 a1=2 a2=3 a3=4 items=2 ppid=10 pid=20'),
  of('EXECVE', 2, 'argc=3 a0="ls" a1=2D6C20 a2_len=6 a2[0]="abc" a2[1]="def"'),
  of('CWD', 2, 'cwd="/root"'),
  of(
    'PATH',
    2,
    'item=0 name="/bin/ls" inode=131 dev=fd:00 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0',
  ),
  of('PATH', 2, 'item=1 name="/lib64/ld-linux-x86-64.so.2" inode=132 dev=fd:00 mode=0100755 nametype=NORMAL'),
  of('PROCTITLE', 2, 'proctitle=6C73002D6C'),
  of('EOE', 2, ''),
  call(3, 435, 'exit=21 a0=7ffd a1=58 a2=0 a3=0 items=0 ppid=1 pid=10'),
  call(4, 59, 'exit=0 a0=1 a1=2 a2=3 a3=4 items=2 ppid=10 pid=21'),
  call(5, 117, 'exit=0 a0=3e8 a1=3e8 a2=3e8 a3=0 items=0 ppid=10 pid=21'),
  call(6, 157, 'exit=0 a0=f a1=0 a2=0 a3=0 items=0 ppid=10 pid=21'),
  call(7, 272, 'exit=0 a0=20000000 a1=0 a2=0 a3=0 items=0 ppid=10 pid=21'),
  call(8, 57, 'exit=22 a0=0 a1=0 a2=0 a3=0 items=0 ppid=10 pid=21'),
  call(9, 60, 'a0=0 a1=0 a2=0 a3=0 items=0 ppid=10 pid=21'),
  call(10, 231, 'a0=1 a1=0 a2=0 a3=0 items=0 ppid=10 pid=21'),
  of('ANOM_ABEND', 11, 'auid=0 uid=0 gid=0 ses=1 pid=20 comm="ls" exe="/bin/ls" sig=11 res=1'),
  of('USER_LOGIN', 12, "pid=2050 uid=0 auid=1000 ses=4 msg='op=login id=1000 res=success'"),
  `node=other ${of('SYSCALL', 13, 'arch=c000003e syscall=59 ppid=1 pid=5')}`,
  '----',
  'time->Tue Nov 14 22:13:20 2023',
];
const TOKENS = [
  '"',
  '=',
  ' ',
  '\u001d',
  'a0=',
  'a1[0]=',
  'a1_len=',
  'argc=',
  'pid=',
  'type=',
  'msg=audit(',
  '):',
  'node=x ',
  '\n',
  '\0',
];

/** The same half a second later, under other serials. */
function inRound(round: number): readonly string[] {
  return CORPUS.map((line) =>
    line.replace(/audit\(1700000000\.(\d+):(\d+)\)/, (_, ms: string, serial: string) => {
      const time = 1_700_000_000_000 + Number(ms) + round * 500;
      return `audit(${Math.trunc(time / 1000)}.${String(time % 1000).padStart(3, '0')}:${Number(serial) + round * 20})`;
    }),
  );
}

test('changed lines neither stop the decoder nor forge what the tree cannot take', () => {
  fuzz(inRound, TOKENS, (sink) => new AuditDecoder(sink));
}, 600_000);

function decode(bytes: Buffer, cuts: readonly number[] = []) {
  const events: TaskEvent[] = [];
  const decoder = new AuditDecoder((event) => events.push(event));
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    decoder.push(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  decoder.push(bytes.subarray(from));
  decoder.end();
  return { events, rejected: { ...decoder.rejected }, lines: decoder.lines, records: decoder.records };
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

test('every line is a record or is counted', () => {
  const line = fc.oneof(
    fc.constantFrom(...CORPUS),
    fc.string({ unit: 'binary-ascii' }).map((text) => text.replaceAll(/[\r\n]/g, ' ')),
  );
  const OF_LINES = ['not-audit', 'interpreted', 'not-about-processes', 'other-host'];
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const { rejected, records, lines: counted } = decode(Buffer.from(lines.join('\n'), 'latin1'));
      const dropped = OF_LINES.reduce((sum, reason) => sum + (rejected[reason] ?? 0), 0);
      expect(records + dropped).toBe(counted);
      expect(counted).toBe(lines.filter((text) => text !== '' && text !== '----' && !text.startsWith('time->')).length);
    }),
  );
});

test('a line of 100 MB is dropped as it streams by, in little memory, and the next one is whole', () => {
  const events: TaskEvent[] = [];
  const decoder = new AuditDecoder((event) => events.push(event));
  const chunk = Buffer.alloc(1024 * 1024, 'a0="x" ');
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  decoder.push(Buffer.from(of('EXECVE', 2, 'argc=3 ')));
  for (let i = 0; i < 100; i++) {
    decoder.push(chunk);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  decoder.push(Buffer.from(`\n${CORPUS[9]}\n`));
  decoder.end();
  expect(peak - before).toBeLessThan(20 * 1024 * 1024);
  expect(decoder.rejected).toMatchObject({ 'line-too-long': 1 });
  expect(events.map(({ type }) => type)).toContain('exec');
});

test.each([
  ['equals signs', '='.repeat(9e5)],
  ['words', 'a '.repeat(4e5)],
  ['fields', Array.from({ length: 90_000 }, (_, i) => `a${i}=41`).join(' ')],
  ['one field', 'a0=41 '.repeat(150_000)],
  ['parts', Array.from({ length: 90_000 }, (_, i) => `a0[${i}]=41`).join(' ')],
  ['quotes', '"'.repeat(9e5)],
])('a line full of %s takes no time to speak of', (_what, text) => {
  const began = performance.now();
  for (const type of ['SYSCALL', 'EXECVE', 'PATH', 'PROCTITLE', 'ANOM_ABEND']) {
    decode(Buffer.from(`${CORPUS[9]}\n${of(type, 4, text)}\n${of('EXECVE', 4, 'argc=90000')}\n`, 'latin1'));
  }
  decode(Buffer.from(`${text}\n`));
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('records that wait for the rest of an event that never comes are bounded', () => {
  const decoder = new AuditDecoder(() => {});
  const part = `a0="${'x'.repeat(7000)}"`;
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 30_000; i++) decoder.push(Buffer.from(`${of('EXECVE', i % 2 === 0 ? 2 : i % 800, part)}\n`));
  expect(process.memoryUsage.rss() - before).toBeLessThan(300 * 1024 * 1024);
  expect(decoder.rejected['incomplete-event']).toBeGreaterThan(100);
});
