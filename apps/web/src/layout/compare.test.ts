import { orderUnion, type TaskIndex } from '@dendro/engine';
import {
  AUTHORITY,
  BatchWriter,
  type EventNs,
  FIELDS,
  type FieldName,
  type TaskId,
  toWireText,
} from '@dendro/protocol';
import { expect, test } from 'vitest';
import { treeOf } from '../testing/tree-of.ts';
import { changeText, rowChange } from './change-words.ts';
import { Changes, changedFields } from './compare.ts';

const BASE = { epochNs: 1_700_000_000_000_000_000n };
const [A, B] = [50e9, 100e9] as [EventNs, EventNs];

/** 2 is there all the time; 3 ended, 4 began, 5 was renamed and given to 1, 6 came and went, under 7 that runs another program. */
function host() {
  const tree = treeOf([
    { id: 1, fields: { comm: 'init', uid: 0 } },
    { id: 2, parent: 1, start: 1e9, fields: { comm: 'sshd', cwd: '/' } },
    { id: 3, parent: 2, start: 2e9, exit: { at: 60e9, code: 0 }, fields: { comm: 'ended' } },
    { id: 4, parent: 2, start: 70e9, fields: { comm: 'begun' } },
    { id: 5, parent: 3, start: 3e9, fields: { comm: 'moved', argv: ['moved', '-a'] } },
    { id: 6, parent: 7, start: 60e9, exit: { at: 80e9 }, fields: { comm: 'between' } },
    { id: 7, parent: 2, start: 4e9, fields: { comm: 'changed', uid: 1000, executable: { path: '/bin/a' } } },
  ]);
  const writer = new BatchWriter();
  const set = (id: number, field: FieldName, at: number, value: string | readonly string[] | number) => {
    const { id: fieldId, type } = FIELDS[field];
    const wire = typeof value === 'number' ? value : writer.text(toWireText(type, value));
    writer.set(id as TaskId, fieldId, at as EventNs, AUTHORITY.event, wire);
  };
  set(5, 'comm', 65e9, 'renamed');
  set(7, 'uid', 65e9, 0);
  set(7, 'gid', 66e9, 12);
  writer.set(7 as TaskId, FIELDS.executable.id, 66e9 as EventNs, AUTHORITY.sighting, file({ inode: '7', hash: 'x' }));
  tree.apply(writer.finish());
  return tree;

  function file(more: object): number {
    return writer.text(toWireText('file', { path: '/bin/a', ...more }));
  }
}

function compared(a: EventNs, b: EventNs, kept?: (tid: number) => boolean) {
  const tree = host();
  const order = orderUnion(tree, { at: b, alsoAt: a, keepExitedNs: 0, threads: () => false, kernelThreads: false });
  const tids = Array.from(order.tasks, (task) => tree.tidOf(task as TaskIndex) as number);
  const changes = new Changes(tree, order, a, kept && Uint8Array.from(tids, (tid) => (kept(tid) ? 1 : 0)));
  const said = (tid: number) => {
    const position = tids.indexOf(tid);
    return rowChange(changes, tree, order.tasks[position] as TaskIndex, position, BASE);
  };
  return { tree, order, tids, changes, said };
}

test('who began, ended, changed and has another parent is marked; who came and went in between has no row', () => {
  const { tids, changes, said } = compared(A, B);
  expect(tids).toEqual([1, 2, 3, 7, 4, 5]);
  expect(changes.counts).toEqual({ born: 1, died: 1, changed: 2, moved: 1 });
  expect(changeText(changes.counts)).toBe('+1 −1 ~2 ↷1');
  expect(tids.map((tid) => said(tid)?.glyph)).toEqual([undefined, undefined, '−', '~', '+', '~↷']);
  expect(said(5)?.note).toBe('name · was under ended [3]');
  expect(said(7)?.note).toBe('user');
  expect(said(4)?.words).toMatch(/^began since A, at /);
  expect(said(3)?.words).toMatch(/^ended since A, at /);
});

test('the other way round what had been added is taken away, and it is said that it is still to begin', () => {
  const { tids, changes, said } = compared(B, A);
  expect(tids).toEqual([1, 2, 3, 5, 7, 4]);
  expect(changes.counts).toEqual({ born: 1, died: 1, changed: 2, moved: 1 });
  expect(said(4)?.words).toMatch(/^there at A, not begun at B: /);
  expect(said(3)?.words).toMatch(/^there at B, ended by A, at /);
  expect(said(5)?.note).toBe('name · was under init [1]');
});

test('what has come to be known meanwhile is no change: a group, the inode and the hash of the same file', () => {
  const tree = host();
  expect(changedFields(tree, tree.indexOf(7 as TaskId), A, B)).toEqual(['uid']);
  expect(changedFields(tree, tree.indexOf(2 as TaskId), A, B)).toEqual([]);
});

test('at one instant nothing differs', () => {
  const { changes } = compared(A, A);
  expect([changes.counts, changes.found.count]).toEqual([{ born: 0, died: 0, changed: 0, moved: 0 }, 0]);
});

test('a folded row counts what differs below it, and who is left out is not counted', () => {
  const { changes, order, tids } = compared(A, B);
  const sshd = tids.indexOf(2);
  const end = order.subtreeEnds[sshd] as number;
  expect(changes.below(sshd, end)).toEqual({ born: 1, died: 1, changed: 1, moved: 0 });
  expect(changes.inAll([[sshd, end]])).toEqual({ born: 1, died: 1, changed: 1, moved: 0 });
  const few = compared(A, B, (tid) => tid !== 4).changes;
  expect(few.counts).toEqual({ born: 0, died: 1, changed: 2, moved: 1 });
  expect(Array.from(few.only())).toEqual([0, 0, 1, 1, 0, 1]);
});

test('steps lead from difference to difference, round the end', () => {
  const { changes, tids } = compared(A, B);
  const steps = [];
  for (let p = changes.found.step(-1, 1), i = 0; i < 5; p = changes.found.step(p, 1), i++) steps.push(tids[p]);
  expect(steps).toEqual([3, 7, 4, 5, 3]);
});
