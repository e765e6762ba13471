import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { AUTHORITY, type EventNs, TASK_FLAG, type TaskId } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import type { ColumnId } from './columns.ts';
import { type RowModel, rowModel } from './row-model.ts';

const base = { epochNs: 1_700_000_000_000_000_000n };
const S = 1e9;

function model(
  sketch: TaskSketch,
  seconds: number,
  others: readonly TaskSketch[] = [],
  columns: readonly ColumnId[] = [],
): RowModel {
  const tree: TemporalTree = treeOf([...others, sketch]);
  const task = tree.indexOf(sketch.id as TaskId) as TaskIndex;
  return rowModel({ tree, at: (seconds * S) as EventNs, base, users: { 1000: 'deploy' }, columns }, task);
}

test('a running process has its command line, its user by name, and its age', () => {
  const fields = { comm: 'sh', argv: ['sh', '-c', 'a b'], uid: 1000 };
  expect(model({ id: 7, start: 10 * S, fields }, 135)).toMatchObject({
    name: 'sh',
    command: 'sh -c "a b"',
    tid: 7,
    user: 'deploy',
    state: 'running',
    stateText: 'running',
    stateAge: '2m',
    isNew: false,
    startedTitle: '2023-11-14T22:13:30.000000000Z',
  });
});

test('for three seconds a process is new, unless nobody knows when it began', () => {
  expect(model({ id: 7, start: 10 * S }, 12.9).isNew).toBe(true);
  expect(model({ id: 7, start: 10 * S }, 13).isNew).toBe(false);
  expect(model({ id: 7, start: 10 * S, flags: TASK_FLAG.startIsUnknown }, 11)).toMatchObject({ isNew: false });
  expect(model({ id: 7, start: 10 * S, flags: TASK_FLAG.startIsUnknown }, 11).started).toMatch(/^≤ /);
});

test.each([
  [{ at: 20 * S, code: 0 }, 'exited 0', 'ended'],
  [{ at: 20 * S, code: 3 }, 'exited 3', 'failed'],
  [{ at: 20 * S, signal: 9 }, 'SIGKILL', 'failed'],
  [{ at: 20 * S }, 'exited', 'ended'],
  [{ at: 20 * S, by: AUTHORITY.inferred }, 'gone', 'ended'],
] as const)('an end %j reads "%s"', (exit, stateText, stateTone) => {
  expect(model({ id: 7, exit }, 25)).toMatchObject({
    state: 'exited',
    stateText,
    stateTone,
    stateAge: '5s ago',
    isNew: false,
  });
  expect(model({ id: 7, exit }, 19)).toMatchObject({ state: 'running' });
});

test('what is not known is said to be not known', () => {
  expect(model({ id: 7 }, 5)).toMatchObject({ name: undefined, command: undefined, user: '–' });
});

test('hostile text is written out wherever it stands', () => {
  const fields = { comm: 'a\nb', argv: ['x\u202ey', '\u001b[2J'] };
  expect(model({ id: 7, fields }, 5)).toMatchObject({ name: 'a\\nb', command: 'x\\u{202e}y \\e[2J' });
});

test('kernel threads stand in brackets, and threads have no command line', () => {
  expect(model({ id: 2, flags: TASK_FLAG.kernelThread, fields: { comm: 'kthreadd' } }, 5)).toMatchObject({
    name: '[kthreadd]',
    command: undefined,
  });
  const process = { id: 7, fields: { comm: 'sh', argv: ['sh'] } };
  expect(model({ id: 8, leader: 7 }, 5, [process])).toMatchObject({
    isThread: true,
    tid: 8,
    pid: 7,
    command: undefined,
  });
});

test('columns that are seldom shown are read only when they are', () => {
  const fields = { comm: 'sh', euid: 0, container: 'c0ffee0123456789', executable: { path: '/bin/sh' }, cwd: '/tmp' };
  const exit = { at: 20 * S, signal: 9 };
  expect(model({ id: 7, fields, exit }, 25)).toMatchObject({
    euser: '',
    container: '',
    executable: '',
    cwd: '',
    exit: '',
  });
  expect(model({ id: 7, fields, exit }, 25, [], ['euser', 'container', 'executable', 'cwd', 'exit'])).toMatchObject({
    euser: '0',
    container: 'c0ffee012345',
    executable: '/bin/sh',
    cwd: '/tmp',
    exit: 'SIGKILL',
    age: '20s',
  });
});
