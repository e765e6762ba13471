// What stays of several facts that speak of one thing, in whatever order they
// come, and how they are read.

import {
  AUTHORITY,
  type Authority,
  BatchWriter,
  type EntityId,
  type EventNs,
  FIELDS,
  type FieldName,
  isTextField,
  TASK_FLAG,
  type TaskId,
  type Tid,
} from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { TemporalTree } from './temporal-tree.ts';
import { exit as exitEvent, fork, hostOf, INIT, infoAt, permutations, seconds } from './test-events.ts';

const { event, sighting, inferred } = AUTHORITY;
const at = (n: number) => n as EventNs;

type WriteFact = (out: BatchWriter) => void;

interface Birth {
  readonly pid?: number;
  readonly leader?: number;
  readonly creator?: number;
  readonly start?: number;
  readonly flags?: number;
  readonly authority?: Authority;
}

/** Task `id` with the tid `id`: a thread when it has another leader. */
function task(id: number, birth: Birth = {}): WriteFact {
  const { leader = id, pid = leader, creator = 0, start = 0, authority = event } = birth;
  const flags = (birth.flags ?? 0) | (leader === id ? 0 : TASK_FLAG.thread);
  const [taskId, leaderId, creatorId] = [id as TaskId, leader as TaskId, creator as TaskId];
  return (out) =>
    out.task(taskId, id as Tid, pid as Tid, leaderId, creatorId, at(start), 0 as EntityId, flags, authority);
}

/** The same task under another tid. */
function taskWithTid(id: number, tid: number, start: number, authority: Authority): WriteFact {
  const [taskId, ownTid] = [id as TaskId, tid as Tid];
  return (out) => out.task(taskId, ownTid, ownTid, taskId, 0 as TaskId, at(start), 0 as EntityId, 0, authority);
}

/** A value of undefined says that from then on it is not known. */
function set(id: number, field: FieldName, since: number, value?: string | number, authority: Authority = event) {
  const { id: fieldId, type } = FIELDS[field];
  return (out: BatchWriter): void => {
    const known = typeof value === 'string' ? out.text(value) : value;
    out.set(id as TaskId, fieldId, at(since), authority, known ?? (isTextField(type) ? 0 : Number.NaN));
  };
}

function exit(id: number, time: number, authority: Authority = event, code = -1, signal = -1): WriteFact {
  return (out) => out.exit(id as TaskId, at(time), authority, code, signal);
}

/** A tree that got each fact in a batch of its own. */
function treeOf(facts: readonly WriteFact[]): TemporalTree {
  const tree = new TemporalTree();
  const writer = new BatchWriter();
  for (const write of facts) {
    write(writer);
    tree.apply(writer.finish());
  }
  return tree;
}

function inEveryOrder(facts: readonly WriteFact[], check: (tree: TemporalTree, one: TaskIndex) => void): void {
  for (const order of permutations(facts)) {
    const tree = treeOf(order);
    check(tree, tree.indexOf(1 as TaskId));
  }
}

test('[FA1] [FA4] [PA1] who was once told as init and has another tid by now is init no longer, whoever else is', () => {
  const once = [taskWithTid(5, 1, 0, inferred), taskWithTid(5, 9, 0, event)];
  const orphan = [task(2, { start: 1 }), task(3, { creator: 2, start: 2 }), exit(2, 10)];
  const parentOfOrphan = (tree: TemporalTree, time: number) => tree.parentAt(tree.indexOf(3 as TaskId), at(time));
  inEveryOrder([...once, ...orphan], (tree) => {
    expect(tree.tidOf(tree.indexOf(5 as TaskId))).toBe(9);
    expect([parentOfOrphan(tree, 9), parentOfOrphan(tree, 10)]).toEqual([tree.indexOf(2 as TaskId), NO_TASK]);
    expect(tree.childrenAt(tree.indexOf(5 as TaskId), at(20))).toEqual([]);
  });
  inEveryOrder([task(1), ...once, ...orphan], (tree, init) => {
    expect(parentOfOrphan(tree, 10)).toBe(init);
    expect(tree.childrenAt(init, at(20))).toEqual([tree.indexOf(3 as TaskId)]);
  });
});

test('[AS8] [PA1] who is said to be a thread of its own thread, and ended with it, is no parent after that', () => {
  const ring = [task(1, { leader: 2 }), task(2, { leader: 1 }), set(3, 'parent', 0, 1, inferred), exit(2, 0)];
  inEveryOrder(ring, (tree, one) => {
    const three = tree.indexOf(3 as TaskId);
    expect([tree.parentAt(three, at(0)), tree.parentAt(three, at(1))]).toEqual([one, NO_TASK]);
  });
});

test('[FA3] what is told of a later time changes nothing about an earlier one', () => {
  inEveryOrder([task(1), set(1, 'comm', 10, 'a'), set(1, 'comm', 20, 'b'), set(1, 'comm', 30, 'c')], (tree, one) => {
    const comms = [9, 10, 19, 20, 29, 30].map((time) => tree.textAt(one, 'comm', at(time)));
    expect(comms).toEqual([undefined, 'a', 'a', 'b', 'b', 'c']);
  });
});

describe('[FA4] of a task that several describe', () => {
  test('the start is that of the greatest authority', () => {
    inEveryOrder(
      [
        task(1, { start: 3, authority: inferred }),
        task(1, { start: 5, authority: sighting }),
        task(1, { start: 8 }),
        task(1, { start: 6, authority: sighting }),
      ],
      (tree, one) => expect([tree.startOf(one), tree.authorityOf(one)]).toEqual([8, event]),
    );
  });

  test('of equal authority the smallest start', () => {
    inEveryOrder([task(1, { start: 8 }), task(1, { start: 6 }), task(1, { start: 7 })], (tree, one) =>
      expect(tree.startOf(one)).toBe(6),
    );
  });

  // Two lives of one pid, as when it was not known at first that it had been given out again; and two pids.
  test.each([
    [9, 9],
    [3, 4],
  ])(
    'of equal starts what says that it is a thread, then the leader with the greater id (of pids %i and %i)',
    (...pids) => {
      const said = pids.map((pid, i) => task(1, { leader: 3 + i, pid }));
      inEveryOrder([task(1), ...said.toReversed()], (tree, one) => {
        expect(tree.taskIdOf(tree.leaderOf(one))).toBe(4);
        expect(tree.pidOf(one)).toBe(pids[1]);
        expect(tree.isThread(one)).toBe(true);
      });
    },
  );

  test('the leader is that of the greatest authority too, whatever its id', () => {
    const facts = [task(1, { leader: 4, authority: sighting }), task(1, { leader: 3 })];
    inEveryOrder(facts, (tree, one) => expect(tree.taskIdOf(tree.leaderOf(one))).toBe(3));
  });

  test('the creator is that of the greatest authority that knows one, of equal authority the one with the greater id', () => {
    const creatorOf = (tree: TemporalTree, one: TaskIndex) => tree.taskIdOf(tree.creatorOf(one));
    const said = [task(1, { creator: 3 }), task(1, { creator: 4, authority: sighting })];
    inEveryOrder(said, (tree, one) => expect(creatorOf(tree, one)).toBe(3));
    inEveryOrder([task(1), task(1, { creator: 4, authority: sighting })], (tree, one) =>
      expect(creatorOf(tree, one)).toBe(4),
    );
    inEveryOrder([task(1, { creator: 3 }), task(1, { creator: 4 }), task(1, { creator: 2 })], (tree, one) =>
      expect(creatorOf(tree, one)).toBe(4),
    );
  });

  test('whether it is a thread goes with the greatest authority that said so', () => {
    const flags = TASK_FLAG.thread;
    inEveryOrder([task(1, { flags, leader: 3, pid: 3, authority: inferred }), task(1)], (tree, one) => {
      expect(tree.isThread(one)).toBe(false);
      expect(tree.leaderOf(one)).toBe(one);
    });
  });

  test.each(['kernelThread', 'sibling'] as const)('that it is a %s is never taken back', (name) => {
    const flags = TASK_FLAG[name];
    inEveryOrder([task(1, { flags, authority: inferred }), task(1), task(1, { authority: sighting })], (tree, one) =>
      expect(tree.flagsOf(one)).toBe(flags),
    );
  });

  test('that its start is a tick, or a first mention, goes with the start', () => {
    const flags = TASK_FLAG.startIsTick | TASK_FLAG.startIsUnknown | TASK_FLAG.placeholder;
    inEveryOrder([task(1, { flags, authority: inferred }), task(1, { start: 5 })], (tree, one) =>
      expect(tree.flagsOf(one)).toBe(0),
    );
  });
});

describe('[FA5] of an end that several tell', () => {
  const endOf = (tree: TemporalTree, one: TaskIndex) => [
    tree.exitOf(one),
    tree.exitCodeOf(one),
    tree.exitSignalOf(one),
    tree.exitAuthorityOf(one),
  ];

  test('the time is that of the greatest authority, of equal authority the earliest', () => {
    inEveryOrder([task(1), exit(1, 9), exit(1, 5, inferred), exit(1, 8), exit(1, 7, sighting)], (tree, one) =>
      expect(endOf(tree, one)).toEqual([8, undefined, undefined, event]),
    );
  });

  test('code and signal are those of the greatest authority that knows them', () => {
    inEveryOrder([task(1), exit(1, 9), exit(1, 6, sighting, 2), exit(1, 5, inferred, 1)], (tree, one) =>
      expect(endOf(tree, one)).toEqual([9, 2, undefined, event]),
    );
  });

  test('of equal authority those of the earliest end that told them', () => {
    inEveryOrder([task(1), exit(1, 7), exit(1, 8, event, 3), exit(1, 9, event, 5)], (tree, one) =>
      expect(endOf(tree, one)).toEqual([7, 3, undefined, event]),
    );
    inEveryOrder([task(1), exit(1, 9, event, 200), exit(1, 8, event, -1, 9)], (tree, one) =>
      expect(endOf(tree, one)).toEqual([8, undefined, 9, event]),
    );
  });
});

test('[FA7] what is told of a task that nobody has announced waits for the announcement', () => {
  const facts = [set(1, 'uid', 5, 1000), set(1, 'comm', 6, 'x'), exit(1, 9, event, 3), set(1, 'parent', 5, 2)];
  const tree = treeOf(facts);
  expect(tree.taskCount).toBe(0);
  expect(tree.isPresent(tree.indexOf(1 as TaskId))).toBe(false);
  const writer = new BatchWriter();
  task(1, { start: 2 })(writer);
  task(2)(writer);
  tree.apply(writer.finish());
  const one = tree.indexOf(1 as TaskId);
  expect([tree.taskCount, tree.isPresent(one)]).toEqual([2, true]);
  expect([tree.numberAt(one, 'uid', at(7)), tree.textAt(one, 'comm', at(7))]).toEqual([1000, 'x']);
  expect(tree.parentAt(one, at(7))).toBe(tree.indexOf(2 as TaskId));
  expect([tree.exitOf(one), tree.exitCodeOf(one)]).toEqual([9, 3]);
});

describe('[AS5] "not known"', () => {
  const creator = [task(2), set(2, 'comm', 0, 'sh'), set(2, 'uid', 0, 7), set(2, 'container', 0, 'c1')];

  test('ends what was known before', () => {
    inEveryOrder([task(1), set(1, 'uid', 5, 1000), set(1, 'uid', 10)], (tree, one) => {
      expect([9, 10, 99].map((time) => tree.numberAt(one, 'uid', at(time)))).toEqual([1000, undefined, undefined]);
    });
  });

  test('ends what is inherited, for its own children too', () => {
    const tree = treeOf([
      ...creator,
      task(1, { creator: 2, start: 5 }),
      ...(['comm', 'uid', 'container'] as const).map((field) => set(1, field, 10)),
      task(3, { creator: 1, start: 9 }),
      task(4, { creator: 1, start: 11 }),
    ]);
    const read = (id: number, time: number) => {
      const index = tree.indexOf(id as TaskId);
      const [comm, container] = [tree.textAt(index, 'comm', at(time)), tree.textAt(index, 'container', at(time))];
      return [comm, tree.numberAt(index, 'uid', at(time)), container];
    };
    const nothing = [undefined, undefined, undefined];
    expect([read(1, 9), read(1, 10)]).toEqual([['sh', 7, 'c1'], nothing]);
    expect([read(3, 20), read(4, 20)]).toEqual([['sh', 7, 'c1'], nothing]);
  });

  test('is a value of the parent too', () => {
    inEveryOrder([task(1), task(2), set(1, 'parent', 0, 2), set(1, 'parent', 10)], (tree, one) => {
      expect(tree.parentAt(one, at(9))).toBe(tree.indexOf(2 as TaskId));
      expect(tree.parentAt(one, at(10))).toBe(NO_TASK);
    });
  });
});

describe('[AS9] after its end', () => {
  test('a process reads as it was then', () => {
    const facts = [task(1), set(1, 'uid', 1, 5), set(1, 'uid', 60, 6), set(1, 'comm', 60, 'late'), exit(1, 50)];
    inEveryOrder(facts, (tree, one) => {
      expect([1, 50, 59, 60, 99].map((time) => tree.numberAt(one, 'uid', at(time)))).toEqual([5, 5, 5, 5, 5]);
      expect(tree.textAt(one, 'comm', at(99))).toBe(undefined);
    });
  });

  test('its parent is who it was then, and an exec told of later is none', () => {
    const late = [set(1, 'parent', 60, 3), set(1, 'argv', 60, 'late\0')];
    inEveryOrder([task(1), set(1, 'parent', 0, 2), exit(1, 50), ...late], (tree, one) => {
      expect(tree.taskIdOf(tree.parentAt(one, at(99)))).toBe(2);
      expect(tree.valueAt(one, 'argv', at(99))).toBeUndefined();
      expect(tree.execTimeAt(one, at(99))).toBeUndefined();
    });
  });

  test('a thread reads what its process had then', () => {
    const facts = [task(1, { leader: 2, start: 10 }), exit(1, 30), set(2, 'uid', 5, 5), set(2, 'uid', 40, 6)];
    const tree = treeOf([task(2), ...facts]);
    const read = (time: number) => [1, 2].map((id) => tree.numberAt(tree.indexOf(id as TaskId), 'uid', at(time)));
    expect([read(30), read(45)]).toEqual([
      [5, 5],
      [5, 6],
    ]);
  });

  test('what was told of its very end still counts', () => {
    inEveryOrder([task(1), exit(1, 50), set(1, 'uid', 50, 6)], (tree, one) =>
      expect(tree.numberAt(one, 'uid', at(70))).toBe(6),
    );
  });
});

test('[BO3] what is told of a task that has been evicted changes nothing that is read through it', () => {
  const born = [
    task(1),
    set(1, 'comm', 1, 'creator'),
    set(1, 'parent', 1, 3),
    task(2, { creator: 1, start: 5 }),
    task(3),
  ];
  const evicted: WriteFact = (out) => out.evict(1 as TaskId, false);
  const late = [
    set(1, 'comm', 2, 'late'),
    set(1, 'uid', 2, 7),
    set(1, 'parent', 2, 2),
    exit(1, 4),
    task(1, { start: -9 }),
  ];
  const tree = treeOf([...born, evicted, ...late]);
  const [one, two, three] = [1, 2, 3].map((id) => tree.indexOf(id as TaskId)) as [TaskIndex, TaskIndex, TaskIndex];
  expect([tree.isStub(one), tree.isPresent(one), tree.taskCount]).toEqual([true, false, 2]);
  expect([tree.startOf(one), tree.exitOf(one)]).toEqual([0, Number.POSITIVE_INFINITY]);
  expect([tree.textAt(two, 'comm', at(9)), tree.numberAt(two, 'uid', at(9))]).toEqual(['creator', undefined]);
  expect([tree.parentAt(two, at(9)), tree.parentAt(one, at(9))]).toEqual([one, three]);
});

describe('[GA1] a gap', () => {
  const gap = (from: number, to: number, lost: number) =>
    ({ type: 'gap', from: seconds(from), to: seconds(to), lost }) as const;
  const gapOf = (from: number, to: number, lost: number) => ({ from: seconds(from), to: seconds(to), lost });

  test('is told with its times and with how much was lost, by time', () => {
    const host = hostOf([INIT, gap(7, 8, 1), gap(2, 3, 40)]);
    expect(host.tree.gaps()).toEqual([gapOf(2, 3, 40), gapOf(7, 8, 1)]);
    expect(host.counts.gaps).toBe(2);
    expect(host.newest).toBe(seconds(8));
  });

  test('told twice is one, of at least as much as any said', () => {
    const host = hostOf([gap(2, 3, 40), gap(2, 3, 50), gap(2, 3, 40)]);
    expect(host.tree.gaps()).toEqual([gapOf(2, 3, 50)]);
  });

  test('reaches every copy of the tree', () => {
    const host = hostOf([]);
    host.apply(gap(2, 3, 40));
    const replica = new TemporalTree();
    replica.apply(host.commit()?.bytes ?? new Uint8Array());
    expect(replica.gaps()).toEqual([gapOf(2, 3, 40)]);
  });

  test('changes no task: who was born or ended in it is found by whoever looks', () => {
    const [without, within] = [[], [gap(2, 3, 40)]].map((gaps) =>
      hostOf([INIT, fork(1, 20, 1), ...gaps, fork(4, 30, 20), exitEvent(5, 20)]),
    );
    for (const pid of [1, 20, 30]) expect({ ...infoAt(within!, pid, 6) }).toEqual({ ...infoAt(without!, pid, 6) });
  });
});
