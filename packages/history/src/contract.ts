// What every history does, whatever it keeps things in. Tests of a back end call it.

import { ProcessTree, type TaskIndex } from '@dendro/engine';
import {
  CLONE,
  type EntityId,
  type EventNs,
  epochOf,
  type TaskEvent,
  type TaskId,
  type TimeBase,
} from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import type { FoundLife, History, HistoryOptions, HostStart, LifeQuery } from './history.ts';
import { chunksOf } from './questions.ts';
import { answersAt } from './test-answers.ts';

const MS = 1_000_000;
const SECOND = 1000 * MS;
const BASE: TimeBase = { epochNs: 1_795_459_682_000_000_000n };
const START: HostStart = { bootId: 'first boot', base: BASE, bootNs: 50_000_000_000n, at: 0 as EventNs };

/** @returns a history in a place: the same place, the same history */
export type HistoryFactory = (place: string, options?: HistoryOptions) => History;

/** A host whose tree records into a history. */
export class RecordedHost {
  readonly tree: ProcessTree;
  readonly history: History;

  constructor(history: History, base = BASE, firstTaskId = 1) {
    this.history = history;
    this.tree = new ProcessTree({ firstTaskId });
    this.tree.apply({ type: 'clock', epochNs: base.epochNs });
  }

  /** Each event in a batch of its own. */
  tell(...events: TaskEvent[]): this {
    for (const event of events) {
      this.tree.apply(event);
      const batch = this.tree.commit();
      if (batch !== undefined) this.history.append(batch.bytes, this.tree.newest);
    }
    return this;
  }
}

const at = (ms: number) => (ms * MS) as EventNs;

export function seen(pid: number, ppid: number, start: number, argv: readonly string[], uid = 0): TaskEvent {
  const [path = ''] = argv;
  return {
    type: 'observe',
    at: at(0),
    tid: pid,
    pid,
    ppid,
    start: at(start),
    startIsTick: true,
    comm: path.slice(path.lastIndexOf('/') + 1),
    executable: { path },
    argv,
    uid,
  };
}

export function fork(ms: number, pid: number, by: number): TaskEvent {
  return { type: 'fork', at: at(ms), tid: pid, creatorTid: by };
}

export function exec(ms: number, pid: number, argv: readonly string[], more: object = {}): TaskEvent {
  const [path = ''] = argv;
  const comm = path.slice(path.lastIndexOf('/') + 1).slice(0, 15);
  return { type: 'exec', at: at(ms), pid, filename: path, argv, comm, ...more };
}

export function exit(ms: number, pid: number, code: number, signal?: number): TaskEvent {
  return {
    type: 'exit',
    at: at(ms),
    tid: pid,
    pid,
    isGroupDead: true,
    code: signal === undefined ? code : undefined,
    signal,
  };
}

/** Init, a shell of user 1000, and two programs that it runs: one that ends and one that goes on. */
function tellStory(host: RecordedHost): void {
  host.tell(
    seen(1, 0, -1000, ['/sbin/init']),
    seen(300, 1, -500, ['/bin/bash', '-l'], 1000),
    fork(1000, 301, 300),
    exec(1001, 301, ['/usr/bin/Make', 'all', '--jobs=8'], { container: 'f00dcafe' }),
    fork(2000, 302, 300),
    exec(2001, 302, ['/usr/bin/sleep', '1000']),
    { type: 'fork', at: at(2500), tid: 310, pid: 302, creatorTid: 302, cloneFlags: CLONE.thread },
    exit(4000, 301, 3),
    { type: 'gap', from: at(4500), to: at(4600), lost: 7 },
    fork(20_000, 303, 300),
    exec(20_001, 303, ['/usr/bin/true']),
    exit(20_010, 303, 0, 9),
  );
}

/** A process that runs two programs, the first for a moment. */
function tellTwoPrograms(host: RecordedHost): void {
  host.tell(
    fork(20_100, 304, 1),
    exec(20_101, 304, ['/bin/sh', '-c', 'first of two']),
    exec(20_105, 304, ['/bin/second']),
    exit(20_110, 304, 0),
  );
}

export function registerHistoryContract(name: string, factory: HistoryFactory, placeOf: () => string): void {
  const epoch = (ms: number) => epochOf(BASE, at(ms));
  const recorded = (place = placeOf()) => {
    const history = factory(place);
    history.begin(START);
    const host = new RecordedHost(history);
    tellStory(host);
    return { history, host, place };
  };
  const pidsOf = (lives: readonly FoundLife[]) => lives.map(({ pid }) => pid);

  describe(name, () => {
    test('says of any instant what the tree says that has recorded it', () => {
      const { history, host } = recorded();
      for (const ms of [0, 500, 1000, 1500, 2600, 4000, 4001, 20_005, 30_000]) {
        const { tree, at: instant } = history.asOf(epoch(ms));
        expect([...answersAt(tree, instant)].sort()).toEqual([...answersAt(host.tree.tree, at(ms))].sort());
      }
    });

    test('reads one task by its id or by its pid at that time', () => {
      const { history } = recorded();
      const found = history.taskAsOf({ pid: 301 }, epoch(1500));
      const task = found.tree.indexOf(found.taskId as TaskId);
      expect(found.tree.textAt(task, 'comm', found.at)).toBe('Make');
      const { taskId } = found;
      expect(history.taskAsOf({ taskId: taskId as TaskId }, epoch(1500)).taskId).toBe(taskId);
      expect(history.taskAsOf({ pid: 301 }, epoch(500)).taskId).toBeUndefined();
      expect(history.taskAsOf({ pid: 999 }, epoch(1500)).taskId).toBeUndefined();
      const entityId = found.tree.entityIdOf(task);
      expect(history.taskAsOf({ entityId }, epoch(1500)).taskId).toBe(found.taskId);
      expect(history.taskAsOf({ entityId: 1 as EntityId }, epoch(1500)).taskId).toBeUndefined();
    });

    test('says who could be meant by an entity id that several have', () => {
      const { history, host } = recorded();
      // Births of one tid within the same tenth of a second have the same id.
      host.tell(
        fork(30_010, 500, 300),
        exit(30_020, 500, 0),
        fork(30_030, 500, 300),
        exit(30_040, 500, 0),
        fork(40_000, 501, 1),
      );
      const { tree, taskId } = history.taskAsOf({ pid: 500 }, epoch(30_015));
      const entityId = tree.entityIdOf(tree.indexOf(taskId as TaskId));
      expect(() => history.taskAsOf({ entityId }, epoch(31_000))).toThrow(
        expect.objectContaining({
          code: 'DENDRO_TASK_AMBIGUOUS',
          details: { candidates: [taskId, expect.any(Number)] },
        }),
      );
      expect(history.taskAsOf({ entityId }, epoch(30_015)).taskId).toBe(taskId);
    });

    test('says what is different between two instants', () => {
      const { history, host } = recorded();
      const idOf = (pid: number) => host.tree.tree.taskIdOf(host.tree.resolve({ pid }, at(30_000)));
      const between = (first: number, second: number, limit = 10) => {
        const { born, died, changed, totals } = history.difference(epoch(first), epoch(second), {
          limit,
          threads: true,
        });
        const ids = (tasks: typeof born) => tasks.map(({ taskId }) => taskId);
        const fields = changed.map(({ taskId, fields }) => [taskId, ...fields.map(({ field }) => field)]);
        return { born: ids(born), died: ids(died), changed: fields, totals };
      };
      expect(between(500, 3000)).toEqual({
        born: [301, 302, 310].map(idOf),
        died: [],
        changed: [],
        totals: { born: 3, died: 0, changed: 0, reparented: 0 },
      });
      expect(between(500, 3000, 2)).toMatchObject({ born: [301, 302].map(idOf), totals: { born: 3 } });
      expect(between(2000, 4001)).toMatchObject({
        born: [idOf(310)],
        died: [idOf(301)],
        changed: [[idOf(302), 'comm', 'executable', 'argv']],
      });
      expect(between(4001, 2000)).toMatchObject({ born: [idOf(301)], died: [idOf(310)] });
      const { born, died } = history.difference(epoch(2000), epoch(4001), { limit: 10 });
      expect(born).toEqual([]); // 310 is a thread
      expect(died[0]).toMatchObject({ pid: 301, comm: 'Make', exitCode: 3, startEpochNs: epoch(1000) });
    });

    test.each<[string, LifeQuery, number[]]>([
      ['a part of a command line', { commandLine: 'jobs=' }, [301]],
      ['a part in other letters', { text: 'mAkE ALL' }, [301]],
      ['a name', { comm: 'sleep' }, [302]],
      ['a path', { path: '/usr/bin/' }, [303, 302, 301]],
      ['a container', { container: 'f00d' }, [301]],
      ['a pid', { pid: 303 }, [303]],
      ['the pid of the parent', { parentPid: 300 }, [303, 302, 301]],
      ['a user', { uid: 1000, path: 'bash' }, [300]],
      ['an exit code', { exitCode: 3 }, [301]],
      ['a signal', { signal: 9 }, [303]],
      ['a time at which it lived', { path: '/usr/bin/', fromEpochNs: epoch(3000), toEpochNs: epoch(3500) }, [302, 301]],
      ['when it began', { path: '/usr/bin/', startedAfterEpochNs: epoch(1500) }, [303, 302]],
      ['when it began at the latest', { path: '/usr/bin/', startedBeforeEpochNs: epoch(2000) }, [302, 301]],
      ['when it ended at the earliest', { path: '/usr/bin/', endedAfterEpochNs: epoch(4001) }, [303]],
      [
        'when it began and ended',
        { startedAfterEpochNs: epoch(500), endedAfterEpochNs: epoch(4000), endedBeforeEpochNs: epoch(4000) },
        [301],
      ],
      ['a text that is its pid', { text: '302' }, [302]],
      ['a text of several arguments', { text: 'make all --jobs' }, [301]],
      ['a part of the text of a path by itself', { text: 'usr/bin/sl' }, [302]],
      ['a part of a container by itself', { text: 'OODC'.replace('OO', '00') }, [301]],
      ['what it was for a moment, before the next exec', { commandLine: 'first of two' }, [304]],
      ['when it ended', { path: '/usr/bin/', endedBeforeEpochNs: epoch(4000) }, [301]],
      ['two of these', { path: '/usr/bin/', exitCode: 3 }, [301]],
      ['two texts', { text: 'all', andTexts: ['JOBS=8', 'make'] }, [301]],
      ['two texts of which one is its pid', { text: '302', andTexts: ['usr/bin'] }, [302]],
      ['the same in another order', { text: 'usr/bin', andTexts: ['302'] }, [302]],
      ['two texts that no life has both', { text: 'make', andTexts: ['sleep'] }, []],
      ['nothing that there is', { text: 'no such thing' }, []],
    ])('finds a life by %s', (_, query, pids) => {
      const { history, host } = recorded();
      tellTwoPrograms(host);
      expect(pidsOf(history.search(query).lives)).toEqual(pids);
    });

    test('says all of a life that it finds, and how many there are beyond the limit', () => {
      const { history } = recorded();
      const found = history.search({ path: '/usr/bin/', limit: 1 });
      expect(found.total).toBe(3);
      expect(history.search({ pid: 301 }).lives).toEqual([
        {
          taskId: expect.any(Number),
          pid: 301,
          creatorTaskId: expect.any(Number),
          startEpochNs: epoch(1000),
          endEpochNs: epoch(4000),
          exitCode: 3,
          signal: undefined,
          sinceEpochNs: epoch(1001),
          knownFromEpochNs: epoch(1000),
          comm: 'Make',
          path: '/usr/bin/Make',
          argv: ['/usr/bin/Make', 'all', '--jobs=8'],
          uid: 1000,
          container: 'f00dcafe',
        },
      ]);
    });

    test('counts births, execs and exits, and not what was there before', () => {
      const { history } = recorded();
      const { firstEpochNs, bucketNs, births, execs, exits } = history.histogram(epoch(0), epoch(21_000), 1000);
      expect([firstEpochNs, bucketNs]).toEqual([epoch(0), BigInt(SECOND)]);
      const where = (counts: readonly number[]) =>
        counts.flatMap((count, second) => (count > 0 ? [[second, count]] : []));
      expect([where(births), where(execs), where(exits)]).toEqual([
        [
          [1, 1],
          [2, 1],
          [20, 1],
        ],
        [
          [1, 1],
          [2, 1],
          [20, 1],
        ],
        [
          [4, 1],
          [20, 1],
        ],
      ]);
      const few = history.histogram(epoch(0), epoch(21_000), 2).births;
      expect(few.length).toBeLessThanOrEqual(3);
      expect(few.reduce((sum, count) => sum + count)).toBe(3);
    });

    test('has the gaps of the source', () => {
      const { history } = recorded();
      expect(history.gaps(epoch(0), epoch(9000))).toEqual([
        { fromEpochNs: epoch(4500), toEpochNs: epoch(4600), lost: 7, why: 'source' },
      ]);
      expect(history.gaps(epoch(5000), epoch(9000))).toEqual([]);
    });

    test('gives batches back byte for byte', () => {
      const history = factory(placeOf());
      history.begin(START);
      const sent: Uint8Array[] = [];
      const host = new RecordedHost({
        ...history,
        append: (bytes, when) => {
          sent.push(new Uint8Array(bytes));
          return history.append(bytes, when);
        },
      } as History);
      tellStory(host);
      expect([...history.batches(epoch(-1000), epoch(30_000))].map(({ bytes }) => bytes)).toEqual(sent);
      expect([...history.batches(epoch(19_999), epoch(20_000))]).toHaveLength(1);
    });

    test('knows how the clocks went', () => {
      const { history } = recorded();
      history.noteClock(at(100), 42n);
      expect(history.clock()).toEqual([{ epochNs: epoch(100), wallNs: 42n }]);
    });

    test.each([
      ['forwards', 3600],
      ['backwards', -3600],
      ['backwards by a little', -3],
    ])('answers by wall time on both sides of when that clock was set: %s', (_, seconds) => {
      const place = placeOf();
      const first = factory(place);
      first.begin(START);
      first.noteClock(at(0), BASE.epochNs);
      const host = new RecordedHost(first).tell(
        seen(1, 0, -1000, ['/sbin/init']),
        fork(4000, 300, 1),
        exec(4001, 300, ['/bin/before']),
      );
      const shift = BigInt(seconds) * BigInt(SECOND);
      first.noteClock(at(10_000), epoch(10_000) + shift);
      host.tell(exec(14_000, 300, ['/bin/after']), fork(20_000, 301, 1));
      const check = (history: History) => {
        const nameAt = (wallNs: bigint) =>
          history.instantsAtWall(wallNs).map((epochNs) => {
            const { tree, taskId, at: instant } = history.taskAsOf({ pid: 300 }, epochNs);
            return taskId === undefined ? undefined : tree.textAt(tree.indexOf(taskId), 'comm', instant);
          });
        // Half a second before the one exec, and after each.
        expect(nameAt(epoch(3500)).at(0)).toBeUndefined();
        expect(nameAt(epoch(4500)).at(0)).toBe('before');
        expect(nameAt(epoch(13_500) + shift).at(-1)).toBe('before');
        expect(nameAt(epoch(14_500) + shift).at(-1)).toBe('after');
        // What is passed over was at no instant, what comes again at two.
        const between = seconds > 0 ? epoch(11_000) : epoch(9500);
        const instants = seconds > 0 ? [] : seconds === -3 ? [epoch(9500), epoch(12_500)] : [epoch(9500)];
        expect(history.instantsAtWall(between)).toEqual(instants);
        expect(history.instantsAtWall(epoch(-1000) + (shift < 0n ? 2n * shift : 0n))).toEqual([]);
      };
      check(first);
      first.close();
      const again = factory(place);
      check(again);
      again.close();
    });

    test('refuses a time before its first instant, and says which that is', () => {
      const { history } = recorded();
      expect(() => history.asOf(epoch(-1))).toThrow(
        expect.objectContaining({
          code: 'DENDRO_HISTORY_TOO_OLD',
          details: { oldest: String(epoch(0)), nearest: String(epoch(0)) },
        }),
      );
    });

    test('keeps all of it over a restart, and shows that nobody looked meanwhile', () => {
      const { history, host, place } = recorded();
      const before = [1500, 2600, 20_005].map((ms) => [...answersAt(history.asOf(epoch(ms)).tree, at(ms))]);
      const { lives } = history.search({ path: '/' });
      history.tick(at(21_000));
      history.close();
      const again = factory(place);
      expect([1500, 2600, 20_005].map((ms) => [...answersAt(again.asOf(epoch(ms)).tree, at(ms))])).toEqual(before);
      expect(again.search({ path: '/' }).lives).toEqual(lives);
      again.begin({ ...START, at: at(60_000) });
      expect(again.gaps(epoch(5000), epoch(90_000))).toEqual([
        { fromEpochNs: epoch(21_000), toEpochNs: epoch(60_000), lost: 0, why: 'stopped' },
      ]);
      expect(host.tree.version).toBeGreaterThan(0);
    });

    test('lets a tree of the same boot go on: the same time, the same tasks, no id twice', () => {
      const { history, host, place } = recorded();
      const ids = [1, 300, 302].map((pid) => host.tree.tree.taskIdOf(host.tree.resolve({ pid }, at(30_000))));
      history.close();
      const again = factory(place);
      // The wall clock was set since: the boot clock counts.
      const { base, bootNs, isSameEra, newestTaskId, newest, snapshot } = again.begin({
        ...START,
        base: { epochNs: BASE.epochNs + 3_600_000_000_000n },
        bootNs: START.bootNs + 60_000_000_000n,
      });
      expect({ base, bootNs, isSameEra, newest }).toEqual({
        base: BASE,
        bootNs: START.bootNs,
        isSameEra: true,
        newest: at(20_010),
      });
      expect(again.gaps(epoch(21_000), epoch(90_000))).toMatchObject([{ toEpochNs: epoch(60_000), why: 'stopped' }]);
      const tree = new ProcessTree({ firstTaskId: newestTaskId + 1 });
      tree.apply({ type: 'clock', epochNs: base.epochNs });
      for (const batch of snapshot) tree.apply({ type: 'facts', at: at(20_010), batch, isSnapshot: true });
      // As /proc says it, in ticks.
      tree.apply({ ...seen(300, 1, -500, ['/bin/bash', '-l'], 1000), at: at(60_000) } as TaskEvent);
      tree.apply(fork(60_001, 301, 300));
      const idOf = (pid: number) => tree.tree.taskIdOf(tree.resolve({ pid }, at(61_000)));
      expect([1, 300, 302].map(idOf)).toEqual(ids);
      expect(idOf(301)).toBeGreaterThan(newestTaskId);
    });

    test('ends with its boot everyone who lived, and gives no id of theirs again', () => {
      const { history, place } = recorded();
      history.close();
      const again = factory(place);
      const second: HostStart = {
        bootId: 'second boot',
        base: { epochNs: epoch(100_000) },
        bootNs: 9n,
        at: 0 as EventNs,
      };
      const { base, isSameEra, newestTaskId, snapshot } = again.begin(second);
      expect({ base, isSameEra, snapshot }).toEqual({ base: second.base, isSameEra: false, snapshot: [] });
      const host = new RecordedHost(again, second.base);
      host.tell(seen(1, 0, -1000, ['/sbin/init']));
      expect(again.search({ comm: 'sleep' }).lives).toMatchObject([{ pid: 302, endEpochNs: epoch(20_010) }]);
      expect(again.asOf(epoch(2600)).tree.taskCount).toBeGreaterThan(2);
      expect(again.asOf(epoch(100_001)).tree.taskCount).toBe(1);
      const window = again.window(epoch(2600), epoch(100_001));
      expect([window.base, window.from, window.tree.taskCount]).toEqual([second.base, 0, 1]);
      expect(again.window(epoch(2600), epoch(30_000))).toMatchObject({ base: BASE, from: at(2600) });
      expect(newestTaskId).toBeGreaterThanOrEqual(6);
      expect(again.gaps(epoch(5000), epoch(200_000))).toMatchObject([
        { fromEpochNs: epoch(20_010), toEpochNs: epoch(100_000), why: 'stopped' },
      ]);
    });

    test('takes a time that two boots know, because the clock was set back, for one of the later', () => {
      const { history, place } = recorded();
      history.close();
      const again = factory(place);
      again.begin({ bootId: 'second boot', base: { epochNs: epoch(1000) }, bootNs: 9n, at: 0 as EventNs });
      new RecordedHost(again, { epochNs: epoch(1000) }).tell(seen(77, 0, -1000, ['/sbin/init']));
      expect(again.taskAsOf({ pid: 77 }, epoch(3000)).taskId).toBeDefined();
      expect(again.taskAsOf({ pid: 300 }, epoch(500)).taskId).toBeDefined();
    });

    test('goes on after a hole when it is given the whole tree: who is not in it has ended', () => {
      const { history, host } = recorded();
      history.noteLost(at(21_000));
      // Nothing of this comes here.
      for (const event of [exit(22_000, 302, 0), fork(23_000, 400, 300)]) host.tree.apply(event);
      const missed = host.tree.commit();
      expect(history.append(missed?.bytes as Uint8Array, at(23_000))).toBe(false);
      expect(history.state.droppedBatches).toBe(1);
      expect(history.needsSnapshot).toBe(true);
      // A tree that has let go of the one that has ended.
      const living = [1, 300, 400].map((pid) => host.tree.resolve({ pid }, at(24_000)));
      history.appendSnapshot(chunksOf(host.tree.tree, living), at(24_000));
      const names = (ms: number) => {
        const { tree, at: instant } = history.asOf(epoch(ms));
        const pids: number[] = [];
        for (let slot = 0; slot < tree.slotCount; slot++) {
          const task = slot as TaskIndex;
          if (tree.isPresent(task) && tree.isAliveAt(task, instant) && !tree.isThread(task))
            pids.push(tree.pidOf(task));
        }
        return pids.sort((a, b) => a - b);
      };
      expect(names(20_009)).toEqual([1, 300, 302, 303]);
      expect(names(24_000)).toEqual([1, 300, 400]);
      expect(history.gaps(epoch(20_000), epoch(30_000))).toMatchObject([{ toEpochNs: epoch(24_000), why: 'overload' }]);
      host.tell(fork(25_000, 401, 300));
      expect(names(25_000)).toEqual([1, 300, 400, 401]);
    });
  });
}
