// What is sent of the whole tree, for trees that are very deep or very wide.

import { NO_TASK, TemporalTree } from '@dendro/engine';
import type { TaskRecord } from '@dendro/export';
import { epochOf } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { snapshotChunks } from './snapshot.ts';
import { treeOf } from './test-shapes.ts';
import { treeAnswer } from './tree-json.ts';

const SHAPES = [
  ['chain', 50_000],
  ['siblings', 100_000],
] as const;

test.each(SHAPES)('%s of %i: the JSON is a flat list, each with its parent', (shape, count) => {
  const host = treeOf(shape, count);
  const { base = { epochNs: 0n } } = host;
  const options = { host: 'local', base, epochNs: epochOf(base, host.newest), withExited: false, lacks: [] };
  const answer = JSON.parse(JSON.stringify(treeAnswer(host, options))) as { tasks: TaskRecord[]; returned: number };
  expect(answer.returned).toBe(count + 1);
  const byId = new Map(answer.tasks.map((task) => [task.taskId, task]));
  let wrong = 0;
  for (const { pid, parentTaskId, comm } of answer.tasks) {
    const parent = byId.get(parentTaskId ?? 0)?.pid ?? 0;
    const expected = pid === 1 ? 0 : shape === 'chain' ? pid - 1 : 1;
    if (parent !== expected || comm !== (pid === 1 ? 'init' : 'link')) wrong++;
  }
  expect(wrong).toBe(0);
});

test.each(SHAPES)('%s of %i: a snapshot makes the same tree elsewhere', (shape, count) => {
  const host = treeOf(shape, count);
  const replica = new TemporalTree();
  let bytes = 0;
  let lasts = 0;
  for (const chunk of snapshotChunks(host, host.newest)) {
    replica.apply(chunk.bytes);
    bytes += chunk.bytes.length;
    lasts += chunk.isLast ? 1 : 0;
  }
  expect(lasts).toBe(1);
  expect(replica.taskCount).toBe(count + 1);
  expect(bytes).toBeLessThan(400 * count);
  let wrong = 0;
  for (let id = 2; id <= count + 1; id++) {
    const task = replica.indexOf(id as never);
    const parent = replica.parentAt(task, host.newest);
    const expected = shape === 'chain' ? replica.pidOf(task) - 1 : 1;
    if (parent === NO_TASK || replica.pidOf(parent) !== expected) wrong++;
  }
  expect(wrong).toBe(0);
});
