import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExactJson } from './exact-json.ts';

/** The slow and sure way: the source text of each number. */
function parseBySource(text: string): unknown {
  const reviver = (_key: string, read: unknown, { source }: { readonly source?: string }) =>
    typeof read === 'number' && source !== undefined && /^-?\d{16,}$/.test(source) ? source : read;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

function outcome(parse: (text: string) => unknown, text: string): unknown {
  try {
    return { value: parse(text) };
  } catch {
    return 'refused';
  }
}

// Pieces that JSON is made of, and pieces that look like them inside of strings.
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\"', '"a":', '"":', ' ', '\\\\', '\n') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '1234567890123456',
      '-9223372036854775808',
      '18446744073709551615',
      '0123456789012345678',
      '1234567890123456.5',
      '1234567890123456e3',
      '0.1234567890123456789',
      '"1234567890123456"',
      '"a":1234567890123456,',
      ':1234567890123456,',
      'é',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('1', 'true', 'null', '"b"', '{}', '[]', '{"a":', '}') },
);

test('what is JSON and what is not stays so, and long integers are what their source text says', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      expect(outcome(parseExactJson, text)).toEqual(outcome(parseBySource, text));
    }),
    { numRuns: 20_000 },
  );
});

const digits = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }).map((integer) => ({ bare: String(integer) }));
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
);
const space = fc.constantFrom('', '', '', ' ', '\t', '\n ');

/** A value and how it is written, with blanks where JSON allows them. */
const written = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    digits.map(({ bare }) => bare),
    text.map((value) => JSON.stringify(value)),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    fc.constantFrom('true', 'null', '-0', '1e400'),
    fc
      .array(fc.tuple(space, tie('any'), space), { maxLength: 4 })
      .map((items) => `[${items.map((item) => item.join('')).join(',')}]`),
    fc
      .array(fc.tuple(space, text, space, space, tie('any'), space), { maxLength: 4 })
      .map(
        (items) =>
          `{${items.map(([a, key, b, c, value, d]) => `${a}${JSON.stringify(key)}${b}:${c}${value}${d}`).join(',')}}`,
      ),
  ),
})).any;

test('any JSON is read as its source text says, whatever keys and strings hold', () => {
  fc.assert(
    fc.property(written, (json) => {
      expect(parseExactJson(json)).toEqual(parseBySource(json));
    }),
    { numRuns: 5000 },
  );
});

test.each([
  ['{"timestamp":1700000005000120001}', { timestamp: '1700000005000120001' }],
  ['{"timestamp": 1700000005000120001 }', { timestamp: '1700000005000120001' }],
  ['[18446744073709551615,-9223372036854775808]', ['18446744073709551615', '-9223372036854775808']],
  ['{"a\\"b":18446744073709551615}', { 'a"b': '18446744073709551615' }],
  ['{"a":"\\":18446744073709551615,"}', { a: '":18446744073709551615,' }],
  ['["a",":18446744073709551615,"]', ['a', ':18446744073709551615,']],
  ['999999999999999', 999999999999999],
  ['9999999999999999', '9999999999999999'],
])('%s keeps its long integers and its strings', (json, value) => {
  expect(parseExactJson(json)).toEqual(value);
});

test.each([
  '{"a":0123456789012345678}',
  '{1234567890123456:1}',
  '"foo,"value":1234567890123456,"',
  '1234567890123456,',
])('%s is no JSON and does not become it', (json) => {
  expect(() => parseExactJson(json)).toThrow(SyntaxError);
});

test('a string of megabytes beside a long integer is no obstacle', () => {
  const long = '\\"a1'.repeat(1_000_000);
  expect(parseExactJson(`{"s":"${long}","t":1700000005000120001}`)).toMatchObject({ t: '1700000005000120001' });
  expect(parseExactJson(`{"s":"${long}","t":[1700000005000120001]}`)).toMatchObject({ t: ['1700000005000120001'] });
});
