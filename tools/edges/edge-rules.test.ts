import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ALLOWED_EDGES, type EdgeTable } from './allowed-edges.ts';
import { checkEdges } from './edge-rules.ts';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dendro-edges-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function plant(files: Readonly<Record<string, string>>, table: EdgeTable = ALLOWED_EDGES): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkEdges(root, table).map(({ file, line, what }) => `${file}:${line} ${what}`);
}

test('imports that the table allows are no violations', () => {
  expect(
    plant({
      'packages/engine/src/index.ts': "import { NO_TASK_ID } from '@dendro/protocol';\nexport { a } from './a.ts';",
      'packages/engine/src/a.ts': "import { LRUCache } from 'lru-cache';",
      'packages/engine/src/a.test.ts': "import { readFileSync } from 'node:fs';",
      'packages/sources/src/index.ts': "import { openSync } from 'node:fs';\nimport type {} from '@dendro/engine';",
      'packages/testkit/src/index.ts': "import '@dendro/sources';",
      'apps/web/src/layout/lineage.ts': "import { tree } from 'd3-hierarchy';",
      'apps/server/src/app.test.ts': "import { workload } from '@dendro/testkit';",
      'e2e/tree.spec.ts': "import '@dendro/testkit';\nimport { page } from './helpers/page.ts';",
    }),
  ).toEqual([]);
});

test.each([
  ['a static import', "\nimport { A } from '@dendro/sources';"],
  ['a type import', "\nimport type { A } from '@dendro/sources';"],
  ['a re-export', "\nexport { A } from '@dendro/sources';"],
  ['a dynamic import', "\nconst a = await import('@dendro/sources');"],
  ['an import type', "\ntype A = import('@dendro/sources').A;"],
])('an edge against the direction is found in %s', (_form, text) => {
  expect(plant({ 'packages/engine/src/a.ts': text })).toEqual([
    'packages/engine/src/a.ts:2 imports @dendro/sources: @dendro/engine may import @dendro/protocol',
  ]);
});

test('a module for browsers may be imported where the table says so, and reaches nothing of Node', () => {
  const decoders = "import { a } from './deep/a.ts';";
  const web = { 'apps/web/src/recording/a.ts': "import { a } from '@dendro/sources/decoders';" };
  const clean = {
    'packages/sources/src/decoders.ts': decoders,
    'packages/sources/src/deep/a.ts': 'export const a = 1;',
  };
  expect(plant({ ...web, ...clean })).toEqual([]);
  expect(
    plant({
      'packages/sources/src/deep/a.ts': "\nimport { b } from '../b.ts';",
      'packages/sources/src/b.ts': "import { constants } from 'node:os';",
      'apps/web/src/b.ts': "import '@dendro/sources';",
      'packages/history/src/a.ts': "import '@dendro/sources/decoders';",
    }),
  ).toEqual([
    expect.stringContaining('apps/web/src/b.ts:1 imports @dendro/sources: @dendro/web may import'),
    expect.stringContaining('packages/history/src/a.ts:1 imports @dendro/sources/decoders: @dendro/history may import'),
    'packages/sources/src/b.ts:1 imports node:os: browsers load it too',
  ]);
});

test('sources, history and detectors may not know each other', () => {
  expect(plant({ 'packages/detectors/src/a.ts': "import '@dendro/history';" })).toHaveLength(1);
  expect(plant({ 'packages/history/src/a.ts': "import '@dendro/sources';" })).toHaveLength(2);
});

test('testkit is refused outside of tests, and in tests of packages that testkit itself imports', () => {
  expect(
    plant({
      'apps/server/src/app.ts': "import '@dendro/testkit';",
      'packages/engine/src/a.test.ts': "import '@dendro/testkit';",
    }),
  ).toEqual([
    'apps/server/src/app.ts:1 imports @dendro/testkit, which only its tests and benches may',
    'packages/engine/src/a.test.ts:1 imports @dendro/testkit: @dendro/engine may import @dendro/protocol',
  ]);
});

test('deep imports are found, by name and by path', () => {
  expect(
    plant({
      'packages/engine/src/a.ts': "import '@dendro/protocol/src/ids.ts';\nimport '../../protocol/src/ids.ts';",
      'apps/server/src/b.ts': "new Worker(new URL('../../../packages/engine/src/w.ts', import.meta.url));",
    }),
  ).toEqual([
    'apps/server/src/b.ts:1 reaches out of its package to packages/engine/src/w.ts: import the package by its name',
    'packages/engine/src/a.ts:1 imports @dendro/protocol/src/ids.ts: only @dendro/protocol itself is public',
    'packages/engine/src/a.ts:2 reaches out of its package to packages/protocol/src/ids.ts: import the package by its name',
  ]);
});

test('a script may be started where the table says so, and not imported', () => {
  const start = "new URL('../../apps/server/src/main.ts', import.meta.url);";
  expect(plant({ 'e2e/helpers/dendro.ts': start })).toEqual([]);
  expect(
    plant({ 'packages/engine/src/a.ts': "new URL('../../../apps/server/src/main.ts', import.meta.url);" }),
  ).toHaveLength(1);
  expect(plant({ 'e2e/helpers/dendro.ts': "import '../../apps/server/src/main.ts';" })).toHaveLength(2);
});

test('a folder of assets outside of the package may be named, code may not', () => {
  expect(plant({ 'apps/server/src/web.ts': "new URL('../../web/dist/', import.meta.url);" })).toEqual([]);
});

test('a circle of imports is found, types included, and shown whole', () => {
  expect(
    plant({
      'packages/engine/src/a.ts': "import { b } from './b.ts';",
      'packages/engine/src/b.ts': "\nimport type { C } from './deep/c.ts';",
      'packages/engine/src/deep/c.ts': "export type { A } from '../a.ts';",
      'packages/engine/src/d.ts': "import './a.ts';",
    }),
  ).toEqual([
    'packages/engine/src/deep/c.ts:1 closes a circle of imports: src/a.ts -> src/b.ts -> src/deep/c.ts -> src/a.ts',
  ]);
});

test('a file that imports itself is a circle', () => {
  expect(plant({ 'packages/engine/src/a.ts': "import './a.ts';" })).toHaveLength(1);
});

test('d3-hierarchy outside of layout is found', () => {
  expect(plant({ 'apps/web/src/views/tree.tsx': "import { tree } from 'd3-hierarchy';" })).toEqual([
    expect.stringContaining('imports d3-hierarchy: layout gives it one root'),
  ]);
});

test('what comes with Node is refused in code that runs in the browser, with or without its prefix', () => {
  expect(
    plant({
      'packages/engine/src/a.ts': "import 'node:fs';\nimport 'path';",
      'packages/protocol/src/a.ts': "import 'node:buffer';",
      'apps/web/src/a.ts': "import 'node:fs';",
    }),
  ).toHaveLength(4);
});

test('a computed path is found', () => {
  expect(plant({ 'packages/engine/src/a.ts': 'await import(path);' })).toEqual([
    expect.stringContaining('computed path'),
  ]);
});

test('a package that the table does not know is found, as itself and where it is imported', () => {
  expect(plant({ 'packages/extra/package.json': '{}', 'packages/engine/src/a.ts': "import '@dendro/extra';" })).toEqual(
    [
      'packages/engine/src/a.ts:1 imports @dendro/extra, which is not in the table of packages',
      'packages/extra/package.json:1 is not in the table of packages',
    ],
  );
});

test('a debt excuses its one import, needs a reason, and must be struck out when paid', () => {
  const file = 'packages/engine/src/a.ts';
  const debt = (imports: string, because: string): EdgeTable => ({
    ...ALLOWED_EDGES,
    debt: [{ file, imports, because }],
  });
  const files = { [file]: "import '@dendro/sources';" };
  expect(plant(files, debt('@dendro/sources', 'until the clock moves left'))).toEqual([]);
  expect(plant(files, debt('@dendro/sources', ' '))).toEqual([expect.stringContaining('has no reason')]);
  expect(plant({ [file]: '' }, debt('@dendro/sources', 'moved'))).toEqual([expect.stringContaining('is paid')]);
});
