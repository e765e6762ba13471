import type { TreeOrder } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { visibleRows } from './visible-rows.ts';

/** An order drawn as text: indentation is depth. */
function orderOf(text: string): { order: TreeOrder; names: string[] } {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const depths = lines.map((line) => (line.length - line.trimStart().length) / 2);
  const ends = depths.map((depth, i) => {
    const end = depths.findIndex((other, j) => j > i && other <= depth);
    return end < 0 ? depths.length : end;
  });
  const order: TreeOrder = {
    at: 0 as EventNs,
    length: lines.length,
    tasks: Int32Array.from(lines.keys()),
    depths: Uint16Array.from(depths),
    subtreeEnds: Int32Array.from(ends),
    threadCounts: new Int32Array(lines.length),
    hiddenKernelThreads: 0,
    foldedExited: 0,
  };
  return { order, names: lines.map((line) => line.trim()) };
}

const { order, names } = orderOf(`
init
  sshd
    bash
      vim
  cron
    job
kthreadd
`);
const shown = (rows: ReturnType<typeof visibleRows>) => [...rows.positions].map((position) => names[position]);
const among = (list: string[]) => (position: number) => list.includes(names[position] ?? '');

test('without collapse and filter every row is shown', () => {
  expect(shown(visibleRows(order, () => false, undefined))).toEqual(names);
});

test('what is below a collapsed row is left out, and collapsing a leaf changes nothing', () => {
  expect(shown(visibleRows(order, among(['sshd', 'job']), undefined))).toEqual([
    'init',
    'sshd',
    'cron',
    'job',
    'kthreadd',
  ]);
  expect(shown(visibleRows(order, among(['init', 'sshd']), undefined))).toEqual(['init', 'kthreadd']);
});

test('a filter shows matches and their ancestors, collapsed or not, and says which is which', () => {
  const rows = visibleRows(order, () => true, among(['vim', 'cron']));
  expect(shown(rows)).toEqual(['init', 'sshd', 'bash', 'vim', 'cron']);
  expect(rows.matches).toBe(2);
  expect([...rows.positions].filter((position) => rows.isMatch(position)).map((position) => names[position])).toEqual([
    'vim',
    'cron',
  ]);
});

test('a filter that nothing matches shows nothing', () => {
  expect(
    visibleRows(
      order,
      () => false,
      () => false,
    ),
  ).toMatchObject({ length: 0, matches: 0 });
});

test('each row knows its parent row, its place among its siblings, and how many these are', () => {
  const familyOf = (rows: ReturnType<typeof visibleRows>) =>
    [...rows.positions].map((position, row) => {
      const parent = rows.parents[row]!;
      return [names[position], parent, rows.places[row], parent < 0 ? rows.rootCount : rows.childCounts[parent]];
    });
  expect(familyOf(visibleRows(order, () => false, undefined))).toEqual([
    ['init', -1, 1, 2],
    ['sshd', 0, 1, 2],
    ['bash', 1, 1, 1],
    ['vim', 2, 1, 1],
    ['cron', 0, 2, 2],
    ['job', 4, 1, 1],
    ['kthreadd', -1, 2, 2],
  ]);
  expect(familyOf(visibleRows(order, among(['sshd']), undefined)).slice(1, 3)).toEqual([
    ['sshd', 0, 1, 2],
    ['cron', 0, 2, 2],
  ]);
  expect(familyOf(visibleRows(order, () => false, among(['job'])))).toEqual([
    ['init', -1, 1, 1],
    ['cron', 0, 1, 1],
    ['job', 1, 1, 1],
  ]);
});
