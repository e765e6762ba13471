import type { TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AuditDecoder } from './audit-decoder.ts';

const T = '1700000000.123';

interface Call {
  readonly serial?: number;
  readonly time?: string;
  readonly arch?: string;
  readonly nr: number | string;
  readonly pid?: number;
  readonly ppid?: number;
  readonly more?: string;
}

/** A SYSCALL record as the kernel writes it, with what matters here. */
function call({ serial = 1, time = T, arch = 'c000003e', nr, pid = 10, ppid = 1, more = '' }: Call): string {
  return `type=SYSCALL msg=audit(${time}:${serial}): arch=${arch} syscall=${nr} success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=0 ppid=${ppid} pid=${pid} auid=0 uid=0 gid=0 euid=0 ses=1 comm="sh" exe="/bin/sh" key=(null)${more}`;
}

function execve(serial: number, body: string, time = T): string {
  return `type=EXECVE msg=audit(${time}:${serial}): ${body}`;
}

function decode(lines: readonly string[], isEnded = true) {
  const events: TaskEvent[] = [];
  const decoder = new AuditDecoder((event) => events.push(event));
  decoder.push(Buffer.from(`${lines.join('\n')}\n`, 'latin1'));
  if (isEnded) decoder.end();
  const of = <Type extends TaskEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<TaskEvent, { type: Type }> => event.type === type);
  return { events, of, decoder, rejected: decoder.rejected };
}

test('records of an event may come in any order, and between those of others', () => {
  const records = [
    call({ serial: 1, nr: 59 }),
    execve(1, 'argc=2 a0="first" a1=202020'),
    `type=CWD msg=audit(${T}:1): cwd="/one"`,
    call({ serial: 2, nr: 59, pid: 20 }),
    execve(2, 'argc=1 a0="second"'),
    `type=CWD msg=audit(${T}:2): cwd=2F74776F20`,
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(records, { minLength: records.length }), (lines) => {
      const told = decode(lines)
        .of('exec')
        .toSorted((a, b) => a.pid - b.pid);
      expect(told).toMatchObject([
        { at: told[0]?.at, pid: 10, argv: ['first', '   '], cwd: '/one' },
        { pid: 20, argv: ['second'], cwd: '/two ' },
      ]);
    }),
  );
});

test('an event is whole at its EOE, or when two seconds have passed, without waiting for the end of the feed', () => {
  const first = [call({ nr: 59 }), execve(1, 'argc=1 a0="a"')];
  const later = (ms: number) =>
    call({
      serial: 9,
      nr: 0,
      pid: 10,
      time: `17000000${String(ms).padStart(5, '0')}`.replace(/(\d{10})(\d{3})/, '$1.$2'),
    });
  expect(decode(first, false).of('exec')).toEqual([]);
  expect(decode([...first, `type=EOE msg=audit(${T}:1): `], false).of('exec')).toHaveLength(1);
  expect(decode([...first, later(2100)], false).of('exec')).toEqual([]);
  expect(decode([...first, later(2124)], false).of('exec')).toHaveLength(1);
});

test('what waits for the rest of its event is bounded, and given when there is too much of it', () => {
  const lines = Array.from({ length: 10_000 }, (_, i) => call({ serial: i + 1, nr: 59, pid: i + 1 }));
  const told = decode(lines, false).of('exec').length;
  expect(told).toBeGreaterThan(5000);
  expect(told).toBeLessThan(10_000);
});

test.each([
  ['x86_64', 'c000003e', 57],
  ['aarch64', 'c00000b7', 220],
  ['i386', '40000003', 2],
  ['an architecture whose names auditd adds', 'c00000f3', '220'],
])('a birth on %s is a process with creator', (_name, arch, nr) => {
  const birth = call({ arch, nr, more: '\u001dARCH=riscv64 SYSCALL=fork' }).replace('exit=0', 'exit=77');
  expect(decode([birth]).of('fork')).toMatchObject([{ tid: 77, pid: 77, creatorTid: 10, creatorPid: 10 }]);
});

test('the flags of clone say whether it is a thread', () => {
  const clone = (flags: string) => call({ nr: 56 }).replace('exit=0', 'exit=77').replace('a0=0', `a0=${flags}`);
  expect(decode([clone('1200011')]).of('fork')).toMatchObject([{ tid: 77, pid: 77 }]);
  expect(decode([clone('3d0f00')]).of('fork')).toMatchObject([{ tid: 77, pid: 10 }]);
  expect(decode([clone('ffffffff00010100')]).of('fork')).toMatchObject([{ tid: 77, pid: 10 }]);
});

test('a child of clone3 is a process as soon as it is heard of, before or after, and nothing as long as it is not', () => {
  const birth = call({ serial: 5, nr: 435 }).replace('exit=0', 'exit=77');
  const child = call({ serial: 4, nr: 59, pid: 77, ppid: 10 });
  const stranger = call({ serial: 4, nr: 59, pid: 77, ppid: 11 });
  const at = decode([birth, child]).of('fork');
  expect(at).toMatchObject([{ tid: 77, creatorTid: 10 }]);
  expect(decode([birth, call({ serial: 6, nr: 59, pid: 77, ppid: 10 })]).of('fork')).toEqual(at);
  for (const lines of [[birth], [birth, stranger], [stranger, birth]]) {
    const { of, rejected } = decode(lines);
    expect(of('fork')).toEqual([]);
    expect(rejected).toMatchObject({ 'birth-of-unknown-kind': 1 });
  }
});

test('of a process that never calls exec in the log it is said what it runs, once, and again when that is another', () => {
  const openat = (serial: number, comm: string, exe: string, more: Partial<Call> = {}) =>
    call({ serial, nr: 257, ...more })
      .replace('comm="sh"', `comm="${comm}"`)
      .replace('exe="/bin/sh"', `exe=${exe}`);
  const { of } = decode([
    openat(1, 'cron', '"/usr/sbin/cron"'),
    openat(2, 'cron', '"/usr/sbin/cron"'),
    call({ serial: 3, nr: 57 }).replace('exit=0', 'exit=77').replace('/bin/sh', '/usr/sbin/cron'),
    openat(4, 'cron', '"/usr/sbin/cron"', { pid: 77, ppid: 10 }), // as its creator
    openat(5, 'my job', '2F6F70742F6D79206A6F62', { pid: 77, ppid: 10 }), // an exec that no rule names
    call({ serial: 6, nr: 59, pid: 77, ppid: 10 }),
    openat(7, 'sh', '"/bin/sh"', { pid: 77, ppid: 10 }),
    openat(8, 'x', '(null)', { pid: 78, ppid: 10 }),
  ]);
  expect(of('program-seen')).toEqual([
    { type: 'program-seen', at: 0, pid: 10, executable: { path: '/usr/sbin/cron' } },
    { type: 'program-seen', at: 4, pid: 77, executable: { path: '/opt/my job' } },
  ]);
  expect(of('rename').map(({ tid, comm }) => [tid, comm])).toEqual([
    [10, 'cron'],
    [77, 'my job'],
    [78, 'x'],
  ]);
});

test('numbers of another pid namespace are not used', () => {
  const { of, rejected } = decode([
    call({ serial: 1, nr: 272 }).replace('a0=0', 'a0=20000000'),
    call({ serial: 2, nr: 57 }).replace('exit=0', 'exit=77'),
    call({ serial: 3, nr: 57, pid: 77, ppid: 10 }).replace('exit=0', 'exit=2'),
    call({ serial: 4, nr: 59, pid: 78, ppid: 77 }),
    call({ serial: 5, nr: 57, pid: 78, ppid: 77 }).replace('exit=0', 'exit=3'),
  ]);
  expect(of('fork').map(({ tid }) => tid)).toEqual([77]);
  expect(of('reparent')).toMatchObject([{ pid: 10 }, { pid: 78, parentPid: 77 }]);
  expect(rejected).toMatchObject({ 'birth-in-a-namespace': 2 });
});

test('exit_group ends a process with its code; exit ends a thread, and says not which', () => {
  const { of, rejected } = decode([
    call({ serial: 1, nr: 60 }),
    call({ serial: 2, nr: 57 }).replace('exit=0', 'exit=77'),
    call({ serial: 3, nr: 60, pid: 77, ppid: 10 }).replace('a0=0', 'a0=7'),
    call({ serial: 4, nr: 231 }).replace('success=yes exit=0 a0=0', 'a0=ffffffff'),
  ]);
  expect(of('exit')).toMatchObject([
    { tid: 77, code: 7 },
    { tid: 10, pid: 10, isGroupDead: true, code: 255 },
  ]);
  expect(rejected).toMatchObject({ 'exit-of-a-thread': 1 });
});

test('what a record says in passing is a sighting, told once', () => {
  const lines = [1, 2, 3].map((serial) => call({ serial, nr: 0 }));
  const { events } = decode([...lines, call({ serial: 4, nr: 0, ppid: 5 }).replace(' uid=0', ' uid=8')]);
  expect(events.slice(1)).toMatchObject([
    { type: 'reparent', pid: 10, parentPid: 1, authority: 1 },
    { type: 'program-seen', pid: 10, executable: { path: '/bin/sh' } },
    { type: 'rename', tid: 10, comm: 'sh', authority: 1 },
    { type: 'credentials', pid: 10, uid: 0, gid: 0, authority: 1 },
    { type: 'reparent', pid: 10, parentPid: 5, authority: 1 },
    { type: 'credentials', pid: 10, uid: 8, authority: 1 },
  ]);
});

test('a failed exec is none', () => {
  const { of } = decode([call({ nr: 59 }).replace('success=yes exit=0', 'success=no exit=-2')]);
  expect(of('exec')).toEqual([]);
});

test('arguments are told whole or not at all, and may come out of the title of a process', () => {
  const exec = (...more: string[]) => decode([call({ nr: 59 }), ...more]);
  const title = (text: string) =>
    `type=PROCTITLE msg=audit(${T}:1): proctitle=${Buffer.from(text).toString('hex').toUpperCase()}`;
  expect(exec(execve(1, 'argc=2 a0="a" a1_len=6 a1[0]="bcd" a1[1]="efg"')).of('exec')).toMatchObject([
    { argv: ['a', 'bcdefg'] },
  ]);
  expect(exec(execve(1, 'argc=2 a0="a"'), execve(1, 'a1="b"')).of('exec')).toMatchObject([{ argv: ['a', 'b'] }]);
  expect(exec(title('ls\0-l\0\0x')).of('exec')).toMatchObject([{ argv: ['ls', '-l', '', 'x'] }]);
  for (const { of, rejected } of [
    exec(),
    exec(execve(1, 'argc=3 a0="a" a2="c"')),
    exec(execve(1, 'argc=2 a0="a" a1_len=6 a1[1]="efg"')),
    exec(execve(1, 'argc=4294967295 a0="a"')),
    exec(title('x'.repeat(128))),
  ]) {
    expect(of('exec')[0]?.argv).toBeUndefined();
    expect(rejected).toMatchObject({ 'incomplete-arguments': 1 });
  }
});

test('a text that looks like fields is a text', () => {
  const forged = Buffer.from('x" pid=7 type=EXECVE\nq').toString('hex').toUpperCase();
  const { of } = decode([call({ nr: 59 }).replace('"sh"', forged), execve(1, 'argc=1 a0="a pid=7 b"')]);
  expect(of('exec')).toMatchObject([{ pid: 10, comm: 'x" pid=7 type=EXECVE\nq', argv: ['a pid=7 b'] }]);
});

test('records that auditd writes out for people are refused with what to do', () => {
  const { decoder } = decode([
    'type=SYSCALL msg=audit(11/14/23 22:13:20.123:1) : arch=x86_64 syscall=execve success=yes exit=0',
  ]);
  expect(decoder.rejected).toEqual({ interpreted: 1 });
  expect(decoder.refusal).toMatch(/ausearch --raw$/);
});

test('a log goes on for years, and the events of one of its milliseconds stay in their order', () => {
  // A quiet host: something once a month.
  const months = Array.from({ length: 12 * 9 }, (_, month) => 1_700_000_000 + month * 30 * 86_400);
  const names = ['zoo', 'yak', 'ant', 'elk', 'cat'];
  const lines = months.flatMap((at, month) =>
    names.map((name, i) =>
      call({ serial: 10 + month * 7 + i, time: `${at}.123`, nr: 59 }).replace('comm="sh"', `comm="${name}"`),
    ),
  );
  const { of, decoder } = decode(lines);
  expect(decoder.decoded).toBe(lines.length);
  expect(decoder.rejected).not.toHaveProperty('time-out-of-range');
  const execs = of('exec');
  expect(execs.map(({ comm }) => comm)).toEqual(months.flatMap(() => names));
  const times = execs.map(({ at }) => at);
  expect(new Set(times).size).toBe(times.length);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('what cannot be used is counted by reason', () => {
  const { rejected } = decode([
    'rubbish',
    `type=USER_LOGIN msg=audit(${T}:2): pid=1 uid=0 msg='op=login'`,
    execve(3, 'argc=1 a0="a"'),
    call({ serial: 4, nr: 0, pid: 9_999_999 }),
    call({ serial: 5, nr: 'x' }),
    call({ serial: 6, nr: 0, arch: 'c0000016' }),
    call({ serial: 7, nr: 57 }).replace('exit=0', 'exit=-1'),
    call({ serial: 8, nr: 0 }),
    call({ serial: 9, nr: 0, pid: 11 }).replace('1700000000', '1800000000'),
  ]);
  expect(rejected).toMatchObject({
    'not-audit': 1,
    'not-about-processes': 1,
    'incomplete-event': 1,
    'bad-field': 3,
    'unknown-architecture': 1,
  });
  expect(rejected['time-out-of-range']).toBeGreaterThan(0);
});
