import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseQuery } from './parse-query.ts';
import { printQuery } from './print-query.ts';

/** Texts in the neighbourhood of the grammar: any order of its pieces, with and without blanks. */
const pieces = fc.constantFrom(
  ...['name:', 'cmd:', 'user:', 'pid:', 'age:', 'started:', 'exit:', 'under:', 'state:', 'usr:', 'tty:'],
  ...['!', '!=', '|', '(', ')', '"', '/', '\\', ':', '=', '<', '>=', '..', ' ', '\t', '\0', '://'],
  ...['5', '10..20', '5m', '-5m', '14:03', 'SIGKILL', 'running', 'root', 'sh', '/usr/bin', '/a+b/', '"a b"', '\u202e'],
);
const nearby = fc.array(pieces, { maxLength: 24 }).map((list) => list.join(''));
const anything = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), nearby);

test('what is printed is read as the same query, and printed the same', () => {
  fc.assert(
    fc.property(anything, (text) => {
      const parsed = parseQuery(text);
      if (parsed.kind === 'problem' || parsed.query === undefined) return;
      const normal = printQuery(parsed.query);
      expect(parseQuery(normal)).toEqual(parsed);
      const again = parseQuery(normal);
      expect(again.kind === 'read' && again.query && printQuery(again.query)).toBe(normal);
    }),
    { numRuns: 5_000 },
  );
});

test('no text does harm: it is read, or the place that is wrong lies in it', () => {
  fc.assert(
    fc.property(anything, (text) => {
      const parsed = parseQuery(text);
      if (parsed.kind === 'read') return;
      const { from, to, message } = parsed.problem;
      expect(message).not.toBe('');
      expect(from).toBeGreaterThanOrEqual(0);
      expect(to).toBeGreaterThanOrEqual(from);
      expect(to).toBeLessThanOrEqual(text.length);
    }),
    { numRuns: 3_000 },
  );
});

test('a suggestion that replaces all can be read, up to the next mistake', () => {
  fc.assert(
    fc.property(anything, (text) => {
      const parsed = parseQuery(text);
      if (parsed.kind === 'read' || parsed.problem.fix?.replaces !== 'all') return;
      const after = parseQuery(parsed.problem.fix.text);
      if (after.kind === 'problem') expect(after.problem).not.toEqual(parsed.problem);
    }),
  );
});
