import type { EventNs, TaskId } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import { badgesOf } from './badges.ts';

const users = { 0: 'root', 1000: 'deploy' };
type Fields = NonNullable<TaskSketch['fields']>;

function badges(parent: Fields, child: Fields, more: Partial<TaskSketch> = {}) {
  const tree = treeOf([
    { id: 1, fields: parent },
    { id: 2, parent: 1, start: 1, fields: child, ...more },
  ]);
  return badgesOf({ tree, at: 100 as EventNs, users }, tree.indexOf(2 as TaskId));
}
const kinds = (...args: Parameters<typeof badges>) => badges(...args).map(({ kind, text }) => [kind, text]);

test('who is what its parent is has none', () => {
  expect(kinds({ uid: 1000, euid: 1000, container: 'c1' }, {})).toEqual([]);
});

test('other rights than the parent are named, by the effective user first', () => {
  expect(kinds({ uid: 0, euid: 0 }, { uid: 1000, euid: 1000 })).toEqual([['user', '→deploy']]);
  expect(kinds({ uid: 1000 }, { uid: 0 })).toEqual([['user', '→root']]);
  expect(badges({ uid: 1000, euid: 1000 }, { uid: 1000, euid: 0 }).map(({ title }) => title)).toEqual([
    'Has the rights of root, its parent those of deploy',
    'Run by deploy with the rights of root',
  ]);
});

test('a container begins, is left, or is another one; where it is not known nothing is said', () => {
  const id = 'c0ffee0123456789';
  expect(kinds({ container: '' }, { container: id })).toEqual([['container', 'c0ffee012345']]);
  expect(kinds({ container: id }, { container: '' })).toEqual([['container', 'host']]);
  expect(kinds({}, { container: '' })).toEqual([]);
});

test('a program without a name was deleted or never was a file', () => {
  expect(kinds({}, { executable: { path: '/tmp/x', links: 0 } })).toEqual([['deleted', 'deleted']]);
  expect(kinds({}, { executable: { path: '/memfd:x (deleted)', links: 0 } })).toEqual([['deleted', 'memfd']]);
  expect(kinds({}, { executable: { path: '/bin/sh', links: 1 } })).toEqual([]);
});

test('a bad end is told in words; all badges stand in one order', () => {
  expect(badges({}, {}, { exit: { at: 50, code: 3 } })[0]).toMatchObject({ kind: 'failed', title: 'It exited 3' });
  expect(badges({}, {}, { exit: { at: 50, signal: 11 } })[0]).toMatchObject({ title: 'It was ended by SIGSEGV' });
  expect(badges({}, {}, { exit: { at: 50, code: 0 } })).toEqual([]);
  const all = { uid: 1000, euid: 0, container: 'c1', executable: { path: '/memfd:x', links: 0 } };
  expect(kinds({ uid: 1000, euid: 1000 }, all, { exit: { at: 50, code: 1 } }).map(([kind]) => kind)).toEqual([
    'user',
    'setuid',
    'container',
    'deleted',
    'failed',
  ]);
});

test('hostile names are written out', () => {
  expect(badges({ container: '' }, { container: 'a\nb' })[0]?.text).toBe('a\\nb');
});
