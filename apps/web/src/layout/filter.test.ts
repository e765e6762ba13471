import type { TaskIndex } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { treeOf } from '../testing/tree-of.ts';
import { markedPart, matcher } from './filter.ts';

const tree = treeOf([
  { id: 1, fields: { comm: 'systemd', argv: ['/sbin/init', 'splash'], uid: 0 } },
  { id: 20, parent: 1, fields: { comm: 'python3', argv: ['python3', '-m', 'http.server'], uid: 1000 } },
  { id: 21, leader: 20, fields: { comm: 'pool' } },
  {
    id: 120,
    parent: 1,
    fields: { comm: 'sh', argv: ['sh', '-c', 'a+b(c'], executable: { path: '/bin/dash', inode: '77' } },
  },
]);
const users = { 0: 'root', 1000: 'deploy' };

function found(written: string): number[] {
  const matches = matcher(written, tree, 1 as EventNs, users);
  const ids: number[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (tree.isPresent(task) && (matches?.(task) ?? true)) ids.push(tree.taskIdOf(task));
  }
  return ids.sort((a, b) => a - b);
}

test.each([
  ['SYSTEMD', [1]],
  ['python3 -m', [20]],
  ['  http.server ', [20]],
  ['httpxserver', []],
  ['pool', [21]],
  ['/bin/dash', [120]],
  ['77', []],
  ['a+b(c', [120]],
  ['20', [20]],
  ['deploy', [20]],
  ['depl', []],
  ['', [1, 20, 21, 120]],
])('"%s" finds %j', (written, ids) => {
  expect(found(written)).toEqual(ids);
});

test('a user is found by the whole name, and so is what has the user from its parent', () => {
  expect(found('root')).toEqual([1, 120]);
});

test('no filter that anyone can write is a pattern that goes wrong, and each finds itself', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.trim() !== ''),
      (written) => {
        found(written);
        expect(markedPart(`<${written.trim()}>`, written)).toBeDefined();
      },
    ),
  );
});

test('what was found is marked where it stands', () => {
  expect(markedPart('/usr/bin/Python3 -m x', 'python3')).toEqual({
    before: '/usr/bin/',
    found: 'Python3',
    after: ' -m x',
  });
  expect(markedPart('sh', 'python3')).toBeUndefined();
  expect(markedPart('sh', ' ')).toBeUndefined();
});
