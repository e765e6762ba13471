import { type EventNs, TASK_FLAG, type TaskId } from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import { type LineageNodeModel, lineageNodeModel, nodeSentence } from './lineage-node.ts';

const base = { epochNs: 1_700_000_000_000_000_000n };
const users = { 0: 'root', 1000: 'deploy' };

interface Asked {
  readonly parent?: number;
  /** As of when an ancestor is told of. */
  readonly nodeAt?: number;
  readonly evicted?: boolean;
}

function modelOf(
  sketches: readonly TaskSketch[],
  id: number,
  { parent, nodeAt, evicted }: Asked = {},
): LineageNodeModel {
  const tree = treeOf(sketches);
  const task = tree.indexOf(id as TaskId);
  if (evicted) tree.evict(id as TaskId, false);
  const above = parent === undefined ? undefined : tree.indexOf(parent as TaskId);
  return lineageNodeModel(
    { tree, at: 100e9 as EventNs, base, users },
    { task, at: nodeAt as EventNs | undefined },
    above,
  );
}

const S = 1e9;
const parent = (fields: TaskSketch['fields'] = {}, more: Partial<TaskSketch> = {}): TaskSketch => {
  return { id: 10, start: S, fields: { comm: 'sh', uid: 1000, euid: 1000, ...fields }, ...more };
};

describe('a change of user', () => {
  const changed = (from: TaskSketch['fields'], to: TaskSketch['fields']) =>
    modelOf([parent(from), { id: 11, start: 2 * S, parent: 10, fields: to ?? {} }], 11, { parent: 10 });

  test('is told by user and by effective user', () => {
    expect(changed({}, { uid: 0, euid: 0 })).toMatchObject({ userChange: 'deploy → root', isRaised: true });
    expect(changed({}, { euid: 0 })).toMatchObject({ userChange: 'deploy → deploy as root', isRaised: true });
    expect(changed({ uid: 0, euid: 0 }, { uid: 1000, euid: 1000 })).toMatchObject({
      userChange: 'root → deploy',
      isRaised: false,
    });
  });

  test('is not claimed where nothing has changed or somebody is not known', () => {
    expect(changed({}, {}).userChange).toBeUndefined();
    expect(changed({ uid: Number.NaN }, { uid: 0 }).userChange).toBeUndefined();
  });
});

test('a container is told where it begins', () => {
  const container = '0123456789abcdef0123';
  const sketches: TaskSketch[] = [
    parent(),
    { id: 11, start: 2 * S, parent: 10, fields: { container } },
    { id: 12, start: 3 * S, parent: 11 },
  ];
  expect(modelOf(sketches, 11, { parent: 10 }).container).toBe('0123456789ab');
  expect(modelOf(sketches, 12, { parent: 11 }).container).toBeUndefined();
});

test('the time from parent to child is as exact as the starts are', () => {
  const child: TaskSketch = { id: 11, start: 3.1 * S, parent: 10 };
  const unknown = { flags: TASK_FLAG.startIsUnknown };
  const since = (a: TaskSketch, b: TaskSketch) => modelOf([a, b], 11, { parent: 10 }).sinceParent;
  expect(since(parent(), child)).toBe('+2.1s');
  expect(since(parent({}, unknown), child)).toBe('≥ 2.1s');
  expect(since(parent(), { ...child, ...unknown })).toBeUndefined();
  const tick = { flags: TASK_FLAG.startIsTick };
  expect(since(parent({}, tick), { ...child, start: S + 1e7 })).toBe('< 20ms');
  expect(since(parent({}, tick), { ...child, start: S + 3e7 })).toBe('+30ms');
  expect(since(parent({}, { start: 9 * S }), child)).toBeUndefined();
  expect(since(parent({}, { ...unknown, start: child.start ?? 0 }), child)).toBeUndefined();
});

test('an ancestor is told of as it was when its child began; whether it lives, as of now', () => {
  const sketches = [parent({ comm: 'bash', uid: 0, euid: 0 }, { exit: { at: 50 * S, signal: 9 } })];
  const then = modelOf(sketches, 10, { nodeAt: 2 * S });
  expect(then).toMatchObject({ name: 'bash', user: 'root', isAlive: false, stateText: 'SIGKILL', stateTone: 'failed' });
  expect(then.asOf).toBe('2023-11-14T22:13:22.000000000Z');
});

test('who was given to another parent says to whom', () => {
  const sketches: TaskSketch[] = [
    { id: 1, start: 0, fields: { comm: 'init' } },
    parent({}, { parent: 1, exit: { at: 5 * S } }),
    { id: 11, start: 2 * S, parent: 10 },
  ];
  expect(modelOf(sketches, 11, { parent: 10 }).movedTo).toBe('init [1]');
  expect(modelOf(sketches, 10, { parent: 1 }).movedTo).toBeUndefined();
});

test('what is little known of says so', () => {
  expect(modelOf([{ id: 10, flags: TASK_FLAG.placeholder }], 10)).toMatchObject({
    name: '(no name known)',
    isNameKnown: false,
    user: 'user not known',
    isPlaceholder: true,
  });
  const gone = modelOf([parent(), { id: 11, start: 2 * S, parent: 10 }], 10, { evicted: true });
  expect(gone).toMatchObject({ isEvicted: true, name: 'sh' });
  expect(nodeSentence(gone)).toBe('sh, pid 10, deploy, running, not in memory any more');
});
