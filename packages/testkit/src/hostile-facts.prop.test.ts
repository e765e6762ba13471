// Whatever a recording, a socket or a database tells, nothing that is asked afterwards throws, runs on or contradicts
// itself. A tree is told either directly, as replicas and histories are, or through what takes recordings.

import {
  AmbiguousTaskError,
  DataNotFoundError,
  differenceOf,
  NO_TASK,
  orderTree,
  orderUnion,
  ProcessTree,
  ProcessTreeDataSource,
  processJson,
  rememberTree,
  type TaskIndex,
  TemporalTree,
  type TreeOrder,
  TreeOrders,
  threadJson,
} from '@dendro/engine';
import {
  AUTHORITY,
  BatchWriter,
  type EntityId,
  type EventNs,
  FIELDS,
  type FieldName,
  NO_TASK_ID,
  TASK_FLAG,
  type TaskId,
  type Tid,
} from '@dendro/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WriteFact } from './arbitraries.ts';
import { hostileFacts, LONG_SHAPE_NAMES, longShape } from './hostile-facts.ts';
import { randomRuns } from './random-runs.ts';

const BASE = { epochNs: 1_700_000_000_000_000_000n };
const LIMITS = { maxProcesses: 250_000, maxThreads: 250_000 };
const AT = [-1, 0, 3, 8, 2e9].map((at) => at as EventNs);
const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];

function batchOf(facts: readonly WriteFact[]): Uint8Array<ArrayBuffer> {
  const writer = new BatchWriter();
  for (const write of facts) write(writer);
  return writer.finish();
}

function takenBy(host: ProcessTree, batches: readonly Uint8Array[]): ProcessTree {
  host.apply({ type: 'clock', epochNs: BASE.epochNs });
  for (const batch of batches) {
    host.apply({ type: 'facts', at: 0 as EventNs, batch, isSnapshot: false });
    host.commit();
  }
  return host;
}

function appliedTo(tree: TemporalTree, batches: readonly Uint8Array[]): TemporalTree {
  for (const batch of batches) tree.apply(batch);
  return tree;
}

function slotsOf(tree: TemporalTree): TaskIndex[] {
  const slots = Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex);
  return slots.filter((slot) => tree.isPresent(slot) || tree.isStub(slot));
}

/** Every process once, below its ancestors. */
function expectSound(tree: TemporalTree, { length, tasks, depths, subtreeEnds }: TreeOrder): void {
  expect(new Set(tasks).size).toBe(length);
  const open: number[] = [];
  for (let position = 0; position < length; position++) {
    while (open.length > 0 && (subtreeEnds[open.at(-1) as number] as number) <= position) open.pop();
    expect(depths[position]).toBe(open.length);
    expect(subtreeEnds[position]).toBeGreaterThan(position);
    expect(tree.isPresent(tasks[position] as TaskIndex)).toBe(true);
    open.push(position);
  }
}

function askAll(tree: TemporalTree): void {
  const slots = slotsOf(tree);
  for (const at of AT) {
    for (const task of slots) {
      const values = [...tree.valuesAt(task, at)];
      for (const field of FIELD_NAMES) {
        if (field !== 'parent') expect(values[FIELDS[field].id]).toEqual(tree.valueAt(task, field, at));
        tree.sinceAt(task, field, at);
        tree.authorityAt(task, field, at);
      }
      const parent = tree.parentAt(task, at);
      expect(parent).not.toBe(task);
      if (parent !== NO_TASK && tree.isPresent(task)) expect(tree.childrenAt(parent, at)).toContain(task);
      for (const child of tree.childrenAt(task, at)) expect(tree.parentAt(child, at)).toBe(task);
    }
    const options = { at, keepExitedNs: 3, threads: () => true, kernelThreads: false };
    expectSound(tree, orderTree(tree, { ...options, keepExitedNs: Number.POSITIVE_INFINITY, kernelThreads: true }));
    expectSound(tree, orderTree(tree, options));
    expectSound(tree, orderUnion(tree, { ...options, alsoAt: 5 as EventNs }));
    const sides = [at, 5 as EventNs].map((at) => rememberTree({ tree, base: BASE, at }, { limit: 9, threads: true }));
    differenceOf(sides[0] as never, sides[1] as never, BASE.epochNs, { limit: 9 });
  }
}

/** As JSON: reading what is looked up late too. */
function askSource(host: ProcessTree): void {
  const source = new ProcessTreeDataSource(host);
  for (const time of AT) {
    for (const slot of slotsOf(host.tree)) {
      const ids = { taskId: host.tree.taskIdOf(slot) };
      for (const task of [ids, { pid: host.tree.tidOf(slot) as number }, { entityId: host.tree.entityIdOf(slot) }]) {
        try {
          JSON.stringify(processJson(BASE, source.get({ kind: 'ProcKey', task, time }).process_info));
          JSON.stringify(threadJson(BASE, source.get({ kind: 'ThreadKey', task, time }).thread_info));
          const lineage = source.get({ kind: 'LineageKey', task, time, maxDepth: 100 }).process_lineage.info;
          JSON.stringify(lineage.ancestors.map((ancestor) => processJson(BASE, ancestor)));
          const met = lineage.ancestors.map(({ info }) => info.taskId);
          expect(new Set(met).size).toBe(met.length);
          source.getChildren(task, time);
          source.getThreads(task, time);
        } catch (error) {
          if (!(error instanceof DataNotFoundError) && !(error instanceof AmbiguousTaskError)) throw error;
        }
      }
    }
  }
}

test('[AS8] whatever facts say, everything can be asked', () => {
  fc.assert(
    fc.property(hostileFacts(), hostileFacts(), fc.constantFrom(1, 3, 64), (first, second, entriesPerField) => {
      const batches = [batchOf(first), batchOf(second)];
      const tree = appliedTo(new TemporalTree({ entriesPerField }), batches);
      askAll(tree);
      const host = takenBy(new ProcessTree({ entriesPerField, maxProcesses: 6, maxThreads: 3 }), batches);
      askAll(host.tree);
      askSource(host);
      const writer = new BatchWriter();
      for (const task of slotsOf(tree)) tree.writeFacts(task, writer);
      appliedTo(new TemporalTree(), [writer.finish()]);
    }),
    randomRuns(150),
  );
});

// It stood twice in a layout, as a thread of the one and as a process.
test('[AS8] whoever has another leader is a thread, whatever was told', () => {
  const writer = new BatchWriter();
  for (const id of [1, 2] as TaskId[]) {
    const tid = id as number as Tid;
    writer.task(id, tid, tid, 1 as TaskId, NO_TASK_ID, 0 as EventNs, 0 as EntityId, 0, AUTHORITY.event);
  }
  const tree = appliedTo(new TemporalTree(), [writer.finish()]);
  const order = orderTree(tree, { at: AT[2] as EventNs, keepExitedNs: 0, threads: () => true, kernelThreads: true });
  expect([...order.tasks].map((task) => tree.isThread(task as TaskIndex))).toEqual([false, true]);
});

// Its parent was itself.
test('[AS8] who is seen under a thread of its own is not its own parent', () => {
  const writer = new BatchWriter();
  const [process, thread] = [1 as TaskId, 2 as TaskId];
  const at = (ns: number) => ns as EventNs;
  const none = 0 as EntityId;
  writer.task(process, 1 as Tid, 1 as Tid, process, NO_TASK_ID, at(0), none, 0, AUTHORITY.event);
  writer.task(thread, 2 as Tid, 1 as Tid, process, process, at(1), none, TASK_FLAG.thread, AUTHORITY.event);
  writer.set(process, FIELDS.parent.id, at(5), AUTHORITY.sighting, thread);
  const tree = appliedTo(new TemporalTree(), [writer.finish()]);
  expect([0, 3, 5, 7].map((ns) => tree.parentAt(tree.indexOf(process), at(ns)))).toEqual(Array(4).fill(NO_TASK));
});

// Its slot was given out again, and whoever asked for its pid waited for ever.
test('who is told to have created itself is a task all the same', () => {
  const writer = new BatchWriter();
  for (const id of [1, 2] as TaskId[]) {
    writer.task(id, 6 as Tid, 6 as Tid, id, id, (10 - id) as EventNs, id as number as EntityId, 0, AUTHORITY.event);
  }
  const host = takenBy(new ProcessTree(), [writer.finish()]);
  expect(host.counts).toMatchObject({ tasks: 2, ringsRefused: 2 });
  expect([8, 9].map((at) => host.tree.taskIdOf(host.resolve({ pid: 6 }, at as EventNs)))).toEqual([2, 1]);
});

// Each was looked for among all that were there, and all were sorted again.
test('a hundred thousand gaps are taken at once, and the last ten thousand are kept', () => {
  const writer = new BatchWriter();
  for (let i = 0; i < 100_000; i++) {
    const from = (i * 7919) % 100_003;
    writer.gap(from as EventNs, (from + 1) as EventNs, 1);
  }
  const batch = writer.finish();
  const began = performance.now();
  const gaps = appliedTo(new TemporalTree(), [batch]).gaps();
  expect(performance.now() - began).toBeLessThan(MOST_MS);
  expect(gaps).toHaveLength(10_000);
  expect(gaps.map(({ from }) => from)).toEqual(gaps.map(({ from }) => from).toSorted((a, b) => a - b));
  expect(gaps.at(-1)?.from).toBe(100_002);
});

const LONG = 10_000;
/** What walks up for everybody anew takes some twenty times as long. */
const MOST_MS = 500;

describe.each(LONG_SHAPE_NAMES)('[AS8] %s', (shape) => {
  const batch = longShape(shape, LONG);

  test.each(['told', 'recorded'] as const)('%s: nothing costs more than its length', (way) => {
    const timed = <T>(what: string, run: () => T): T => {
      const began = performance.now();
      const answer = run();
      expect(performance.now() - began, what).toBeLessThan(MOST_MS);
      return answer;
    };
    const host = new ProcessTree(LIMITS);
    const tree = way === 'told' ? new TemporalTree() : host.tree;
    timed('taking it', () => (way === 'told' ? appliedTo(tree, [batch]) : takenBy(host, [batch])));
    const slots = slotsOf(tree);
    if (slots.length === 0) return; // all of it was refused
    const at = (LONG + 1) as EventNs;
    timed('parents', () => slots.map((task) => tree.parentAt(task, at)));
    timed('children', () => tree.childrenAt(slots[0] as TaskIndex, at));
    timed('names', () => slots.map((task) => tree.textAt(task, 'comm', at)));
    timed('all fields', () => slots.map((task) => tree.valuesAt(task, at).length));
    const options = { at, keepExitedNs: Number.POSITIVE_INFINITY, threads: () => true, kernelThreads: true };
    const order = timed('an order', () => orderTree(tree, options));
    expect(order.length).toBeLessThanOrEqual(slots.length);
    timed('an order of two instants', () => orderUnion(tree, { ...options, alsoAt: 5 as EventNs }));
    const orders = new TreeOrders(tree);
    timed('orders', () => [orders.order({ ...options, at: 5 as EventNs }), orders.order(options)]);
    const writer = new BatchWriter();
    timed('facts', () => slots.map((task) => tree.writeFacts(task, writer)));
    timed('what it remembers', () => rememberTree({ tree, base: BASE, at }, { limit: 9, threads: true }));
    if (way === 'told') return;
    const source = new ProcessTreeDataSource(host);
    const task = { taskId: tree.taskIdOf(slots.at(-1) as TaskIndex) };
    timed('a lineage', () => source.getAncestry(task, at, LONG).map(({ info }) => info.comm));
  });
});
