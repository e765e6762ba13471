// The fast reader against the full one: the same events, the same refusals, or
// none of its business.

import { readFileSync } from 'node:fs';
import type { TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEvent, lifecycleEvent, tell } from './decode.ts';
import { parseExactJson } from './exact-json.ts';
import { Rejection } from './fields.ts';
import { Scanner } from './scan.ts';

const BASE = { epochNs: 1_700_000_000_123_456_789n };
const VECTORS = new URL('../../../testkit/vectors/tracee/', import.meta.url);
const LINES = ['legacy', 'legacy-threads', 'v1beta1', 'v1beta1-threads'].flatMap((name) =>
  readFileSync(new URL(`${name}.ndjson`, VECTORS), 'utf8')
    .trim()
    .split('\n'),
);
const NOT_MINE = 'left to the full reader';

/** Events, or the reason why there are none. */
type Outcome = readonly TaskEvent[] | string;

function tellAll(give: (sink: (event: TaskEvent) => void) => void): Outcome {
  const events: TaskEvent[] = [];
  try {
    give((event) => events.push(event));
  } catch (thrown) {
    if (thrown instanceof Rejection) return thrown.reason;
    throw thrown;
  }
  return events;
}

function full(line: Uint8Array): Outcome {
  let event: ReturnType<typeof lifecycleEvent>;
  try {
    event = lifecycleEvent(parseExactJson(Buffer.from(line).toString('utf8')));
  } catch {
    return 'not-json';
  }
  return typeof event === 'string' ? event : tellAll((sink) => decodeEvent(event, BASE, sink));
}

const scanner = new Scanner();

/** The line stands between others, as it does in a chunk. */
function fast(line: Uint8Array, after = '\n{"timestamp":1,"eventName":"open","x":"'): Outcome {
  const before = Buffer.from('}\n');
  const bytes = Buffer.concat([before, line, Buffer.from(after)]);
  const context = scanner.scan(bytes, before.length, before.length + line.length, BASE);
  if (context === undefined) return NOT_MINE;
  return context === 'not-a-lifecycle-event' ? context : tellAll((sink) => tell(context, sink));
}

describe('of the lines of Tracee', () => {
  test('all are read by the fast reader, to the same events', () => {
    const mine = LINES.filter((line) => fast(Buffer.from(line)) !== NOT_MINE);
    for (const line of mine) expect(fast(Buffer.from(line))).toEqual(full(Buffer.from(line)));
    expect(mine.length).toBe(LINES.length);
  });

  test('those with a space after each colon and comma too', () => {
    for (const line of LINES) {
      if (fast(Buffer.from(line)) === NOT_MINE) continue;
      const spaced = Buffer.from(spread(JSON.parse(line, keepLong as never)));
      expect([line, fast(spaced)]).toEqual([line, full(spaced)]);
    }
  });
});

const LONG = '\u0001long:';
/** Keeps 64-bit numbers as they are: JSON.parse would round them. */
function keepLong(_key: string, value: unknown, { source }: { source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && source.length > 15 ? `${LONG}${source}` : value;
}

function write(value: unknown): string {
  return JSON.stringify(value).replace(/"\\u0001long:(\d+)"/g, '$1');
}

/** JSON as some writers space it: `{"a": 1, "b": [2, 3]}`. */
function spread(value: unknown): string {
  if (typeof value === 'string' && value.startsWith(LONG)) return value.slice(LONG.length);
  if (Array.isArray(value)) return `[${value.map(spread).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, one]) => `${JSON.stringify(key)}: ${spread(one)}`)
    .join(', ')}}`;
}

/** What a value can become: what Tracee might write one day, and what nobody should. */
const replacement = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    1,
    -1,
    1.5,
    4_194_304,
    4_194_305,
    4_294_967_296,
    1e21,
    '',
    '0',
    'null',
  ),
  fc.constantFrom<unknown>([], {}, ['a'], [1], { id: 'x' }, { value: ['a', 'b'] }, { host_pid: 3 }, [{}], [null]),
  fc.constantFrom<unknown>(`${LONG}1700000005000120000`, `${LONG}18446744073709551615`, `${LONG}170000000500012000`),
  fc.constantFrom<unknown>('1700000005000120000', '18446744073709551615', '9999999999999999999', '007'),
  fc.constantFrom<unknown>(
    '2023-11-14T22:13:25.000000001Z',
    '2023-11-14T22:13:60Z',
    '2023-02-30T00:00:00Z',
    '2023-11-14T22:13:25+01:00',
    '1970-01-01T00:00:00Z',
    '1960-01-01T00:00:00Z',
    '2123-11-14T22:13:25Z',
    '2023-11-14T24:00:00Z',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('sched_process_exit', 'task_rename', 'open', 'prctl', 'back\\slash', 'quo"te', 'é', 'ein😀e'),
);

type Path = readonly (string | number)[];

/** Every place in a value. */
function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, one]) => placesOf(one, [...path, key]))];
}

function replaceAt(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((one, i) => (String(i) === String(key) ? replaceAt(one, rest, by) : one));
  const object = value as Record<string, unknown>;
  return { ...object, [key]: replaceAt(object[key], rest, by) };
}

const parsed = LINES.map((line) => JSON.parse(line, keepLong as never) as unknown);
const changed = fc
  .tuple(fc.constantFrom(...parsed), fc.array(fc.tuple(fc.nat(1000), replacement), { maxLength: 3 }))
  .map(([value, changes]) =>
    changes.reduce<unknown>((line, [where, by]) => {
      const places = placesOf(line);
      return replaceAt(line, places[where % places.length] ?? [], by);
    }, value),
  );

test('whatever a value is replaced by, both read the same, or the fast one does not read it', () => {
  let mine = 0;
  fc.assert(
    fc.property(changed, (value) => {
      const line = Buffer.from(write(value));
      const outcome = fast(line);
      if (outcome === NOT_MINE) return;
      mine++;
      expect(outcome).toEqual(full(line));
    }),
    { numRuns: 6000 },
  );
  expect(mine).toBeGreaterThan(2000);
});

test('whatever the order of the members, and with members twice, both read the same', () => {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const shuffled = (value: unknown, random: Iterator<number>): string => {
    if (Array.isArray(value)) return `[${value.map((one) => shuffled(one, random)).join(',')}]`;
    if (!isObject(value)) return write(value);
    const members = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}:${shuffled(one, random)}`);
    if ((random.next().value ?? 0) < 3) return `{${members.join(',')}}`;
    const again = members.filter(() => (random.next().value ?? 0) === 9);
    const keyed = [...members, ...again].map((member) => ({ member, key: random.next().value ?? 0 }));
    return `{${keyed
      .sort((a, b) => a.key - b.key)
      .map(({ member }) => member)
      .join(',')}}`;
  };
  fc.assert(
    fc.property(fc.constantFrom(...parsed), fc.infiniteStream(fc.nat(9)), (value, random) => {
      const line = Buffer.from(shuffled(value, random));
      const outcome = fast(line);
      if (outcome !== NOT_MINE) expect(outcome).toEqual(full(line));
    }),
    { numRuns: 2000 },
  );
});

test('a line that is cut off is never read, whatever follows it in memory', () => {
  fc.assert(
    fc.property(fc.constantFrom(...LINES), fc.nat(5000), fc.constantFrom(...LINES, ''), (line, cut, after) => {
      const bytes = Buffer.from(line);
      const at = cut % bytes.length;
      const outcome = fast(bytes.subarray(0, at), `${line.slice(at)}${after}`);
      // Cut right behind an inner brace, a line that does not count is passed over before its end is reached.
      if (outcome !== NOT_MINE) expect(outcome).toBe('not-a-lifecycle-event');
    }),
    { numRuns: 3000 },
  );
});

test('bytes changed at random never make it throw, nor read what the full reader reads otherwise', () => {
  const change = fc.tuple(
    fc.nat(5000),
    fc.constantFrom(0, 10, 34, 44, 45, 46, 48, 57, 58, 91, 92, 93, 123, 125, 195, 255),
  );
  let compared = 0;
  fc.assert(
    fc.property(fc.constantFrom(...LINES), fc.array(change, { minLength: 1, maxLength: 4 }), (text, changes) => {
      const line = Buffer.from(text);
      for (const [where, byte] of changes) line[where % line.length] = byte;
      const outcome = fast(line);
      const expected = full(line);
      // What is passed over may be broken: then only the full reader sees it.
      if (outcome === NOT_MINE || expected === 'not-json') return;
      compared++;
      expect(outcome).toEqual(expected);
    }),
    { numRuns: 6000 },
  );
  expect(compared).toBeGreaterThan(500);
});
