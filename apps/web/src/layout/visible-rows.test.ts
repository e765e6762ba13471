import type { TreeOrder } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { Found } from './found.ts';
import { matchingRows, openRows, type VisibleRows } from './visible-rows.ts';

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
const shown = (rows: VisibleRows) => [...rows.positions].map((position) => names[position]);
const among = (list: string[]) => (position: number) => list.includes(names[position] ?? '');
const found = (...list: string[]) => new Found(Uint8Array.from(names, (name) => Number(list.includes(name))));

test('without collapse and filter every row is shown', () => {
  expect(shown(openRows(order, () => false))).toEqual(names);
});

test('what is below a collapsed row is left out, and collapsing a leaf changes nothing', () => {
  expect(shown(openRows(order, among(['sshd', 'job'])))).toEqual(['init', 'sshd', 'cron', 'job', 'kthreadd']);
  expect(shown(openRows(order, among(['init', 'sshd'])))).toEqual(['init', 'kthreadd']);
});

test('a filter shows matches and their ancestors, and nothing without a match', () => {
  expect(shown(matchingRows(order, found('vim', 'cron')))).toEqual(['init', 'sshd', 'bash', 'vim', 'cron']);
  expect(shown(matchingRows(order, found()))).toEqual([]);
});

test('each row knows its parent row, its place among its siblings, and how many these are', () => {
  const familyOf = (rows: VisibleRows) =>
    [...rows.positions].map((position, row) => {
      const parent = rows.parents[row]!;
      return [names[position], parent, rows.places[row], parent < 0 ? rows.rootCount : rows.childCounts[parent]];
    });
  expect(familyOf(openRows(order, () => false))).toEqual([
    ['init', -1, 1, 2],
    ['sshd', 0, 1, 2],
    ['bash', 1, 1, 1],
    ['vim', 2, 1, 1],
    ['cron', 0, 2, 2],
    ['job', 4, 1, 1],
    ['kthreadd', -1, 2, 2],
  ]);
  expect(familyOf(openRows(order, among(['sshd']))).slice(1, 3)).toEqual([
    ['sshd', 0, 1, 2],
    ['cron', 0, 2, 2],
  ]);
  expect(familyOf(matchingRows(order, found('job')))).toEqual([
    ['init', -1, 1, 1],
    ['cron', 0, 1, 1],
    ['job', 1, 1, 1],
  ]);
});
