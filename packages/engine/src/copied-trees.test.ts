import {
  AUTHORITY,
  BatchWriter,
  CLONE,
  type EntityId,
  type EventNs,
  FIELDS,
  NO_TASK_ID,
  type TaskEvent,
  type TaskId,
  type Tid,
} from '@dendro/protocol';
import { expect, test } from 'vitest';
import type { TaskIndex } from './ids.ts';
import { ProcessTree } from './process-tree.ts';
import { CopiedTexts, TemporalTree } from './temporal-tree.ts';

const at = (ms: number) => (ms * 1_000_000) as EventNs;
const STORY: readonly TaskEvent[] = [
  { type: 'clock', epochNs: 1_700_000_000_000_000_000n },
  { type: 'observe', at: at(0), tid: 1, pid: 1, ppid: 0, start: at(-10), startIsTick: true, comm: 'init', uid: 0 },
  { type: 'fork', at: at(10), tid: 300, creatorTid: 1 },
  { type: 'exec', at: at(11), pid: 300, filename: '/bin/sh', argv: ['sh'], comm: 'sh', cwd: '/srv' },
  { type: 'fork', at: at(20), tid: 301, creatorTid: 300 },
  { type: 'fork', at: at(21), tid: 310, pid: 301, creatorTid: 301, cloneFlags: CLONE.thread },
  { type: 'exit', at: at(30), tid: 300, pid: 300, isGroupDead: true, code: 2 },
  { type: 'reparent', at: at(31), pid: 301, parentPid: 1 },
];

function told(): ProcessTree {
  const tree = new ProcessTree();
  for (const event of STORY) tree.apply(event);
  return tree;
}

function presentIn(tree: TemporalTree): TaskIndex[] {
  return Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex).filter((task) => tree.isPresent(task));
}

/** Everything about everyone, in the order of their ids. */
function factsOf(tree: TemporalTree): unknown {
  const facts: unknown[] = [];
  for (const task of presentIn(tree).sort((a, b) => tree.taskIdOf(a) - tree.taskIdOf(b))) {
    const texts: string[] = [];
    tree.writeFacts(task, {
      numberedText: (_, text) => texts.push(text),
      task: (...fact) => facts.push(['task', ...fact]),
      set: (...fact) => facts.push(['set', ...fact]),
      exit: (...fact) => facts.push(['exit', ...fact]),
    });
    facts.push(texts);
  }
  return facts;
}

test('tasks that are copied into another tree are there as they were', () => {
  const { tree } = told();
  const copy = new TemporalTree({ entriesPerField: 1000 });
  const texts = new CopiedTexts();
  // Twice: what is cleared leaves nothing behind, and texts that are known already are the right ones.
  for (let round = 0; round < 2; round++) {
    copy.clear(1000);
    expect(copy.taskCount).toBe(0);
    expect(presentIn(copy)).toEqual([]);
    copy.copyTasks(tree, presentIn(tree), texts);
    expect(factsOf(copy)).toEqual(factsOf(tree));
    const child = copy.indexOf(3 as TaskId);
    expect(copy.executablePathAt(child, at(25))).toBe('/bin/sh');
    expect(copy.textAt(child, 'cwd', at(25))).toBe('/srv');
    expect(copy.taskIdOf(copy.parentAt(child, at(32)))).toBe(1);
    expect(copy.threadsOf(child).map((thread) => copy.taskIdOf(thread))).toEqual([4]);
    expect(
      copy
        .childrenAt(copy.indexOf(1 as TaskId), at(32))
        .map((task) => copy.taskIdOf(task))
        .sort(),
    ).toEqual([2, 3]);
  }
});

test('one after the other they are the same, and facts can follow', () => {
  const { tree } = told();
  const copy = new TemporalTree();
  const texts = new CopiedTexts();
  for (const task of presentIn(tree).reverse()) copy.copyTasks(tree, [task], texts);
  expect(factsOf(copy)).toEqual(factsOf(tree));
  const writer = new BatchWriter();
  writer.set(3 as TaskId, 2, at(40), 2, writer.text('later'));
  copy.apply(writer.finish());
  expect(copy.textAt(copy.indexOf(3 as TaskId), 'comm', at(41))).toBe('later');
});

test('texts that were forgotten in between are looked up again', () => {
  const { tree } = told();
  const copy = new TemporalTree();
  const texts = new CopiedTexts();
  copy.copyTasks(tree, presentIn(tree), texts);
  copy.clear();
  expect(copy.textCount).toBe(0);
  copy.intern('takes the number of another');
  copy.copyTasks(tree, presentIn(tree), texts);
  expect(factsOf(copy)).toEqual(factsOf(tree));
});

test('who created a task and who its parents were can be forgotten, and those above are let go of then', () => {
  const { tree } = told();
  const child = tree.indexOf(3 as TaskId);
  const shell = tree.indexOf(2 as TaskId);
  expect(tree.isReferenced(shell)).toBe(true);
  tree.forgetWayUp(child);
  expect(tree.creatorOf(child)).toBe(-1);
  expect(tree.isReferenced(shell)).toBe(false);
  expect(tree.isPresent(child)).toBe(true);
});

test('a tree goes on from an id, and with those of an earlier tree who live on', () => {
  const before = told();
  const writer = new BatchWriter();
  const processesFirst = presentIn(before.tree).sort(
    (a, b) => Number(before.tree.isThread(a)) - Number(before.tree.isThread(b)),
  );
  for (const task of processesFirst) before.tree.writeFacts(task, writer);
  const tree = new ProcessTree({ firstTaskId: 500 });
  tree.apply(STORY[0] as TaskEvent);
  tree.apply({ type: 'facts', at: at(40), batch: writer.finish(), isSnapshot: true });
  // A scan of /proc sees 301, in ticks of 10 ms, and init, and nobody else. 302 is new.
  tree.apply({ type: 'observe', at: at(101), tid: 1, pid: 1, ppid: 0, start: at(-10), startIsTick: true, uid: 0 });
  tree.apply({ type: 'observe', at: at(102), tid: 301, pid: 301, ppid: 1, start: at(20), startIsTick: true, uid: 0 });
  tree.apply({ type: 'observe', at: at(103), tid: 302, pid: 302, ppid: 1, start: at(60), startIsTick: true, uid: 0 });
  tree.apply({ type: 'scan', at: at(110), from: at(100) });
  const idOf = (pid: number) => tree.tree.taskIdOf(tree.resolve({ pid }, at(120)));
  expect([idOf(1), idOf(301), idOf(302)]).toEqual([1, 3, 500]);
  // The thread was not seen any more.
  expect(tree.tree.isAliveAt(tree.tree.indexOf(4 as TaskId), at(120))).toBe(false);
  // Another life under a tid that was in use.
  tree.apply({ type: 'fork', at: at(200), tid: 301, creatorTid: 1 });
  expect(tree.tree.taskIdOf(tree.resolve({ pid: 301 }, at(201)))).toBe(501);
  expect(tree.tree.isAliveAt(tree.tree.indexOf(3 as TaskId), at(201))).toBe(false);
});

test('a task that was copied keeps no more entries of a field than the tree has room for', () => {
  const NUMBERS = 5;
  const [tree, copy] = [new TemporalTree({ entriesPerField: NUMBERS }), new TemporalTree({ entriesPerField: NUMBERS })];
  const writer = new BatchWriter();
  writer.task(1 as TaskId, 1 as Tid, 1 as Tid, NO_TASK_ID, NO_TASK_ID, at(0), 7 as EntityId, 0, AUTHORITY.event);
  for (let ms = 1; ms <= NUMBERS; ms++) writer.set(1 as TaskId, FIELDS.uid.id, at(ms), AUTHORITY.event, ms);
  tree.apply(writer.finish());
  copy.copyTasks(tree, presentIn(tree), new CopiedTexts());
  const task = copy.indexOf(1 as TaskId);
  for (let ms = 101; ms <= 103; ms++) copy.mergeValue(task, FIELDS.uid.id, at(ms), AUTHORITY.event, ms);
  expect(copy.changelogOf(task, 'uid').map(({ value }) => value)).toEqual([4, 5, 101, 102, 103]);
  expect(copy.entryCount).toBe(NUMBERS);
});
