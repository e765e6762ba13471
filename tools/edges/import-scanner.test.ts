import { expect, test } from 'vitest';
import { findImports } from './import-scanner.ts';

const specifiers = (source: string): (string | undefined)[] => findImports(source).map((found) => found.specifier);

test('every form of import is found, with its line', () => {
  const source = `import 'side-effect';
import a from 'default';
import * as b from 'namespace';
import c, { d as e, type F } from 'mixed';
import type { G } from 'type-only';
import {
  h,
} from 'several-lines';
import i = require('old');
export { j } from 'named-again';
export * from 'all-again';
export * as k from 'all-as';
export type { L } from 'type-again';
const m = await import('dynamic');
type N = import('in-a-type').N;
const o = require('common');
new Worker(new URL('./worker.ts', import.meta.url));
import p from 'attributes' with { type: 'json' };
import { 'a name' as q } from 'string-name';`;
  const found = findImports(source);
  expect(found.map(({ specifier, line }) => `${line} ${specifier}`)).toEqual([
    '1 side-effect',
    '2 default',
    '3 namespace',
    '4 mixed',
    '5 type-only',
    '6 several-lines',
    '9 old',
    '10 named-again',
    '11 all-again',
    '12 all-as',
    '13 type-again',
    '14 dynamic',
    '15 in-a-type',
    '16 common',
    '17 ./worker.ts',
    '18 attributes',
    '19 string-name',
  ]);
  expect(found.find((one) => one.specifier === 'dynamic')?.kind).toBe('dynamic');
  expect(found.find((one) => one.specifier === './worker.ts')?.kind).toBe('url');
});

test('comments, strings, templates and regular expressions import nothing', () => {
  const source = `// import a from 'comment';
/* import b from 'block'; */
const c = "import d from 'string'";
const e = \`import f from 'template'\`;
const g = /import h from 'regex'/;
const i = j / k; // import l from 'after a division'
call(/'/, 1); call(/["'\`]/g);`;
  expect(specifiers(`${source}\nimport real from 'real';`)).toEqual(['real']);
});

test('an import inside of a template expression is found, whatever braces and templates surround it', () => {
  const source = `const a = \`x \${(() => { return \`y \${await import('inside')}\`; })()} import b from 'text'\`;\nimport 'after';`;
  expect(specifiers(source)).toEqual(['inside', 'after']);
});

test('words that look like imports are none', () => {
  const source = `const a = { import: './x', export: './y' };
export const b = 'c';
export default 'd';
e.import('f');
console.log(import.meta.url);
export { g };
const h = 'i';
new URL('./j', base);`;
  expect(specifiers(source)).toEqual([]);
});

test('JSX text with apostrophes, slashes and quotes does not hide what follows', () => {
  const source = `const a = <p>Don't import "this" from 'there' // nor that</p>;
const b = <a href="x">it's</a>;
const c = lazy(() => import('./c.tsx'));`;
  expect(specifiers(source)).toEqual(['./c.tsx']);
});

test('a computed path is found and has no specifier', () => {
  expect(findImports(`await import(\`./\${name}.ts\`);\nawait import(path);`)).toEqual([
    { specifier: undefined, kind: 'dynamic', line: 1 },
    { specifier: undefined, kind: 'dynamic', line: 2 },
  ]);
});

test('a file cut short anywhere ends the scan without an error', () => {
  const source = `import a from 'a'; const b = \`c \${d('e')} f\`; /* g */ const h = /i[/]/; // j\nexport * from 'k';`;
  for (let length = 0; length <= source.length; length++) findImports(source.slice(0, length));
  expect(specifiers(source)).toEqual(['a', 'k']);
});
