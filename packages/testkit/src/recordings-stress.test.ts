// A recording of a host that is busy to the limit, in which the pid space wraps:
// every life that the process connector told of at the same time has to be in
// the tree, among the right other lives.
//
// Trace and connector tell one thing at two moments: a birth first to the
// connector, an exec and a rename first to the trace. Of an end the trace tells
// when it begins and the connector when it is done, and in between the CPU can
// be taken away. Times of the trace are rounded to microseconds.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { AUTHORITY, CLONE, type EventNs, type TaskEvent } from '@dendro/protocol';
import { beforeAll, expect, test } from 'vitest';
import { type ConnectorLife, readConnectorTruth } from './connector-truth.ts';
import { hostOf, justBefore, livesByTid, RECORDINGS } from './recorded-lives.ts';
import { parseTraceText } from './trace-text.ts';

const INIT = 1;
const ROUNDING = 1000;
/** Between the two tellings of a birth, or of an exec. */
const APART = 1_000_000;
/** Between the two tellings of an end. */
const ENDING = 20_000_000;

type Truth = ReadonlyMap<number, readonly ConnectorLife[]>;

/** The tree of some events, with the life in it that is meant by each that the connector told of. */
class StressTree {
  readonly tree: TemporalTree;
  /** Lives of each tid that an event began, oldest first. */
  readonly born: ReadonlyMap<number, readonly TaskIndex[]>;
  readonly #tasks = new Map<ConnectorLife, TaskIndex>();

  constructor(events: readonly TaskEvent[], truth: Truth) {
    const host = hostOf(events);
    this.tree = host.tree;
    const isBorn = (task: TaskIndex) => host.tree.authorityOf(task) === AUTHORITY.event;
    const lives = [...livesByTid(host)];
    this.born = new Map(lives.map(([tid, tasks]) => [tid, tasks.filter(isBorn)]));
    const known = new Map(lives.map(([tid, tasks]) => [tid, tasks.find((task) => !isBorn(task))]));
    for (const [tid, told] of truth) {
      // Those of one tid follow each other in the same order here and there; one that was there before comes first.
      const births = told.filter(({ birth }) => birth !== undefined);
      for (const life of told) {
        const task = life.birth === undefined ? known.get(tid) : this.born.get(tid)?.[births.indexOf(life)];
        this.#tasks.set(life, task ?? NO_TASK);
      }
    }
  }

  taskOf(life: ConnectorLife): TaskIndex {
    return this.#tasks.get(life) ?? NO_TASK;
  }

  startOf(life: ConnectorLife): EventNs {
    return this.tree.startOf(this.taskOf(life));
  }

  exitOf(life: ConnectorLife): EventNs {
    return this.tree.exitOf(this.taskOf(life));
  }

  parentAt(life: ConnectorLife, at: EventNs): TaskIndex {
    return this.tree.parentAt(this.taskOf(life), at);
  }

  isInit(task: TaskIndex): boolean {
    return task !== NO_TASK && this.tree.pidOf(task) === INIT;
  }
}

let events: readonly TaskEvent[];
let truth: Truth;
let born: readonly ConnectorLife[];
let processes: readonly ConnectorLife[];
let stress: StressTree;

beforeAll(() => {
  const unzipped = (name: string) => gunzipSync(readFileSync(join(RECORDINGS, 'stress', name))).toString();
  // A record can have been committed late.
  events = parseTraceText(unzipped('trace.txt.gz')).events.toSorted((a, b) => timeOf(a) - timeOf(b));
  truth = readConnectorTruth(unzipped('cn_proc.truth.txt.gz'));
  born = [...truth.values()].flat().filter(({ birth }) => birth !== undefined);
  processes = born.filter((life) => life.process === life);
  stress = new StressTree(events, truth);
});

function timeOf(event: TaskEvent): number {
  return 'at' in event ? event.at : 0;
}

/** When the last thread of a process had gone; NaN where the connector did not tell all the exits. */
function endOf({ process }: ConnectorLife): number {
  return Math.max(...[process, ...process.threads].map(({ exit }) => exit?.at ?? Number.NaN));
}

/** There are many wrong ones or none: a few will do to see why. */
function expectNone(wrong: readonly ConnectorLife[]): void {
  const some = wrong.slice(0, 5).map(({ tid, birth }) => `${tid} born at ${birth?.at}`);
  expect({ count: wrong.length, some }).toEqual({ count: 0, some: [] });
}

test('[ID1] each of 41,927 births that the connector told is a life of its own, and there is no other', () => {
  const count = (lives: readonly unknown[] | undefined) => lives?.length ?? 0;
  const told = Map.groupBy(born, ({ tid }) => tid);

  expect(born).toHaveLength(41_927);
  expect([...stress.born.values()].reduce((sum, lives) => sum + lives.length, 0)).toBe(41_927);
  expect([...stress.born].filter(([tid, lives]) => count(told.get(tid)) !== lives.length)).toEqual([]);
  expect(new Set(born.map((life) => stress.taskOf(life))).size).toBe(41_927);
});

test('[ID1] [ID5] 9,553 times a pid is given out again, each time after the end of the life before, which was told', () => {
  const { tree } = stress;
  const reuses = [...stress.born.values()].flatMap((lives) =>
    lives.slice(1).map((life, i) => [lives[i]!, life] as const),
  );

  expect(reuses).toHaveLength(9_553);
  expect(reuses.filter(([before, life]) => tree.exitOf(before) >= tree.startOf(life))).toEqual([]);
  expect(reuses.filter(([before]) => tree.exitAuthorityOf(before) !== AUTHORITY.event)).toEqual([]);
});

test('[FO3] every life begins at its time, as the process or the thread that the connector told of', () => {
  const { tree } = stress;
  const isRight = (life: ConnectorLife) => {
    const task = stress.taskOf(life);
    const late = stress.startOf(life) - life.birth!.at;
    return (
      late >= -ROUNDING &&
      late <= APART &&
      tree.pidOf(task) === life.process.tid &&
      tree.leaderOf(task) === stress.taskOf(life.process) &&
      tree.isThread(task) === (life !== life.process)
    );
  };

  expectNone(born.filter((life) => !isRight(life)));
});

test('[FO1] [FO2] [FO3] [AS2] as of every birth the parent is the life that the connector means, and alive', () => {
  const { tree } = stress;
  // A thread has the parent of its process, as the connector says it.
  const isRight = (life: ConnectorLife) => {
    const start = stress.startOf(life);
    const parent = stress.parentAt(life.process, start);
    return parent !== NO_TASK && parent === stress.taskOf(life.birth!.parent.process) && tree.isAliveAt(parent, start);
  };

  expectNone(born.filter((life) => !isRight(life)));
});

test('[FO1] [FO2] the creator of a process is the thread that called, and of a sibling somebody else than its parent', () => {
  const { tree } = stress;
  const forks = events.filter((event) => event.type === 'fork');
  const isSibling = ({ cloneFlags = 0 }: { cloneFlags?: number | undefined }) =>
    (cloneFlags & CLONE.parent) !== 0 && (cloneFlags & CLONE.thread) === 0;
  const siblings = new Set(forks.filter(isSibling).map(({ tid, at }) => `${tid}@${at}`));
  const isParents = (life: ConnectorLife) => tree.creatorOf(stress.taskOf(life)) === stress.taskOf(life.birth!.parent);
  const byAnother = processes.filter((life) => !isParents(life));

  expect(siblings.size).toBe(24);
  expect(new Set(byAnother.map((life) => `${life.tid}@${stress.startOf(life)}`))).toEqual(siblings);
  const creators = byAnother.map((life) => tree.creatorOf(stress.taskOf(life)));
  expect(creators.filter((creator, i) => !tree.isAliveAt(creator, stress.startOf(byAnother[i]!)))).toEqual([]);
});

test('[FO3] the creator of a thread is a thread of its process', () => {
  const { tree } = stress;
  const threads = born.filter((life) => life !== life.process);

  expect(threads).toHaveLength(15_369);
  expectNone(
    threads.filter((life) => tree.leaderOf(tree.creatorOf(stress.taskOf(life))) !== stress.taskOf(life.process)),
  );
});

test('[EN1] [EN2] [EN3] [EN5] every end is told by an event, at its time; nobody knows code and signal', () => {
  const { tree } = stress;
  const told = born.filter(
    (life) => !Number.isNaN(life === life.process ? endOf(life) : (life.exit?.at ?? Number.NaN)),
  );
  const early = told.map((life) => (life === life.process ? endOf(life) : life.exit!.at) - stress.exitOf(life));

  // In each of 24 rounds a thread calls exec: the connector tells no more of that process.
  expect(told).toHaveLength(41_927 - 2 * 24);
  expectNone(told.filter((_, i) => !(early[i]! >= -ROUNDING && early[i]! <= ENDING)));
  expect(early.filter((ns) => ns > APART).length).toBeLessThan(told.length / 100);
  expectNone(
    born.filter((life) => {
      const task = stress.taskOf(life);
      const isTold = tree.exitAuthorityOf(task) === AUTHORITY.event;
      return !isTold || tree.exitCodeOf(task) !== undefined || tree.exitSignalOf(task) !== undefined;
    }),
  );
});

test('[EX3] [EN2] 24 processes outlive the exit of their leader, because a thread of them calls exec', () => {
  const { tree } = stress;
  const renewed = processes.filter((life) => Number.isNaN(endOf(life)));
  const callers = renewed.flatMap(({ threads }) => threads.filter(({ exit }) => exit === undefined));

  expect(renewed).toHaveLength(24);
  expect(callers).toHaveLength(24);
  for (const caller of callers) {
    const [exec, process] = [stress.exitOf(caller), stress.taskOf(caller.process)];
    expect(tree.sinceAt(process, 'executable', exec)).toBe(exec);
    expect([justBefore(exec), exec].map((at) => tree.executablePathAt(process, at))).toEqual(['./weird', '/bin/true']);
    expect(exec - caller.process.exit!.at).toBeGreaterThan(0);
    expect(tree.exitOf(process)).toBeGreaterThan(exec);
  }
});

test('[EX1] every exec that the connector told begins a program at its time', () => {
  const { tree } = stress;
  const first = timeOf(events.find((event) => 'at' in event)!);
  const execs = [...truth.values()].flat().flatMap((life) => life.execs.map((at) => ({ life, at })));
  // The script that makes the recording calls exec once before it turns on the trace.
  const traced = execs.filter(({ at }) => at >= first);
  const wrong = traced.filter(({ life, at }) => {
    const since = tree.sinceAt(stress.taskOf(life.process), 'executable', (at + ROUNDING) as EventNs) ?? 0;
    return !(at - since >= -ROUNDING && at - since <= APART);
  });

  expect(execs).toHaveLength(13_207);
  expect(traced).toHaveLength(13_206);
  expectNone(wrong.map(({ life }) => life));
});

test('[NA1] every name that the connector told is the name of that one thread from its time on', () => {
  const names = [...truth.values()].flat().flatMap((life) => life.names.map((name) => ({ life, ...name })));
  const wrong = names.filter(
    ({ life, at, comm }) => stress.tree.textAt(stress.taskOf(life), 'comm', (at + ROUNDING) as EventNs) !== comm,
  );

  // Of 24 names with a line break it told one line.
  expect(names).toHaveLength(5_210 - 24);
  expectNone(wrong.map(({ life }) => life));
});

interface LastParents {
  /** The first parent was there to the end. */
  readonly kept: readonly ConnectorLife[];
  readonly toInit: readonly ConnectorLife[];
  readonly toSubreaper: readonly ConnectorLife[];
  /** The first parent ended while the process did: one end is first in the trace, the other at the connector. */
  readonly contested: readonly ConnectorLife[];
}

/** Processes by the parent that the connector named when they had ended. */
function lastParents(): LastParents {
  const named = processes.filter(({ exit }) => exit?.parent !== undefined);
  const kindOf = (life: ConnectorLife): keyof LastParents => {
    const first = life.birth!.parent.process;
    const parentEnds = [stress.exitOf(first), endOf(first)];
    const isContested = Math.min(...parentEnds) <= life.exit!.at && Math.max(...parentEnds) > stress.exitOf(life);
    if (isContested) return 'contested';
    const last = life.exit!.parent!.process;
    if (last === first) return 'kept';
    return last.tid === INIT ? 'toInit' : 'toSubreaper';
  };
  const { kept = [], toInit = [], toSubreaper = [], contested = [] } = Object.groupBy(named, kindOf);
  return { kept, toInit, toSubreaper, contested };
}

function isOrphanOfInit(life: ConnectorLife): boolean {
  const first = life.birth!.parent.process;
  const orphanedAt = stress.exitOf(first);
  return (
    stress.parentAt(life, justBefore(orphanedAt)) === stress.taskOf(first) &&
    [orphanedAt, stress.exitOf(life)].every(
      (at) =>
        stress.isInit(stress.parentAt(life, at)) &&
        stress.tree.authorityAt(stress.taskOf(life), 'parent', at) === AUTHORITY.inferred,
    )
  );
}

test('[PA1] the parent at the end is the one that the connector named, or init as a conclusion where the first had ended', () => {
  const { kept, toInit, toSubreaper, contested } = lastParents();

  expect([kept, toInit, toSubreaper, contested].map(({ length }) => length)).toEqual([26_246, 69, 22, 2]);
  expectNone(
    kept.filter((life) => stress.parentAt(life, stress.exitOf(life)) !== stress.taskOf(life.exit!.parent!.process)),
  );
  expectNone([...toInit, ...toSubreaper].filter((life) => !isOrphanOfInit(life)));
  expectNone(
    contested.filter((life) => {
      const parent = stress.parentAt(life, stress.exitOf(life));
      return !stress.isInit(parent) && parent !== stress.taskOf(life.birth!.parent.process);
    }),
  );
});

test('[PA2] one sighting of each settles 22 parents, from the end of the first parent on, as the subreapers that the connector named', () => {
  const { toSubreaper } = lastParents();
  const sightings = toSubreaper.map((life): TaskEvent => {
    const [orphanedAt, exit] = [stress.exitOf(life.birth!.parent.process), stress.exitOf(life)];
    const start = (Math.floor(stress.startOf(life) / 1e7) * 1e7) as EventNs; // as /proc has it
    const at = Math.floor((orphanedAt + exit) / 2) as EventNs;
    const [tid, ppid] = [life.tid, life.exit!.parent!.process.tid];
    return { type: 'observe', at, tid, pid: tid, ppid, start, startIsTick: true };
  });
  const seen = new StressTree(
    [...events, ...sightings].sort((a, b) => timeOf(a) - timeOf(b)),
    truth,
  );

  expectNone(
    toSubreaper.filter((life) => {
      const [first, last] = [life.birth!.parent.process, life.exit!.parent!.process].map((parent) =>
        seen.taskOf(parent),
      );
      const orphanedAt = seen.exitOf(life.birth!.parent.process);
      const instants = [seen.startOf(life), justBefore(orphanedAt), orphanedAt, seen.exitOf(life)];
      const parents = instants.map((at) => seen.parentAt(life, at));
      const authority = seen.tree.authorityAt(seen.taskOf(life), 'parent', orphanedAt);
      return parents.join() !== [first, first, last, last].join() || authority !== AUTHORITY.sighting;
    }),
  );
});
