import {
  AUTHORITY,
  type Authority,
  BatchWriter,
  type EventNs,
  FIELDS,
  type FieldName,
  type FieldValue,
  type TaskId,
  toWireText,
} from '@dendro/protocol';
import { expect, test } from 'vitest';
import { treeOf } from '../testing/tree-of.ts';
import { taskTimeline } from './task-timeline.ts';

const MS = 1e6;
const users = { 0: 'root', 1000: 'deploy' };

/** A shell (2) of init (1) starts 5, which runs curl, becomes root, is seen, and is left by the shell. */
function scene() {
  const tree = treeOf([
    { id: 1, fields: { comm: 'init' } },
    { id: 2, parent: 1, start: MS, fields: { comm: 'sh', uid: 1000 }, exit: { at: 60 * MS, code: 0 } },
  ]);
  const batch = new BatchWriter();
  const task = 5 as TaskId;
  const set = (field: FieldName, at: number, value: FieldValue, by: Authority = AUTHORITY.event) => {
    const { id, type } = FIELDS[field];
    const wire = typeof value === 'number' ? value : batch.text(toWireText(type, value ?? ''));
    batch.set(task, id, at as EventNs, by, wire);
  };
  batch.task(task, 5 as never, 5 as never, task, 2 as TaskId, (10 * MS) as EventNs, 5 as never, 0, AUTHORITY.event);
  set('comm', 20 * MS, 'curl');
  set('argv', 20 * MS + 50_000, ['curl', 'x']);
  set('executable', 20 * MS + 50_000, { path: '/bin/curl' }, AUTHORITY.inferred);
  set('euid', 30 * MS, 0);
  set('comm', 40 * MS, 'evil\u202e');
  set('cwd', 50 * MS, '/tmp', AUTHORITY.sighting);
  batch.exit(task, (90 * MS) as EventNs, AUTHORITY.event, -1, 9);
  tree.apply(batch.finish());
  return { tree, task: tree.indexOf(task) };
}

test('birth, exec, credentials, name, parent and end stand in the order of time', () => {
  const { tree, task } = scene();
  const { moments, trimmed } = taskTimeline({ tree, users }, task);
  expect(moments.map(({ at, kind, title }) => `${at / MS} ${kind}: ${title}`)).toEqual([
    '10 birth: Started by sh [2]',
    '20 exec: Ran a program',
    '30 credentials: Credentials changed',
    '40 rename: Renamed',
    '50 seen: Looked at',
    '60 reparenting: Parent is now init [1]: sh [2] ended',
    '90 exit: Ended, killed by SIGKILL',
  ]);
  expect(trimmed).toEqual([]);
});

test('what is told twice of one moment stands there once', () => {
  const tree = treeOf([{ id: 1, fields: { comm: 'init' } }]);
  const batch = new BatchWriter();
  const task = 5 as TaskId;
  batch.task(task, 5 as never, 5 as never, task, 1 as TaskId, MS as EventNs, 5 as never, 0, AUTHORITY.event);
  for (const at of [2 * MS, 2 * MS + 1000]) {
    batch.set(task, FIELDS.comm.id, at as EventNs, AUTHORITY.event, batch.text(toWireText(FIELDS.comm.type, 'curl')));
    batch.set(task, FIELDS.uid.id, at as EventNs, AUTHORITY.event, at);
  }
  tree.apply(batch.finish());
  const { moments } = taskTimeline({ tree, users }, tree.indexOf(task));
  expect(moments.at(-1)?.values.map(({ field }) => field)).toEqual(['Name', 'User', 'User']);
});

test('every value is told with its field, what it was before, and who said it', () => {
  const { tree, task } = scene();
  const { moments } = taskTimeline({ tree, users }, task);
  expect(moments[1]?.values).toEqual([
    { field: 'Name', value: 'curl', before: 'sh', authority: AUTHORITY.event },
    { field: 'Executable', value: '/bin/curl', before: undefined, authority: AUTHORITY.inferred },
    { field: 'Arguments', value: 'curl x', before: undefined, authority: AUTHORITY.event },
  ]);
  expect(moments[2]?.values).toEqual([
    { field: 'Effective user', value: '0 (root)', before: undefined, authority: AUTHORITY.event },
  ]);
  expect(moments[4]?.values).toMatchObject([{ field: 'Directory', value: '/tmp', authority: AUTHORITY.sighting }]);
  expect(moments[5]).toMatchObject({ authority: AUTHORITY.inferred });
});

test('what was told together with the birth stands with it', () => {
  const tree = treeOf([{ id: 1 }, { id: 2, parent: 1, start: MS, fields: { nsPid: 7, pidNs: 4_026_531_836 } }]);
  const { moments } = taskTimeline({ tree, users }, tree.indexOf(2 as TaskId));
  expect(moments).toHaveLength(1);
  expect(moments[0]).toMatchObject({
    kind: 'birth',
    values: [{ field: 'NS PID', value: '7' }, { value: '4026531836' }],
  });
});

test('a field that has had more values than are kept says so', () => {
  const { tree, task } = scene();
  const batch = new BatchWriter();
  for (let i = 0; i < 100; i++) {
    batch.set(5 as TaskId, FIELDS.comm.id, (70 * MS + i * MS * 0.15) as EventNs, AUTHORITY.event, batch.text(`n${i}`));
  }
  tree.apply(batch.finish());
  const { moments, trimmed } = taskTimeline({ tree, users }, task);
  expect(trimmed).toEqual(['Name']);
  expect(moments.filter(({ kind }) => kind === 'rename')).toHaveLength(64);
});

test('a thread has no parents, and parents that hostile input names without end come to an end', () => {
  const tree = treeOf([{ id: 1 }, { id: 2, parent: 1, start: 1 }, { id: 3, leader: 2, parent: 2, start: 2 }]);
  const batch = new BatchWriter();
  for (let i = 0; i < 5000; i++) {
    batch.set(2 as TaskId, FIELDS.parent.id, (i + 10) as EventNs, AUTHORITY.event, i % 2 === 0 ? 1 : 3);
  }
  tree.apply(batch.finish());
  expect(taskTimeline({ tree, users }, tree.indexOf(2 as TaskId)).moments.length).toBeLessThan(200);
  expect(taskTimeline({ tree, users }, tree.indexOf(3 as TaskId)).moments.map(({ title }) => title)).toEqual([
    expect.stringMatching(/^Thread started by /),
  ]);
});
