// The quick way against the plain one: whatever a line is, the scanner says what
// decode.ts says of the parsed line, or that it is not sure.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { TaskEvent, TimeBase } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contextOf } from './context.ts';
import { decodeEvent, lifecycleEvent } from './decode.ts';
import { parseExactJson } from './exact-json.ts';
import { Rejection } from './fields.ts';
import { LineScanner } from './line-scanner.ts';
import { SplitBase } from './time-reader.ts';
import { TraceeDecoder } from './tracee-decoder.ts';

const VECTORS = join(import.meta.dirname, '../../../testkit/vectors/tracee');
const LINES = readdirSync(VECTORS).flatMap((file) => readFileSync(join(VECTORS, file), 'utf8').trim().split('\n'));
const BASE: TimeBase = { epochNs: 1_700_000_000_000_000_000n };

/** The events, or why there are none. */
type Said = readonly TaskEvent[] | string;

function plainly(line: Buffer, base: TimeBase): Said {
  try {
    const event = lifecycleEvent(parseExactJson(line.toString()));
    return typeof event === 'string' ? event : decodeEvent(contextOf(event), base);
  } catch (thrown) {
    return thrown instanceof Rejection ? thrown.reason : 'not-json';
  }
}

function quickly(scanner: LineScanner, line: Buffer, base: TimeBase): Said {
  // Another line stands around it, as in a chunk: the scanner must not read on.
  const chunk = Buffer.concat([Buffer.from('{"a":"'), line, Buffer.from('\n0123456789"}}]')]);
  const outcome = scanner.scan(chunk, 6, 6 + line.length, new SplitBase(base));
  if (outcome !== 'read') return outcome;
  return [scanner.first, scanner.second].filter((event) => event !== undefined);
}

/** @returns whether the scanner was sure */
function compare(scanner: LineScanner, line: Buffer, base = BASE): boolean {
  const quick = quickly(scanner, line, base);
  if (quick === 'unsure') return false;
  const plain = plainly(line, base);
  // What comes behind the name of an event that is not needed is not looked at: it may be no JSON at all, or another name.
  if (quick === 'other') {
    if (namesIn(line.toString()).length < 2) expect(plain).toBeOneOf(['not-a-lifecycle-event', 'not-json']);
  } else expect(quick as unknown).toStrictEqual(plain);
  return true;
}

/** Every key by which a line of JSON names its event, or may name it, where the key is escaped. */
function namesIn(text: string): string[] {
  const names: string[] = [];
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && token.endsWith(':')) names.push(token.slice(0, -1).trim());
  }
  return names.filter((key) => /^"(?:eventN|n)ame"$/.test(key) || key.includes('\\'));
}

/** A scanner that has met such lines before. */
function scannerOf(lines: readonly string[]): LineScanner {
  const scanner = new LineScanner();
  for (const line of lines) scanner.scan(Buffer.from(line), 0, Buffer.byteLength(line), new SplitBase(BASE));
  return scanner;
}

const SCANNER = scannerOf(LINES);

test('the lines of the vectors are read the quick way, and as the plain way reads them', () => {
  const sure = LINES.filter((line) => compare(SCANNER, Buffer.from(line)));
  expect(sure.length).toBeGreaterThanOrEqual(LINES.length * 0.95);
});

test('a decoder reads nearly all of what Tracee writes the quick way', () => {
  const decoder = new TraceeDecoder(() => {}, { base: BASE });
  decoder.push(Buffer.from(`${LINES.join('\n')}\n`));
  expect(decoder).toMatchObject({ lines: LINES.length, decoded: LINES.length, rejected: {} });
  expect(decoder.scanned).toBeGreaterThanOrEqual(LINES.length * 0.95);
});

test('a decoder and the plain way give the same events in the same order', () => {
  const events: TaskEvent[] = [];
  const decoder = new TraceeDecoder((event) => events.push(event), { base: BASE });
  decoder.push(Buffer.from(LINES.map((line) => `${line}\r\n`).join('')));
  expect(events as unknown[]).toStrictEqual(LINES.flatMap((line): unknown => plainly(Buffer.from(line), BASE)));
});

// JSON as a tree in which everything can be exchanged: keys twice, numbers as they are written.
type Node = { readonly raw: string } | { readonly keys: [string, Node][] } | { readonly items: Node[] };

function nodeOf(value: unknown): Node {
  if (Array.isArray(value)) return { items: value.map(nodeOf) };
  if (typeof value !== 'object' || value === null) return { raw: JSON.stringify(value) };
  if ('bare' in value) return { raw: String(value.bare) };
  return { keys: Object.entries(value).map(([key, inner]) => [key, nodeOf(inner)]) };
}

function treeOf(line: string): Node {
  const bare = (_key: string, value: unknown, { source }: { readonly source?: string }) =>
    typeof value === 'number' ? { bare: source } : value;
  return nodeOf(JSON.parse(line, bare as (key: string, value: unknown) => unknown));
}

function write(node: Node, blank: () => string): string {
  if ('raw' in node) return `${blank()}${node.raw}${blank()}`;
  if ('items' in node) return `${blank()}[${node.items.map((item) => write(item, blank)).join(',')}]${blank()}`;
  return `${blank()}{${node.keys.map(([key, value]) => `${blank()}"${key}"${blank()}:${write(value, blank)}`).join(',')}}${blank()}`;
}

function nodesIn(node: Node): Node[] {
  if ('raw' in node) return [node];
  const inner = 'items' in node ? node.items : node.keys.map(([, value]) => value);
  return [node, ...inner.flatMap(nodesIn)];
}

const hostile = fc.oneof(
  fc.constantFrom(
    ...['null', 'true', 'false', '0', '-0', '00', '01', '-1', '1.5', '1e3', '4194304', '4194305', '4294967295'],
    ...['4294967296', '9007199254740992', '999999999999999', '18446744073709551615', '18446744073709551616'],
    ...['1700000000000000000', '9223372036854775807', '99999999999999999999', '-12345678901234567890', '{"id":null}'],
    ...['""', '"null"', '"0"', '"007"', '"18446744073709551616"', '"1700000000000000000"', '"17000000000000000001"'],
    ...[
      '[]',
      '{}',
      '[[]]',
      '["a"]',
      '[1]',
      '["a",]',
      '["a" ]',
      '{"value":["a","b"]}',
      '{"value":[]}',
      '{"value":null}',
    ],
    ...['{"a":}', '{"a":{"b":[1,{"c":"d"}]}}', '{"a":1,}', '{,}', '[1,2.5,-3e-7,true,"x"]', '{"host_pid":1}', '[{}]'],
    ...['"2023-11-14T22:13:25+02:00"', '"2023-11-14T22:13:25-00:00"', '"2023-11-14T22:13:25-23:59"'],
    ...['"2023-02-30T00:00:00Z"', '"2024-02-29T00:00:00Z"', '"2023-11-31T00:00:00Z"', '"2023-11-14T24:00:00Z"'],
    ...['"2023-11-14T22:13:60Z"', '"2023-11-14T22:13:25.123456789Z"', '"2023-11-14T22:13:25.1234567890Z"'],
    ...['"2023-11-14T22:13:25.Z"', '"2023-11-14 22:13:25Z"', '"2023-11-14t22:13:25z"', '"2023-11-14T22:13:25"'],
    ...['"1970-01-01T00:00:00Z"', '"1969-12-31T23:59:59.9Z"', '"2013-12-01T00:00:00Z"', '"2040-01-01T00:00:00Z"'],
    ...[
      '"\\u0000"',
      '"\\ud800"',
      '"na\u00efve \u2713"',
      '"a\\"b\\\\"',
      '"\\/"',
      '"\\x"',
      '"\\u12g4"',
      '"\u007f"',
      '"\t"',
    ],
    ...['"sched_process_exit"', '"task_rename"', '"prctl"', '"\\u0073ched_process_fork"', '"other"', 'nul', 'tru', '"'],
  ),
  fc.string({ unit: 'binary', maxLength: 80 }).map((text) => JSON.stringify(text)),
  fc.string({ minLength: 1, maxLength: 120 }).map((text) => JSON.stringify(text)),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 65n }).map(String),
  fc.nat(5_000_000).map(String),
  fc.date({ noInvalidDate: true }).map((date) => JSON.stringify(date)),
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
);

type Change = (node: Node, pick: number, raw: string) => void;
const change = fc.constantFrom<Change>(
  // Another value, for an object or a list a value in it.
  (node, _pick, raw) => {
    if ('raw' in node) Object.assign(node, { raw });
  },
  (node, pick, raw) => {
    if ('items' in node && node.items.length > 0) node.items[pick % node.items.length] = { raw };
    if ('keys' in node && node.keys.length > 0) node.keys[pick % node.keys.length]![1] = { raw };
  },
  // One left out.
  (node, pick) => {
    if ('items' in node) node.items.splice(pick % (node.items.length + 1), 1);
    if ('keys' in node) node.keys.splice(pick % (node.keys.length + 1), 1);
  },
  // Another order.
  (node, pick) => {
    const list: unknown[] = 'items' in node ? node.items : 'keys' in node ? node.keys : [];
    list.push(...list.splice(0, pick % (list.length + 1)));
  },
  (node) => {
    if ('items' in node) node.items.reverse();
    if ('keys' in node) node.keys.reverse();
  },
  // One twice, the second time with another value.
  (node, pick, raw) => {
    if ('items' in node && node.items.length > 0) node.items.push(node.items[pick % node.items.length]!);
    if ('keys' in node && node.keys.length > 0) node.keys.push([node.keys[pick % node.keys.length]![0], { raw }]);
  },
  // One more, with a name from elsewhere.
  (node, pick, raw) => {
    const names = ['data', 'args', 'container', 'hostProcessId', 'workload', 'x', '\\u0061rgs', 'a b', '\u00e9', ''];
    if ('keys' in node) node.keys.splice(pick % (node.keys.length + 1), 0, [names[pick % names.length]!, { raw }]);
  },
);

const mutant = fc
  .tuple(
    fc.nat(LINES.length - 1),
    fc.array(fc.tuple(change, fc.nat(), fc.nat(), hostile), { maxLength: 3 }),
    fc.oneof({ weight: 4, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(' ', '\t') }),
    fc.nat(400),
  )
  .map(([which, changes, blank, where]) => {
    const tree = treeOf(LINES[which]!);
    for (const [apply, at, pick, raw] of changes) {
      const nodes = nodesIn(tree);
      apply(nodes[at % nodes.length]!, pick, raw);
    }
    let blanks = 0;
    return Buffer.from(write(tree, () => (blanks++ === where ? blank : '')));
  });

const base = fc.oneof(
  fc.constant(BASE),
  fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }).map((distance) => ({ epochNs: BASE.epochNs + distance })),
  fc.constantFrom(0n, 1n, 1_700_000_005_000_120_000n).map((epochNs) => ({ epochNs })),
);

test('other values, other orders, blanks, escapes and keys twice change nothing between the two ways', () => {
  let sure = 0;
  let read = 0;
  fc.assert(
    fc.property(mutant, base, fc.boolean(), (line, of, isFresh) => {
      const scanner = isFresh ? new LineScanner() : SCANNER;
      const [first, again] = [compare(scanner, line, of), compare(scanner, line, of)];
      // What was not sure at first can be sure later: see "a line that is not sure for what was learned before it".
      if (first) expect(again).toBe(true);
      if (first) sure++;
      if (first && typeof plainly(line, of) !== 'string') read++;
    }),
    { numRuns: 20_000 },
  );
  // Of what was tried a good deal must be the quick way, or nothing was compared.
  expect(read).toBeGreaterThan(2000);
  expect(sure).toBeGreaterThan(4000);
}, 60_000);

test('the first name of an event counts where there are two, and the rest of the line does not', () => {
  // Tracee names no event twice. By JSON the second one would count.
  const line = Buffer.from(LINES.find((text) => text.startsWith('{"timestamp"') && text.includes('"eventName"'))!);
  const twice = Buffer.from(line.toString().replace('{', '{"eventName":"security_file_open",'));
  expect(plainly(twice, BASE)).toEqual(plainly(line, BASE));
  expect(quickly(new LineScanner(), twice, BASE)).toBe('other');
});

test('a line that is not sure for what was learned before it is sure when shapes have become too many', () => {
  // Steps of one length are tried in the order in which they were learned, and none is taken back: of 1.5 the integer
  // 1 is read, and no line went on with a point. Only among shapes that are learned anew is there none of that kind.
  const exit = LINES.find((text) => text.includes('"sched_process_exit"'))!;
  const line = (more: string) => Buffer.from(exit.replace('{', `{"x":{${more}},`));
  const scanner = new LineScanner();
  const isSure = (more: string) => compare(scanner, line(more));
  expect(isSure('"a":1')).toBe(true);
  expect([isSure('"a":1.5'), isSure('"a":1.5')]).toEqual([false, false]);
  for (let i = 10; i < 39; i++) expect(isSure(`"key${i}":1`)).toBe(true);
  expect([isSure('"b":1'), isSure('"b":1.5'), isSure('"b":1.5')]).toEqual([true, false, true]);
});

const damage = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(2100), bytes: fc.constant(Buffer.of()) }),
  fc.record({
    kind: fc.constantFrom('replace' as const, 'insert' as const, 'remove' as const),
    at: fc.nat(2100),
    bytes: fc.oneof(
      fc.nat(255).map((byte) => Buffer.of(byte)),
      fc.constantFrom(...'{}[]",:\\0-.e').map((text) => Buffer.from(text)),
      fc.constantFrom('"}', '}}', '}]}', '":"', '\\"', '\\u00', 'null', '\u00e9').map((text) => Buffer.from(text)),
    ),
  }),
);

test('lines that are cut off or damaged are read as the plain way reads them, or refused by both', () => {
  fc.assert(
    fc.property(fc.constantFrom(...LINES), fc.array(damage, { minLength: 1, maxLength: 3 }), (text, damages) => {
      let line = Buffer.from(text);
      for (const { kind, at, bytes } of damages) {
        const where = Math.min(at, line.length);
        const rest = line.subarray(kind === 'insert' ? where : where + 1);
        line = Buffer.concat([line.subarray(0, where), bytes, kind === 'cut' ? Buffer.of() : rest]);
      }
      if (!line.includes(10)) compare(SCANNER, line);
    }),
    { numRuns: 20_000 },
  );
}, 60_000);

test('no byte of the structure of a line can be another one', () => {
  for (const text of LINES) {
    const line = Buffer.from(text);
    for (const [at, byte] of line.entries()) {
      if (!'{}[]":,'.includes(String.fromCharCode(byte))) continue;
      for (const other of '{}[]":,') {
        line.write(other, at, 'latin1');
        compare(SCANNER, line);
      }
      line[at] = byte;
    }
  }
});

test('a line that is cut off anywhere gives no event, not even where a brace is the last of it', () => {
  for (const text of LINES) {
    const line = Buffer.from(text);
    for (let end = 0; end < line.length; end++) {
      expect(quickly(SCANNER, line.subarray(0, end), BASE)).toBe('unsure');
    }
  }
});

test('an event that is not needed is passed over by its name, but not when it is cut off', () => {
  const other = Buffer.from(LINES[0]!.replace('sched_process_fork', 'security_file_open'));
  expect(quickly(SCANNER, other, BASE)).toBe('other');
  expect(quickly(SCANNER, other.subarray(0, -1), BASE)).toBe('unsure');
});

const collectGarbage = () => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
};

test('ever new keys are learned in bounded memory, and what Tracee writes is quick again afterwards', () => {
  const scanner = new LineScanner();
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 20_000; i++) {
    compare(
      scanner,
      Buffer.from(`{"key${i}":1,"eventName":"sched_process_exit","args":[{"name":"a${i}","type":"b","value":1}]}`),
    );
  }
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 1024 * 1024);
  for (const line of LINES) expect(compare(scanner, Buffer.from(line))).toBe(true);
});
