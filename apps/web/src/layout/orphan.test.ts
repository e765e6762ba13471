import type { EventNs, TaskId } from '@dendro/protocol';
import { BatchWriter, TASK_FLAG } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import { orphanNote } from './orphan.ts';

const note = (sketches: readonly TaskSketch[], id: number, at = 100, evicted?: number) => {
  const tree = treeOf(sketches);
  if (evicted !== undefined) {
    const writer = new BatchWriter();
    writer.evict(evicted as TaskId, false);
    tree.apply(writer.finish());
  }
  return orphanNote(tree, tree.indexOf(id as TaskId), at as EventNs)?.text;
};

test('who is where it was born says nothing, nor do init, kthreadd and kernel threads', () => {
  expect(note([{ id: 1 }, { id: 5, parent: 1, start: 1 }], 5)).toBeUndefined();
  expect(note([{ id: 1 }, { id: 2 }], 1)).toBeUndefined();
  expect(note([{ id: 1 }, { id: 2 }], 2)).toBeUndefined();
  expect(note([{ id: 9, flags: TASK_FLAG.kernelThread }], 9)).toBeUndefined();
});

test('a parent that nobody named is not known', () => {
  expect(note([{ id: 1 }, { id: 5, start: 1 }], 5)).toBe('parent not known');
});

test('a parent that was only named, or has left memory, is told', () => {
  expect(note([{ id: 5, parent: 4, start: 1 }], 5)).toBe('parent exited before capture');
  const family: TaskSketch[] = [{ id: 4 }, { id: 5, parent: 4, start: 1 }];
  expect(note(family, 5, 100, 4)).toBe('parent 4 left memory');
});

test('who lost its parent says under whom it was, while it is elsewhere', () => {
  const family: TaskSketch[] = [
    { id: 1, fields: { comm: 'init' } },
    { id: 4, parent: 1, start: 1, fields: { comm: 'sshd' }, exit: { at: 50, code: 0 } },
    { id: 5, parent: 4, start: 2 },
  ];
  expect(note(family, 5, 40)).toBeUndefined();
  expect(note(family, 5, 60)).toBe('was under sshd [4]');
});
