import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fuzz } from '../input/test-mutations.ts';
import { parseExactJson } from './exact-json.ts';
import { TraceeDecoder } from './tracee-decoder.ts';

const LINE =
  '{"timestamp":1700000005000120000,"threadStartTime":1700000000000000000,"processId":10,"threadId":10,"hostProcessId":100,"hostThreadId":100,"hostParentProcessId":1,"userId":0,"processName":"bash","container":{},"eventName":"sched_process_fork","args":[{"name":"parent_tid","value":100},{"name":"parent_pid","value":100},{"name":"child_tid","value":200},{"name":"child_pid","value":200},{"name":"start_time","value":1700000005000000001}]}';

function decode(bytes: Uint8Array, cuts: readonly number[] = [], maxLine?: number) {
  const events: TaskEvent[] = [];
  const decoder = new TraceeDecoder((event) => events.push(event), { maxLineBytes: maxLine });
  let from = 0;
  for (const cut of [...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)) {
    decoder.push(bytes.subarray(from, cut));
    from = cut;
  }
  decoder.push(bytes.subarray(from));
  decoder.end();
  const rejected = Object.values(decoder.rejected).reduce((sum, times) => sum + times, 0);
  return { events, decoder, rejected };
}

test('every line is decoded or counted, whatever it holds, and nothing is thrown', () => {
  const hostile = fc.oneof(
    fc.constantFrom(
      '__proto__',
      'constructor',
      -1,
      1.5,
      1e300,
      2 ** 53,
      null,
      true,
      '',
      'text',
      '99999999999999999999',
    ),
    fc.anything({ maxDepth: 2 }),
  );
  const line = fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ' ')),
    fc.json(),
    // A good line with one value exchanged for something else.
    fc.tuple(fc.nat(30), hostile).map(([which, value]) => {
      const event = JSON.parse(LINE.replace(/\d{16,}/g, '"$&"')) as Record<string, unknown>;
      const keys = Object.keys(event);
      const args = event['args'] as { value: unknown }[];
      if (which < keys.length) event[keys[which] ?? ''] = value;
      else args[which % args.length] = { ...args[which % args.length], value };
      return JSON.stringify(event);
    }),
    fc.nat(LINE.length).map((length) => LINE.slice(0, length)),
    fc.constant(LINE),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(5000), { maxLength: 5 }), (lines, cuts) => {
      const { decoder, rejected } = decode(Buffer.from(lines.join('\n')), cuts);
      const expected = lines.filter((text) => Buffer.from(text).toString().replace(/\r$/, '') !== '').length;
      expect(decoder.lines).toBe(expected);
      expect(decoder.decoded + rejected).toBe(expected);
    }),
    { numRuns: 1000 },
  );
});

test('where the chunks are cut changes nothing', () => {
  const bytes = Buffer.from(`${LINE}\r\nrubbish\n\n${LINE.replace('200', '201')}\n{"name":"naïve"}`);
  const whole = decode(bytes);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
      const { events, decoder } = decode(bytes, cuts);
      expect(events).toEqual(whole.events);
      expect(decoder.rejected).toEqual({ 'not-json': 1, 'not-a-lifecycle-event': 1 });
    }),
  );
});

test('a line of 100 MB is dropped as it streams by, in little memory, and the next one is whole', () => {
  const events: TaskEvent[] = [];
  const decoder = new TraceeDecoder((event) => events.push(event));
  const chunk = Buffer.alloc(1024 * 1024, 'a');
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  for (let i = 0; i < 100; i++) {
    decoder.push(chunk);
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  decoder.push(Buffer.from(`\n${LINE}\n`));
  expect(peak - before).toBeLessThan(20 * 1024 * 1024);
  expect(decoder.rejected).toEqual({ 'line-too-long': 1 });
  expect(events.map((event) => event.type)).toEqual(['clock', 'observe', 'fork']);
});

test('a nest of a hundred thousand brackets does no harm', () => {
  const { decoder } = decode(Buffer.from(`${'['.repeat(1e5)}\n${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}\n${LINE}\n`));
  expect(decoder).toMatchObject({ lines: 3, decoded: 1 });
});

test('integers of 64 bits stay exact, and nothing else changes', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }).map((n) => ({ bare: n })),
      fc.string({ unit: 'binary' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(true, false, null, '1234567890123456789', '\\"12345678901234567890'),
      fc.array(tie('any'), { maxLength: 3 }),
    ),
  })).any;
  const write = (one: unknown): string => {
    if (Array.isArray(one)) return `[${one.map(write).join(',')}]`;
    if (typeof one === 'object' && one !== null && 'bare' in one) return String(one.bare);
    return JSON.stringify(one);
  };
  fc.assert(
    fc.property(value, (one) => {
      const text = write(one);
      // The slow and sure way: the source text of each number.
      const exact = JSON.parse(text, exactReviver as (key: string, value: unknown) => unknown);
      expect(parseExactJson(text)).toEqual(exact);
    }),
    { numRuns: 1000 },
  );
});

function exactReviver(_key: string, read: unknown, { source }: { readonly source?: string }): unknown {
  return typeof read === 'number' && source !== undefined && /^-?\d{16,}$/.test(source) ? source : read;
}

test('changed lines of every kind neither stop the decoder nor forge what the tree cannot take', () => {
  const folder = join(import.meta.dirname, '../../../testkit/vectors/tracee');
  const corpus = readdirSync(folder)
    .filter((name) => name.endsWith('.ndjson'))
    .flatMap((name) => readFileSync(join(folder, name), 'latin1').split('\n'))
    .filter((line) => line !== '');
  const tokens = [
    '"',
    '\\u0000',
    '\\ud800',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    'null',
    '-',
    'e9',
    '"value":',
    '"name":',
    '__proto__',
  ];
  fuzz(
    () => corpus,
    tokens,
    (sink) => new TraceeDecoder(sink),
  );
}, 600_000);
