// The tree against the truth, whatever order the events come in.

import { NO_TASK, ProcessTree, ProcessTreeDataSource, type TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs, TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LawfulHost, type Step, type TrueLife, trueParent, trueValue } from './lawful-host.ts';
import { describeTree } from './tree-text.ts';

// `pnpm test:nightly` asks for many; a seed that failed can be given back.
const RUNS: fc.Parameters<unknown> = {
  numRuns: Number(process.env['DENDRO_STREAMS'] ?? 300),
  ...(process.env['DENDRO_SEED'] === undefined ? {} : { seed: Number(process.env['DENDRO_SEED']) }),
};

const steps = fc.array(
  fc.record({
    what: fc.constantFrom<Step['what']>(
      'fork',
      'fork',
      'fork',
      'fork-sibling',
      'thread',
      'thread',
      'exec',
      'exec-from-thread',
      'rename',
      'setuid',
      'exit-thread',
      'exit-thread',
      'exit-process',
      'exit-process',
    ),
    who: fc.nat(50),
    delay: fc.nat(3),
  }),
  { minLength: 1, maxLength: 60 },
);

function treeOf(events: readonly TaskEvent[]): ProcessTree {
  const tree = new ProcessTree();
  tree.apply({ type: 'clock', epochNs: 1_700_000_000_000_000_000n });
  for (const event of events) tree.apply(event);
  return tree;
}

/** Every life at every instant at which something happened, just before, and just after. */
function expectTruth(host: LawfulHost, { tree }: ProcessTree): void {
  const present = Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex).filter((task) =>
    tree.isPresent(task),
  );
  expect(present.map((task) => `${tree.tidOf(task)}@${tree.startOf(task)}`).sort()).toEqual(
    host.lives.map((life) => `${life.tid}@${life.start}`).sort(),
  );
  const byLife = new Map<TrueLife, TaskIndex>();
  for (const life of host.lives) {
    byLife.set(
      life,
      present.find((task) => tree.tidOf(task) === life.tid && tree.startOf(task) === life.start) as TaskIndex,
    );
  }
  const times = new Set(
    host.events.flatMap((event) => ('at' in event ? [event.at - 1, event.at as number, event.at + 1] : [])),
  );
  for (const [life, task] of byLife) {
    const about = `${life.tid}@${life.start}`;
    expect([about, tree.exitOf(task), tree.exitCodeOf(task)]).toEqual([about, life.exit, life.exitCode]);
    expect(tree.leaderOf(task)).toBe(byLife.get(life.leader));
    for (const time of times) {
      const at = time as EventNs;
      if (time < life.start) continue;
      const parent = life.leader === life ? trueParent(life, time) : undefined;
      const got = {
        comm: tree.textAt(task, 'comm', at),
        path: tree.executablePathAt(task, at),
        uid: tree.numberAt(task, 'uid', at),
        // After its end nobody is anybody's child.
        parent: life.leader === life && time < life.exit ? tree.parentAt(task, at) : NO_TASK,
      };
      const want = {
        comm: trueValue(life, 'comm', time),
        path: trueValue(life, 'path', time),
        uid: trueValue(life, 'uid', time),
        parent: parent !== undefined && time < life.exit ? byLife.get(parent) : NO_TASK,
      };
      expect({ about, time, ...got }).toEqual({ about, time, ...want });
    }
  }
}

test('[FA1] [FO1] [EX1] [EX3] [EN1] [PA1] events in order give the truth about every task at every instant', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const host = new LawfulHost().run(list);
      expectTruth(host, treeOf(host.events));
    }),
    RUNS,
  );
});

test('[ID4] [ID6] events in any order, some of them twice, give the same truth', () => {
  const shuffled = steps
    .map((list) => new LawfulHost().run(list))
    .chain((host) =>
      fc.tuple(
        fc.constant(host),
        fc.shuffledSubarray([...host.events, ...host.events], { minLength: host.events.length * 2 }),
      ),
    );
  fc.assert(
    fc.property(shuffled, ([host, events]) => {
      expectTruth(host, treeOf(events));
    }),
    RUNS,
  );
});

/** Which sources tell an event, and which of the two speaks next. */
const deal = fc.infiniteStream(fc.constantFrom('a' as const, 'b' as const, 'both' as const));

/** The events dealt to two sources, some to both; each tells its own in order, and they talk at the same time. */
function twoSources(
  events: readonly TaskEvent[],
  deal: Iterator<'a' | 'b' | 'both'>,
  tellB = (event: TaskEvent) => event,
) {
  const next = () => deal.next().value as 'a' | 'b' | 'both';
  const [a, b]: [TaskEvent[], TaskEvent[]] = [[], []];
  for (const event of events) {
    const to = next();
    if (to !== 'b') a.push(event);
    if (to !== 'a') b.push(tellB(event));
  }
  const told: TaskEvent[] = [];
  while (a.length + b.length > 0) {
    const event = (next() === 'b' ? b : a).shift() ?? a.shift() ?? b.shift();
    if (event !== undefined) told.push(event);
  }
  return told;
}

test('[FA1] [ID6] two sources that share the events, and tell some of them both, give the same truth', () => {
  fc.assert(
    fc.property(steps, deal, (list, deal) => {
      const host = new LawfulHost().run(list);
      expectTruth(host, treeOf(twoSources(host.events, deal)));
    }),
    RUNS,
  );
});

test('[ID3] [ID4] so they do when one of them knows no starts, as long as no pid is given out again', () => {
  const withoutStarts = (event: TaskEvent): TaskEvent => {
    if (event.type === 'fork') {
      return { ...event, start: undefined, creatorStart: undefined, leaderStart: undefined, parentStart: undefined };
    }
    return event.type === 'exec' || event.type === 'exit' || event.type === 'rename' || event.type === 'credentials'
      ? { ...event, start: undefined }
      : event;
  };
  fc.assert(
    fc.property(steps, deal, (list, deal) => {
      const host = new LawfulHost(1_000_000).run(list);
      expectTruth(host, treeOf(twoSources(host.events, deal, withoutStarts)));
    }),
    RUNS,
  );
});

test('[FA1] a replica that gets the batches in any order, some twice, equals the tree', () => {
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat(9)), (list, random) => {
      const host = new LawfulHost().run(list);
      const server = new ProcessTree();
      const batches: Uint8Array[] = [];
      for (const event of host.events) {
        server.apply(event);
        const batch = (random.next().value ?? 0) < 4 ? server.commit() : undefined;
        if (batch !== undefined) batches.push(batch.bytes);
      }
      const last = server.commit();
      if (last !== undefined) batches.push(last.bytes);
      const order = [...batches, ...batches].map((bytes) => ({ bytes, key: random.next().value ?? 0 }));
      const replica = new TemporalTree();
      for (const { bytes } of order.sort((a, b) => a.key - b.key)) replica.apply(bytes);
      expect(describeTree(replica)).toEqual(describeTree(server.tree));
    }),
    RUNS,
  );
});

test('[AS2] [AS7] the data source tells living threads and children as they were', () => {
  fc.assert(
    fc.property(steps, fc.nat(1000), (list, part) => {
      const host = new LawfulHost().run(list);
      const source = new ProcessTreeDataSource(treeOf(host.events));
      const time = Math.floor((host.now * part) / 1000);
      const isAlive = (life: TrueLife) => life.start <= time && time <= life.exit;
      for (const life of host.lives) {
        if (life.leader !== life || life.start > time) continue;
        const task = {
          taskId: source.get({ kind: 'ProcKey', task: { pid: life.tid }, time: time as EventNs }).process_info.info
            .taskId,
        };
        const { info } = source.get({ kind: 'ProcKey', task, time: time as EventNs }).process_info;
        if (info.startTime !== life.start) continue; // the pid has been given out again by then
        const threads = host.lives.filter((other) => other.leader === life && isAlive(other)).map((other) => other.tid);
        const children = host.lives.filter(
          (other) => other.leader === other && isAlive(other) && trueParent(other, time) === life,
        );
        expect(info.threadIds.map((thread) => thread.tid).sort()).toEqual([...new Set(threads)].sort());
        expect(info.childProcessIds.map((child) => child.tid).sort()).toEqual(
          [...new Set(children.map((child) => child.tid))].sort(),
        );
        expect(info.isAlive).toBe(isAlive(life));
      }
    }),
    RUNS,
  );
});
