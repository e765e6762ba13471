import { describe, expect, test } from 'vitest';
import { statusOf } from './messages.ts';
import { message, read } from './test-messages.ts';

describe('messages of the process connector', () => {
  test('every kind comes with its stamp and its ids', () => {
    const stamp = { cpu: 1, seq: 7, at: 5 };
    const of = (what: number, ...data: number[]) => read(message(what, data)).records[0];

    expect(of(1, 10, 9, 21, 20)).toEqual({ what: 'fork', ...stamp, parentTid: 10, parentPid: 9, tid: 21, pid: 20 });
    expect(of(2, 21, 20)).toEqual({ what: 'exec', ...stamp, tid: 21, pid: 20 });
    expect(of(4, 21, 20, 1000, 0)).toEqual({ what: 'uid', ...stamp, tid: 21, pid: 20, real: 1000, effective: 0 });
    expect(of(0x40, 21, 20, 5, 6)).toEqual({ what: 'gid', ...stamp, tid: 21, pid: 20, real: 5, effective: 6 });
    expect(of(0x80, 21, 20)).toEqual({ what: 'sid', ...stamp, tid: 21, pid: 20 });
    expect(of(0x100, 21, 20, 31, 30)).toEqual({
      what: 'ptrace',
      ...stamp,
      tid: 21,
      pid: 20,
      tracerTid: 31,
      tracerPid: 30,
    });
    expect(of(0x40000000, 21, 20, 9, 9)).toEqual({ what: 'coredump', ...stamp, tid: 21, pid: 20 });
    expect(of(0x80000000, 21, 20, 0x300, 17, 10, 9)).toEqual({
      what: 'exit',
      ...stamp,
      tid: 21,
      pid: 20,
      status: 0x300,
      exitSignal: 17,
      parentTid: 10,
      parentPid: 9,
    });
    expect(read(message(0, [1], { ack: 43 })).records).toEqual([{ what: 'ack', ...stamp, ack: 43, error: 1 }]);
  });

  test('a name is text up to its NUL, with what is no text escaped', () => {
    const bytes = message(0x200, [21, 20]);
    bytes.write('a\n\u00e9\xff\0rest', 60, 'latin1');
    expect(read(bytes).records).toMatchObject([{ what: 'comm', tid: 21, comm: 'a\n\\xe9\\xff' }]);
  });

  test('a time is read to the nanosecond, past 2^53 too', () => {
    const { records } = read(message(2, [21, 20], { ns: 2n ** 50n + 3n }));
    expect(records[0]?.at).toBe(2 ** 50 + 3);
  });

  test('a thread that ends tells no signal, which is -1', () => {
    expect(read(message(0x80000000, [21, 20, 0, -1, 0, 0])).records).toMatchObject([{ exitSignal: -1 }]);
  });

  test('several messages in one datagram are all read', () => {
    const both = Buffer.concat([message(2, [21, 21]), message(0x80, [22, 22])]);
    expect(read(both).records.map(({ what }) => what)).toEqual(['exec', 'sid']);
  });

  test('what is no such message is rejected by reason', () => {
    const other = message(2, [21, 21]);
    other.writeUInt32LE(4, 16);
    const short = message(1, [9, 9, 21, 21]);
    short.writeUInt16LE(20, 32);

    expect(read(message(2, [21, 21]), 60)).toEqual({ records: [], problems: ['truncated-message'] });
    expect(read(Buffer.alloc(0))).toEqual({ records: [], problems: [] });
    expect(read(Buffer.alloc(16)).problems).toEqual(['truncated-message']);
    expect(read(other).problems).toEqual(['foreign-message']);
    expect(read(short).problems).toEqual(['truncated-message']);
    expect(read(message(8, [21, 21])).problems).toEqual(['unknown-message']);
    expect(read(message(2, [0, 21])).problems).toEqual(['malformed-message']);
    expect(read(message(1, [2 ** 31, 9, 21, 21])).problems).toEqual(['malformed-message']);
    expect(read(message(2, [21, 21], { cpu: 2 ** 20 })).problems).toEqual(['malformed-message']);
  });

  test('a status word is a code or a signal, with or without core, or neither', () => {
    expect(statusOf(0)).toEqual({ code: 0, signal: undefined });
    expect(statusOf(0xff00)).toEqual({ code: 255, signal: undefined });
    expect(statusOf(9)).toEqual({ code: undefined, signal: 9 });
    expect(statusOf(0x80 | 11)).toEqual({ code: undefined, signal: 11 });
    expect(statusOf(64)).toEqual({ code: undefined, signal: 64 });
    expect(statusOf(0xffff_fffc)).toEqual({ code: undefined, signal: undefined });
    expect(statusOf(0x7f)).toEqual({ code: undefined, signal: undefined });
  });
});
