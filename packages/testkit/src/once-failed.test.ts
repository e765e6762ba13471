// Streams on which a tree once said something else than the truth, each cut
// down to what it takes. They came out of lawful-host.prop.test.ts; what they
// should have said is written down here, by hand.

import { type TaskIndex, TemporalTree } from '@dendro/engine';
import {
  CLONE,
  type EventNs,
  type ExecEvent,
  type ExitEvent,
  FIELDS,
  type ForkEvent,
  type ObserveEvent,
  type TaskEvent,
} from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { answersOf, differencesOf, snapshotOf } from './answers.ts';
import { IN_PASSING } from './lawful-host-dialects.ts';
import { treeOf } from './lawful-host-steps.ts';

const MS = 1_000_000;
const ms = (time: number) => Math.round(time * MS) as EventNs;

// Times are in milliseconds. Without a start, an event is one of the kernel's trace events.
const fork = (tid: number, start: number, more: Partial<ForkEvent> = {}): TaskEvent => ({
  type: 'fork',
  at: ms(start),
  tid,
  pid: tid,
  start: ms(start),
  creatorTid: 1,
  ...more,
});
const exit = (at: number, tid: number, start: number | undefined, more: Partial<ExitEvent> = {}): TaskEvent => ({
  type: 'exit',
  at: ms(at),
  tid,
  start: start === undefined ? undefined : ms(start),
  isGroupDead: true,
  ...more,
});
const exec = (at: number, more: Partial<ExecEvent> = {}): TaskEvent => ({
  type: 'exec',
  at: ms(at),
  pid: 1,
  start: ms(0),
  ...more,
});
/** What a tracer says of a task in passing. */
const passing = (at: number, tid: number, start: number, more: Partial<ObserveEvent> = {}): TaskEvent => ({
  type: 'observe',
  at: ms(at),
  tid,
  pid: tid,
  ppid: tid === 1 ? 0 : 1,
  start: ms(start),
  startIsTick: false,
  authority: IN_PASSING,
  ...more,
});
/** What is seen in /proc. */
const seen = (at: number, tid: number, more: Partial<ObserveEvent> = {}): TaskEvent => ({
  ...(passing(at, tid, 0, more) as ObserveEvent),
  startIsTick: true,
  authority: undefined,
});
const INIT = passing(0, 1, 0, { comm: 'init', uid: 0 });

class Answers {
  readonly tree: TemporalTree;

  constructor(events: readonly TaskEvent[]) {
    this.tree = treeOf(events).tree;
  }

  /** All lives of a tid, by start: when they began and ended, and with what. */
  livesOf(tid: number): (number | undefined)[][] {
    return this.#all(tid).map((task) => [
      this.tree.startOf(task) / MS,
      this.tree.exitOf(task) / MS,
      this.tree.exitCodeOf(task),
    ]);
  }

  life(tid: number, start: number): TaskIndex {
    const found = this.#all(tid).find((task) => this.tree.startOf(task) === ms(start));
    expect(found, `${tid} of ${start} ms`).toBeDefined();
    return found as TaskIndex;
  }

  #all(tid: number): TaskIndex[] {
    const { tree } = this;
    return Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex)
      .filter((task) => tree.isPresent(task) && tree.tidOf(task) === tid)
      .sort((a, b) => tree.startOf(a) - tree.startOf(b));
  }
}

function* permutations<T>(list: readonly T[]): Generator<T[]> {
  if (list.length === 0) yield [];
  for (const [place, one] of list.entries()) {
    for (const rest of permutations(list.toSpliced(place, 1))) yield [one, ...rest];
  }
}

/** Whatever order the events come in, and with any one of them twice. */
function inEveryOrder(events: readonly TaskEvent[], check: (answers: Answers) => void): void {
  for (const order of permutations(events)) {
    try {
      check(new Answers(order));
      check(new Answers([...order, ...order.slice(0, 2)]));
    } catch (cause) {
      throw new Error(`in this order: ${order.map((event) => JSON.stringify(event)).join('\n')}`, { cause });
    }
  }
}

describe('which life is meant', () => {
  test('[ID4] [ID6] [EN3] a thread is the last of its process, and the pid has been given out before', () => {
    const events = [
      exit(50, 4, 44, { pid: 3, code: 8 }),
      fork(3, 12),
      exit(15, 3, 12, { pid: 3, code: 2 }),
      fork(3, 39),
      fork(4, 44, { pid: 3, creatorTid: 3, leaderStart: ms(39) }),
      exit(48, 3, 39, { pid: 3, isGroupDead: false }),
    ];
    inEveryOrder(events, (answers) => {
      expect(answers.livesOf(3)).toEqual([
        [12, 15, 2],
        [39, 50, 8],
      ]);
      expect(answers.livesOf(4)).toEqual([[44, 50, 8]]);
      expect(answers.tree.leaderOf(answers.life(4, 44))).toBe(answers.life(3, 39));
    });
  });

  test('[ID4] [ID6] a parent that is named by its pid alone is the one that lived then', () => {
    const child = fork(3, 25, { creatorTid: 2 });
    inEveryOrder([passing(28, 3, 25, { ppid: 2 }), fork(2, 1), exit(5, 2, 1), fork(2, 24), child], (answers) => {
      const { tree } = answers;
      expect(answers.livesOf(2)).toEqual([
        [1, 5, undefined],
        [24, Number.POSITIVE_INFINITY, undefined],
      ]);
      expect(tree.creatorOf(answers.life(3, 25))).toBe(answers.life(2, 24));
      expect(tree.parentAt(answers.life(3, 25), ms(28))).toBe(answers.life(2, 24));
    });
  });

  test('[ID6] [EN3] a process whose pid was that of a thread of another before', () => {
    const events = [
      fork(8, 24, { pid: 3, creatorTid: 3, leaderStart: ms(6) }),
      exit(30, 8, 24, { pid: 3, code: 4 }),
      fork(8, 103),
      fork(2, 182, { pid: 8, creatorTid: 8 }),
      exit(200, 8, 103, { pid: 8, isGroupDead: false }),
      exit(201, 2, 182, { pid: 8, code: 35 }),
    ];
    inEveryOrder(events, (answers) => {
      expect(answers.livesOf(3)).toEqual([[6, 30, 4]]);
      expect(answers.livesOf(8)).toEqual([
        [24, 30, 4],
        [103, 201, 35],
      ]);
      expect(answers.livesOf(2)).toEqual([[182, 201, 35]]);
      expect(answers.tree.leaderOf(answers.life(2, 182))).toBe(answers.life(8, 103));
    });
  });

  test('[ID3] [ID6] a thread of a process whose tid was that of a thread of another before', () => {
    const events = [
      fork(4, 18),
      exit(62, 4, 18, { pid: 4, code: 13 }),
      fork(4, 91, { pid: 3, creatorTid: 3, leaderStart: ms(6) }),
      fork(4, 163),
      fork(8, 194, { pid: 4, creatorTid: 4 }),
    ];
    inEveryOrder(events, (answers) => {
      expect(answers.livesOf(4).map(([start]) => start)).toEqual([18, 91, 163]);
      expect(answers.livesOf(3).map(([start]) => start)).toEqual([6]);
      expect(answers.tree.leaderOf(answers.life(8, 194))).toBe(answers.life(4, 163));
    });
  });

  test('[ID6] [EN3] a process ends with a thread, and a thread of another has had its tid before', () => {
    const events = [
      fork(12, 55),
      exit(60, 12, 55, { pid: 12 }),
      fork(12, 99, { pid: 11, creatorTid: 11, leaderStart: ms(50) }),
      fork(12, 114),
      fork(6, 167, { pid: 12, creatorTid: 12 }),
      exit(186, 6, 167, { pid: 12, code: 36 }),
    ];
    inEveryOrder(events, (answers) => {
      const forever = Number.POSITIVE_INFINITY;
      expect(answers.livesOf(12)).toEqual([
        [55, 60, undefined],
        [99, 114, undefined],
        [114, 186, 36],
      ]);
      expect(answers.livesOf(11)).toEqual([[50, forever, undefined]]);
      expect(answers.tree.leaderOf(answers.life(6, 167))).toBe(answers.life(12, 114));
    });
  });

  test('[ID3] [EN1] the end of a thread is told before anybody knows that it is one', () => {
    const thread = fork(2, 1, { pid: 1, leaderStart: ms(0) });
    inEveryOrder([INIT, thread, exit(2, 2, undefined, { isGroupDead: false })], (answers) => {
      expect(answers.livesOf(2)).toEqual([[1, 2, undefined]]);
    });
  });

  test('[OB3] [ID2] a process is seen once more after its end', () => {
    const ended = [passing(2, 2, 1), exit(2, 2, 1, { code: 1 })];
    inEveryOrder([INIT, fork(2, 1), ...ended, seen(3, 2, { comm: 'init' })], (answers) => {
      expect(answers.livesOf(2)).toEqual([[1, 2, 1]]);
    });
  });

  test('[EN3] [ID1] threads that end with their process tell of it a moment after its end', () => {
    const events = [
      fork(2, 1),
      fork(3, 2, { pid: 2, creatorTid: 2 }),
      exit(4, 2, 1, { pid: 2, code: 3 }),
      passing(4.001, 3, 2, { pid: 2 }),
      exit(4.001, 3, 2, { pid: 2, code: 4 }),
    ];
    inEveryOrder(events, (answers) => {
      expect(answers.livesOf(2)).toEqual([[1, 4, 3]]);
      expect(answers.livesOf(3)).toEqual([[2, 4.001, 4]]);
    });
  });

  test('[FA5] [ID4] an end is told once more, some microseconds later and without a start', () => {
    const answers = new Answers([INIT, fork(2, 1), exit(2, 2, 1, { code: 1 }), exit(2.005, 2, undefined)]);
    expect(answers.livesOf(2)).toEqual([[1, 2, 1]]);
  });
});

describe('what is seen', () => {
  const numbers = ({ tree }: Answers, task: TaskIndex, field: 'uid' | 'gid', times: readonly number[]) =>
    times.map((time) => tree.numberAt(task, field, ms(time)));

  test('[OB2] holds on both sides of an exec, also when the later sighting came first', () => {
    const users = [0, 1, 2].map((at) => passing(at, 1, 0, { uid: 0 }));
    inEveryOrder([...users, exec(1, { uid: 0, argv: ['x'] })], (answers) => {
      expect(numbers(answers, answers.life(1, 0), 'uid', [0, 0.9, 1, 2])).toEqual([0, 0, 0, 0]);
    });
  });

  test('[OB2] [NA1] the old name is told in passing by the rename itself', () => {
    const names = [0, 1, 2].map((at) => passing(at, 1, 0, { comm: 'init' }));
    inEveryOrder([...names, { type: 'rename', at: ms(2), tid: 1, start: ms(0), comm: 'new' }], (answers) => {
      const nameAt = (time: number) => answers.tree.textAt(answers.life(1, 0), 'comm', ms(time));
      expect([0, 1, 1.9, 2].map(nameAt)).toEqual(['init', 'init', 'init', 'new']);
    });
  });

  test('[OB2] a sighting that says nothing new keeps a later one from going back', () => {
    const groups = [seen(0, 1, { gid: 0 }), exec(1), seen(3, 1, { gid: 0 }), seen(5, 1, { gid: 1002 })];
    const answers = new Answers(groups);
    expect(numbers(answers, answers.life(1, 0), 'gid', [0, 1, 3, 4.9, 5])).toEqual([0, 0, 0, 0, 1002]);
  });

  test('[OB2] [AS3] what was seen of a child holds, whatever turns out later about its creator', () => {
    const events = [exec(1, { argv: ['x'] }), fork(2, 2), seen(4, 2, { uid: 0 }), seen(5, 1, { uid: 1002 })];
    inEveryOrder(events, (answers) => {
      expect(numbers(answers, answers.life(1, 0), 'uid', [0.9, 1, 5])).toEqual([undefined, 1002, 1002]);
      expect(numbers(answers, answers.life(2, 2), 'uid', [2, 3.9, 4, 6])).toEqual([1002, 1002, 0, 0]);
    });
  });
});

test('[FO2] [PA1] a sibling of a sibling is born after the end of the parent of both', () => {
  const sibling = { cloneFlags: CLONE.parent };
  const events = [
    INIT,
    fork(2, 1),
    fork(3, 2, { creatorTid: 2 }),
    fork(4, 3, { creatorTid: 3, ...sibling }),
    exit(6, 2, 1),
    fork(7, 8, { creatorTid: 4, ...sibling }),
  ];
  inEveryOrder(events, (answers) => {
    const { tree } = answers;
    expect(tree.parentAt(answers.life(4, 3), ms(3))).toBe(answers.life(2, 1));
    expect(tree.parentAt(answers.life(7, 8), ms(8))).toBe(answers.life(1, 0));
  });
});

describe('what is let go of', () => {
  test('[FA6] takes nothing along of what came last', () => {
    const programs = [1, 2, 3, 4].map((at) =>
      exec(at, { comm: `p${at}`, argv: ['x', `${at}`], cwd: `/d${at}`, uid: at }),
    );
    const { tree } = treeOf([INIT, ...programs], { entriesPerField: 3 });
    const init = 0 as TaskIndex; // the first that was told of
    const at = ms(4);
    expect([...tree.trimmedAt(init, at)]).toEqual([]);
    expect([tree.textAt(init, 'comm', at), tree.textAt(init, 'cwd', at), tree.numberAt(init, 'uid', at)]).toEqual([
      'p4',
      '/d4',
      4,
    ]);
    expect(tree.valuesAt(init, at)[FIELDS.uid.id]).toBe(4);
    expect([...tree.trimmedAt(init, ms(0))]).toEqual(expect.arrayContaining(['comm', 'argv', 'uid']));
  });

  test('[FA8] [BO5] is init itself while it lives, and it is mentioned again: orphans go to the same one in a copy', () => {
    const chain = [2, 3, 4, 5, 6].map((tid) => fork(tid, tid, { creatorTid: tid - 1 }));
    const { tree } = treeOf([INIT, ...chain, exit(7, 4, 4), passing(8, 6, 6)], { maxProcesses: 5 });
    const copy = new TemporalTree();
    for (const batch of snapshotOf(tree)) copy.apply(batch);
    const times = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(ms);
    expect(differencesOf(answersOf(copy, times), answersOf(tree, times))).toEqual([]);
  });
});

test('[EX5] two execs without arguments that are a millisecond apart are two', () => {
  const answers = new Answers([INIT, exec(1, { filename: 'a' }), exec(2, { filename: 'b' })]);
  expect([1, 1.9, 2].map((time) => answers.tree.execTimeAt(answers.life(1, 0), ms(time)))).toEqual([
    ms(1),
    ms(1),
    ms(2),
  ]);
});
