import { type ChangelogEntry, NO_TASK, orderTree, type TaskIndex, TemporalTree } from '@dendro/engine';
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
import { expect, test } from 'vitest';
import { arbitraryFacts, type WriteFact } from './arbitraries.ts';
import { randomRuns } from './random-runs.ts';
import { describeTree } from './tree-text.ts';

const RUNS = randomRuns(500);

const T = (time: number) => time as EventNs;

function treeOf(batches: readonly (readonly WriteFact[])[], entriesPerField?: number): TemporalTree {
  const tree = new TemporalTree({ entriesPerField });
  const writer = new BatchWriter();
  for (const batch of batches) {
    for (const write of batch) write(writer);
    tree.apply(writer.finish());
  }
  return tree;
}

const ANNOUNCE_ALL: readonly WriteFact[] = [1, 2, 3, 4, 5].map((id) => (out) => {
  const task = id as TaskId;
  out.task(task, id as Tid, id as Tid, task, NO_TASK_ID, 12 as EventNs, 0 as EntityId, 0, AUTHORITY.inferred);
});

const singly = (facts: readonly WriteFact[]) => facts.map((fact) => [fact]);

test('[FA1] [FA2] [FA6] facts in any order, any number of times, make the same tree', () => {
  const shuffled = arbitraryFacts().chain((facts) =>
    fc.tuple(
      fc.constant(facts),
      fc.shuffledSubarray([...facts, ...facts], { minLength: facts.length * 2, maxLength: facts.length * 2 }),
    ),
  );
  fc.assert(
    fc.property(shuffled, fc.constantFrom(1, 2, 64), ([facts, again], limit) => {
      const expected = treeOf([facts], limit);
      const actual = treeOf(singly(again), limit);
      expect(describeTree(actual)).toEqual(describeTree(expected));
      expect(actual.gaps()).toEqual(expected.gaps());
    }),
    RUNS,
  );
});

test('[FA8] a tree rebuilt from the facts that a tree writes is the same tree, and takes later facts the same way', () => {
  fc.assert(
    fc.property(arbitraryFacts(), arbitraryFacts(), fc.constantFrom(1, 2, 64), (facts, later, entriesPerField) => {
      // Facts about tasks that nobody has announced are no part of a snapshot: announce all.
      const tree = treeOf([ANNOUNCE_ALL, facts], entriesPerField);
      const writer = new BatchWriter();
      for (let slot = 0; slot < tree.slotCount; slot++) {
        if (tree.isPresent(slot as TaskIndex)) tree.writeFacts(slot as TaskIndex, writer);
      }
      const rebuilt = new TemporalTree({ entriesPerField });
      rebuilt.apply(writer.finish());
      expect(describeTree(rebuilt)).toEqual(describeTree(tree));

      for (const write of later) write(writer);
      const batch = writer.finish();
      tree.apply(batch);
      rebuilt.apply(batch);
      expect(describeTree(rebuilt)).toEqual(describeTree(tree));
    }),
    RUNS,
  );
});

// The bit of the last field that has lost entries is the sign of a word: writing it down never ended.
test('[FA8] of every field it is written down once that it has lost its oldest entries', () => {
  const numbers = (Object.keys(FIELDS) as FieldName[]).filter((field) => FIELDS[field].type === 'number');
  const facts = numbers.flatMap((field) =>
    [1, 2, 3].map(
      (time): WriteFact =>
        (out) =>
          out.set(1 as TaskId, FIELDS[field].id, T(time), AUTHORITY.event, time),
    ),
  );
  const tree = treeOf([ANNOUNCE_ALL, facts], 2);
  const task = tree.indexOf(1 as TaskId);
  const written: number[] = [];
  const writer = new BatchWriter();
  tree.writeFacts(task, {
    task: () => {},
    exit: () => {},
    numberedText: () => 0,
    set: (_, field, since) => {
      written.push(field);
      expect(written.length).toBeLessThan(100);
      if (since > 0) return;
      expect(numbers.map((name) => FIELDS[name].id as number)).toContain(field);
    },
  });
  for (const name of numbers) expect(written.filter((field) => field === FIELDS[name].id)).toHaveLength(3);

  tree.writeFacts(task, writer);
  const rebuilt = new TemporalTree({ entriesPerField: 2 });
  rebuilt.apply(writer.finish());
  for (const name of numbers) expect(rebuilt.isTrimmedAt(rebuilt.indexOf(1 as TaskId), name, T(0))).toBe(true);
});

test('[AS1] [AS3] [AS4] as of any time a field is its newest entry until then, else what the creator or the process had', () => {
  fc.assert(
    fc.property(arbitraryFacts(), (facts) => {
      const tree = treeOf([facts]);
      for (let slot = 0; slot < tree.slotCount; slot++) {
        const task = slot as TaskIndex;
        for (let at = 0; at <= 12; at++) {
          expect(tree.textAt(task, 'comm', at as EventNs)).toBe(slowComm(tree, task, at as EventNs, []));
          expect(tree.parentAt(task, at as EventNs)).toBe(slowParent(tree, task, at as EventNs));
        }
      }
    }),
    RUNS,
  );
});

// Once the other way round: found by seed 1981390963.
test('[FA6] [EN4] a thread does not live on to the oldest exec that is kept when an earlier one may have ended it', () => {
  const facts: WriteFact[] = [
    (out) =>
      out.task(1 as TaskId, 1 as Tid, 1 as Tid, 1 as TaskId, NO_TASK_ID, T(0), 0 as EntityId, 0, AUTHORITY.event),
    (out) =>
      out.task(2 as TaskId, 2 as Tid, 1 as Tid, 1 as TaskId, 1 as TaskId, T(0), 0 as EntityId, 1, AUTHORITY.event),
    (out) => out.set(1 as TaskId, FIELDS.argv.id, T(1), AUTHORITY.inferred, 0),
    (out) => out.set(1 as TaskId, FIELDS.argv.id, T(2), AUTHORITY.inferred, out.text('b\0')),
  ];
  const [all, few] = [treeOf([facts]), treeOf([facts], 1)];
  const threadOf = (tree: TemporalTree) => tree.indexOf(2 as TaskId);
  expect(all.valueAt(threadOf(all), 'argv', T(5))).toBeUndefined();
  expect(few.valueAt(threadOf(few), 'argv', T(5))).toBeUndefined();
  expect(few.valuesAt(threadOf(few), T(5))[FIELDS.argv.id]).toBeUndefined();
  expect(few.isTrimmedAt(threadOf(few), 'argv', T(5))).toBe(true);
  expect(few.valueAt(few.indexOf(1 as TaskId), 'argv', T(5))).toEqual(['b']);
});

// Once the other way round: about one set of facts in 20,000.
test('[FA6] who was told to end before its birth no longer knows its parent either', () => {
  const facts: WriteFact[] = [
    (out) =>
      out.task(1 as TaskId, 1 as Tid, 1 as Tid, 1 as TaskId, NO_TASK_ID, T(1), 0 as EntityId, 0, AUTHORITY.inferred),
    (out) => out.exit(1 as TaskId, T(0), AUTHORITY.inferred, 0, 0),
    (out) => out.set(1 as TaskId, FIELDS.parent.id, T(0), AUTHORITY.inferred, Number.NaN),
    (out) => out.set(1 as TaskId, FIELDS.parent.id, T(1), AUTHORITY.inferred, 2),
    (out) =>
      out.task(2 as TaskId, 2 as Tid, 2 as Tid, 2 as TaskId, NO_TASK_ID, T(0), 0 as EntityId, 0, AUTHORITY.event),
  ];
  const few = treeOf([facts], 1);
  const task = few.indexOf(1 as TaskId);
  expect(few.parentAt(task, T(1))).toBe(few.indexOf(2 as TaskId));
  expect(few.isTrimmedAt(task, 'parent', T(1))).toBe(false);
});

// They once asked each other until there was no stack left.
test('[AS8] [FO2] who were born as siblings of each other have no parent that anybody knows', () => {
  const siblings = [1, 2, 3].map(
    (id): WriteFact =>
      (out) =>
        out.task(
          id as TaskId,
          id as Tid,
          id as Tid,
          id as TaskId,
          ((id % 3) + 1) as TaskId,
          T(id),
          0 as EntityId,
          TASK_FLAG.sibling,
          AUTHORITY.event,
        ),
  );
  const tree = treeOf([siblings]);
  for (const task of slotsOf(tree)) {
    for (let at = 0; at < 5; at++) expect(tree.parentAt(task, T(at))).toBe(NO_TASK);
  }
});

test('[FA6] a tree that keeps few entries says what one that keeps all says, or that it no longer knows', () => {
  let trimmed = 0;
  fc.assert(
    fc.property(fc.oneof(arbitraryFacts(2), arbitraryFacts(3)), fc.integer({ min: 1, max: 2 }), (facts, limit) => {
      const [all, few] = [treeOf([facts]), treeOf([facts], limit)];
      for (const task of slotsOf(all)) {
        const slot = few.indexOf(all.taskIdOf(task));
        if (slot === NO_TASK) continue;
        for (let at = 0; at <= 12; at++) {
          for (const field of FIELD_NAMES) {
            expect(all.isTrimmedAt(task, field, at as EventNs)).toBe(false);
            const isTrimmed = few.isTrimmedAt(slot, field, at as EventNs);
            if (isTrimmed) trimmed++;
            const known = isTrimmed ? undefined : answerAt(all, task, field, at as EventNs);
            expect(answerAt(few, slot, field, at as EventNs)).toEqual(known);
          }
        }
      }
    }),
    RUNS,
  );
  expect(trimmed).toBeGreaterThan(100);
});

test('[AS3] [AS4] all fields at once are what each of them is alone', () => {
  fc.assert(
    fc.property(arbitraryFacts(), fc.constantFrom(1, 64), (facts, limit) => {
      const tree = treeOf([facts], limit);
      for (const task of slotsOf(tree)) {
        for (let at = 0; at <= 12; at++) {
          const values = [...tree.valuesAt(task, at as EventNs)];
          for (const field of FIELD_NAMES) {
            if (field !== 'parent') expect(values[FIELDS[field].id]).toEqual(tree.valueAt(task, field, at as EventNs));
          }
        }
      }
    }),
    RUNS,
  );
});

const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];

function slotsOf(tree: TemporalTree): TaskIndex[] {
  const slots = Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex);
  return slots.filter((slot) => tree.isPresent(slot) || tree.isStub(slot));
}

function answerAt(tree: TemporalTree, task: TaskIndex, field: FieldName, at: EventNs): unknown {
  if (field !== 'parent') return tree.valueAt(task, field, at);
  const parent = tree.parentAt(task, at);
  return parent === NO_TASK ? undefined : tree.taskIdOf(parent);
}

// The rules of reading, in their plainest form. Times are so near to each other that a name is of every image.

function slowComm(tree: TemporalTree, task: TaskIndex, time: EventNs, below: readonly string[]): string | undefined {
  if (task === NO_TASK) return undefined;
  const at = Math.min(time, tree.exitOf(task)) as EventNs;
  const log = tree.changelogOf(task, 'comm');
  const own = log.findLast((entry) => entry.since <= at);
  const next = log.find((entry) => entry.since > at);
  const execs = tree.changelogOf(task, 'argv').filter(({ authority }) => authority !== AUTHORITY.sighting);
  const nextExec = execs.find(({ since }) => since > at)?.since ?? Number.POSITIVE_INFINITY;
  const isSeen = next?.authority === AUTHORITY.sighting && next.since <= tree.exitOf(task) && next.since < nextExec;
  const seen = isSeen ? next.value : undefined;
  const isSettled = own !== undefined && own.authority >= AUTHORITY.sighting && own.value !== undefined;
  if (own !== undefined) return (isSettled ? own.value : (seen ?? own.value)) as string | undefined;
  if (seen !== undefined && execs.some(({ since }) => since <= at)) return seen as string;
  const here = `${task} at ${at}`;
  if (below.includes(here)) throw ENDLESS;
  const isOfProcess = tree.isThread(task) && tree.creatorOf(task) === NO_TASK;
  try {
    const inherited = isOfProcess
      ? slowComm(tree, tree.leaderOf(task), at, [...below, here])
      : slowComm(tree, tree.creatorOf(task), Math.min(at, tree.startOf(task)) as EventNs, [...below, here]);
    return inherited ?? (seen as string | undefined);
  } catch (error) {
    if (error !== ENDLESS || below.length > 0) throw error;
    return seen as string | undefined;
  }
}

const ENDLESS = new Error('creators in a ring');
const RING = new Error('siblings of siblings in a ring');

function slowParent(tree: TemporalTree, task: TaskIndex, time: EventNs, steps = 0): TaskIndex {
  const start = tree.startOf(task);
  if (tree.isThread(task) || time < start) return NO_TASK;
  const at = Math.min(time, Math.max(start, tree.exitOf(task))) as EventNs;
  const process = (named: TaskIndex): TaskIndex => {
    let one = named;
    for (let steps = 0; steps < 8; steps++) {
      if (one === NO_TASK || !tree.isThread(one) || tree.leaderOf(one) === NO_TASK) return one;
      one = tree.leaderOf(one);
    }
    return named; // a ring
  };
  const taskOf = (entry: ChangelogEntry | undefined) =>
    entry?.value === undefined ? NO_TASK : process(tree.indexOf(entry.value as TaskId));
  const log = tree.changelogOf(task, 'parent');
  const own = log.findLast((entry) => entry.since <= at);
  const next = log.find((entry) => entry.since > at);
  const isOther = next !== undefined && taskOf(next) !== task;
  const isSeen = isOther && next.authority === AUTHORITY.sighting && next.since <= tree.exitOf(task);
  const birthParent = () => {
    const creator = process(tree.creatorOf(task));
    if (creator === NO_TASK || (tree.flagsOf(task) & TASK_FLAG.sibling) === 0) return creator;
    if (steps > tree.slotCount) throw RING;
    try {
      return process(slowParent(tree, creator, start, steps + 1));
    } catch (error) {
      if (error !== RING || steps > 0) throw error;
      return NO_TASK;
    }
  };
  let parent = own === undefined ? birthParent() : taskOf(own);
  if (parent === task) parent = NO_TASK;
  const authority = own?.authority ?? (parent === NO_TASK ? AUTHORITY.inferred : tree.creatorAuthorityOf(task));
  const hasEnded = parent !== NO_TASK && at !== start && tree.exitOf(parent) <= at;
  if (isSeen && (hasEnded || authority === AUTHORITY.inferred)) return taskOf(next);
  if (!hasEnded) return parent;
  const init = slotsOf(tree).find((slot) => tree.tidOf(slot) === 1);
  return init === undefined || init === task || tree.isThread(init) ? NO_TASK : init;
}

test('[AS6] [AS7] children and parents say the same at every time', () => {
  fc.assert(
    fc.property(arbitraryFacts(), (facts) => {
      const tree = treeOf([facts], 3);
      const slots = Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex);
      for (let at = 0; at <= 12; at++) {
        for (const parent of slots) {
          const children = slots.filter(
            (child) => tree.isPresent(child) && tree.parentAt(child, at as EventNs) === parent,
          );
          expect(tree.childrenAt(parent, at as EventNs).sort()).toEqual(children.sort());
        }
      }
    }),
    RUNS,
  );
});

test('[AS8] a preorder holds every process of its time once, below its parent, whatever the facts say', () => {
  fc.assert(
    fc.property(arbitraryFacts(8), fc.integer({ min: 0, max: 12 }), (facts, time) => {
      const tree = treeOf([facts]);
      const at = time as EventNs;
      const order = orderTree(tree, {
        at,
        keepExitedNs: Number.POSITIVE_INFINITY,
        threads: () => false,
        kernelThreads: true,
      });
      const expected: number[] = [];
      for (let slot = 0; slot < tree.slotCount; slot++) {
        const task = slot as TaskIndex;
        if (tree.isPresent(task) && !tree.isThread(task) && tree.startOf(task) <= at) expected.push(task);
      }
      expect([...order.tasks].sort()).toEqual(expected.sort());
      for (let position = 0; position < order.length; position++) {
        const end = order.subtreeEnds[position]!;
        expect(end).toBeGreaterThan(position);
        for (let below = position + 1; below < end; below++)
          expect(order.depths[below]).toBeGreaterThan(order.depths[position]!);
        if (end < order.length) expect(order.depths[end]).toBeLessThanOrEqual(order.depths[position]!);
      }
    }),
    RUNS,
  );
});
