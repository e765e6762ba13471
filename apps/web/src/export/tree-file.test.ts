import { orderTree, type TemporalTree } from '@dendro/engine';
import { BatchWriter, type EventNs, type TaskId } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { visibleRows } from '../layout/visible-rows.ts';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import type { TreeFormatId } from './formats.ts';
import { treeFile } from './tree-file.ts';

const HOSTILE = '=evil,"<b>\n\u202e';
const at = 100 as EventNs;

function fileOf(tree: TemporalTree, format: TreeFormatId, onProgress: (giveUp: () => void) => void = () => {}) {
  const order = orderTree(tree, { at, keepExitedNs: 1e9, threads: () => false, kernelThreads: false });
  const rows = visibleRows(order, { isCollapsed: () => false });
  const of = {
    seen: { tree, order, rows, found: undefined, isFiltered: false, own: [] },
    choice: { withFolded: false, chip: 'all', newSince: 0 as EventNs, hidesOwn: false },
    context: { tree, at, base: { epochNs: 0n }, users: { 0: 'root' } },
    about: { hostName: 'h\n# forged', time: 'T', link: 'https://…', comparedWith: null },
  } as const;
  const controller = new AbortController();
  const turns = { signal: controller.signal, onProgress: () => onProgress(() => controller.abort()) };
  return treeFile(of, format, turns).then(({ pieces }) => pieces.join(''));
}

const SCENE: readonly TaskSketch[] = [
  { id: 1, fields: { comm: 'init', uid: 0 } },
  { id: 2, parent: 1, start: 1, fields: { comm: HOSTILE, argv: ['x', HOSTILE] } },
  { id: 3, parent: 2, start: 2, fields: { comm: 'gone' }, exit: { at: 50, code: 3 } },
];

test('data has each task as the API gives it, with its place in the rows', async () => {
  const { about, tasks } = JSON.parse(await fileOf(treeOf(SCENE), 'json'));
  expect(about).toMatchObject({ returned: 3, total: 3, truncated: false, reason: null, link: 'https://…' });
  expect(tasks).toMatchObject([
    { taskId: 1, depth: 0, parentTaskId: null, matches: null, folded: 0, alike: 0 },
    { taskId: 2, depth: 1, comm: HOSTILE, cmd: ['x', HOSTILE] },
    { taskId: 3, depth: 2, exitCode: 3, alive: false },
  ]);
});

test('text is a line for each, whatever they and their host are called', async () => {
  const lines = (await fileOf(treeOf(SCENE), 'text')).trimEnd().split('\n');
  expect(lines.filter((line) => !line.startsWith('#'))).toEqual([
    'init [1]  root  running',
    expect.stringMatching(/^└─ =evil,"<b>\\n\\u\{202e\} \[2\] {2}.*\| x /),
    expect.stringMatching(/^ {3}└─ gone \[3\] {2}.*exited 3/),
  ]);
});

test('who leaves memory while the file is made is counted', async () => {
  const many = Array.from({ length: 4000 }, (_, i) => ({ id: i + 10, parent: 1, start: 3, fields: { comm: 'many' } }));
  const tree = treeOf([...SCENE, ...many]);
  let isEvicted = false;
  const text = fileOf(tree, 'json', () => {
    if (isEvicted) return;
    isEvicted = true;
    const batch = new BatchWriter();
    batch.evict(4009 as TaskId, false);
    tree.apply(batch.finish());
  });
  const { about, tasks } = JSON.parse(await text);
  expect(isEvicted).toBe(true);
  expect(about).toMatchObject({ returned: 4002, truncated: true });
  expect(about.reason).toContain('1 left memory while the file was made');
  expect(tasks).toHaveLength(4002);
});

test('it is given up at once', async () => {
  const many = Array.from({ length: 4000 }, (_, i) => ({ id: i + 10, parent: 1, start: 3, fields: { comm: 'many' } }));
  const made = fileOf(treeOf([...SCENE, ...many]), 'svg', (giveUp) => giveUp());
  await expect(made).rejects.toThrow(/abort/i);
});
