// The rules of packages/engine/SPEC.md and the titles that quote them. Nobody would notice the going of a rule that
// no test names, and a title that names a rule that is not there misleads.

import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TESTS = '{packages,apps,tools,e2e}/**/*.{test,spec}.{ts,tsx}';

/** Ids of the rules, in the order in which SPEC.md has them: `- **FO1** A birth …`. */
function rules(): string[] {
  const spec = readFileSync(`${ROOT}packages/engine/SPEC.md`, 'utf8');
  return Array.from(spec.matchAll(/^- \*\*([A-Z]+\d+)\*\*/gm), ([, id = '']) => id);
}

/** Rule id -> the files in which a title begins with it, alone or among others: a text that is the first argument. */
function quotes(): Map<string, string[]> {
  const files = globSync(TESTS, { cwd: ROOT, exclude: (name) => name.endsWith('node_modules') });
  const quoted = new Map<string, string[]>();
  for (const file of files) {
    const text = readFileSync(`${ROOT}${file}`, 'utf8');
    for (const [, ids = ''] of text.matchAll(/\(\s*['"`]((?:\[[A-Z]+\d+\] ?)+)/g)) {
      for (const [id] of ids.matchAll(/[A-Z]+\d+/g)) quoted.set(id, [...(quoted.get(id) ?? []), file]);
    }
  }
  return quoted;
}

test('every rule has an id of its own', () => {
  expect(rules().length).toBeGreaterThan(50);
  expect(rules().filter((id, i, all) => all.indexOf(id) !== i)).toEqual([]);
});

test('every rule is quoted by the title of a test', () => {
  const quoted = quotes();
  expect(rules().filter((id) => !quoted.has(id))).toEqual([]);
});

test('no title quotes a rule that does not exist', () => {
  const known = new Set(rules());
  expect([...quotes()].filter(([id]) => !known.has(id))).toEqual([]);
});
