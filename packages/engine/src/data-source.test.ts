// Vectors V1 to V7: what a correct process tree must answer. P is pid 100
// started at S, C its child 200 started five seconds later.

import type { EntityId, EventNs, TaskEvent } from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { type LineageKey, ProcessTreeDataSource, type TreeKey } from './data-source.ts';
import type { RelatedTask } from './process-info.ts';
import { ProcessTree, type ProcessTreeOptions } from './process-tree.ts';
import { AmbiguousTaskError, DataNotFoundError, KeyNotSupportedError } from './task-ref.ts';

const S = 1_700_000_000_000_000_000n;
const seconds = (n: number) => Math.round(n * 1e9) as EventNs;
const P = 1308413163 as EntityId;
const C = 3121682638 as EntityId;

const execP: TaskEvent = exec(1, 100, 0, 'bash');
const forkC: TaskEvent = fork(5, 200, 100, 0);
const execC: TaskEvent = exec(6, 200, 5, 'ls');
const exitC: TaskEvent = exit(9, 200, 200, 5, true);

function exec(at: number, pid: number, start: number, name: string): TaskEvent {
  const executable = { path: `/usr/bin/${name}` };
  return {
    type: 'exec',
    at: seconds(at),
    pid,
    oldTid: pid,
    start: seconds(start),
    comm: name,
    executable,
    argv: [name],
  };
}

function fork(at: number, pid: number, creator: number, creatorStart: number): TaskEvent {
  const creatorIs = { creatorTid: creator, creatorPid: creator, creatorStart: seconds(creatorStart) };
  return { type: 'fork', at: seconds(at), start: seconds(at), tid: pid, pid, ...creatorIs };
}

function exit(at: number, tid: number, pid: number, start: number, isGroupDead: boolean): TaskEvent {
  return { type: 'exit', at: seconds(at), tid, pid, start: seconds(start), isGroupDead, code: 0 };
}

function sourceOf(events: readonly TaskEvent[], options?: ProcessTreeOptions): ProcessTreeDataSource {
  const host = new ProcessTree(options);
  host.apply({ type: 'clock', epochNs: S });
  for (const event of events) host.apply(event);
  return new ProcessTreeDataSource(host);
}

function processAt(source: ProcessTreeDataSource, entityId: EntityId, at: EventNs) {
  return source.get({ kind: 'ProcKey', task: { entityId }, time: at }).process_info;
}

function tids(tasks: readonly RelatedTask[]): number[] {
  return tasks.map((task) => task.tid);
}

function expectV1(source: ProcessTreeDataSource): void {
  const c = (at: number) => processAt(source, C, at as EventNs).info;
  expect(c(seconds(5))).toMatchObject({ comm: 'bash', executionBinary: { path: '/usr/bin/bash' }, isAlive: true });
  expect(c(seconds(6))).toMatchObject({ comm: 'ls', executionBinary: { path: '/usr/bin/ls' }, isAlive: true });
  expect([c(seconds(8)).isAlive, c(seconds(9)).isAlive, c(seconds(9) + 1).isAlive]).toEqual([true, true, false]);
  expect(() => c(seconds(4.9))).toThrow(DataNotFoundError);
}

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((first, i) => permutations(list.toSpliced(i, 1)).map((rest) => [first, ...rest]));
}

describe('vectors', () => {
  test('[EX1] [AS2] [AS3] V1: birth, program and end, each at its time', () => {
    expectV1(sourceOf([execP, forkC, execC, exitC]));
  });

  test.each(permutations([execP, forkC, execC, exitC]).map((order, i) => [i, order] as const))(
    '[FA1] V2: the same in permutation %i',
    (_, order) => {
      expectV1(sourceOf(order));
    },
  );

  test('[EN5] V3: an end that is told before the birth is an end all the same', () => {
    const { info } = processAt(sourceOf([exitC, forkC]), C, seconds(10));
    expect(info).toMatchObject({ isAlive: false, exitTime: seconds(9), exitCode: 0 });
  });

  test('[AS1] V4: the parent in a lineage is the parent as it was when the child began', () => {
    const later = exec(7, 100, 0, 'zsh');
    const source = sourceOf([execP, forkC, execC, later]);
    const key: LineageKey = { kind: 'LineageKey', task: { entityId: C }, time: seconds(6), maxDepth: 1 };
    const { ancestors } = source.get(key).process_lineage.info;
    expect(ancestors.map(({ timestamp, info }) => [info.comm, timestamp])).toEqual([
      ['ls', seconds(6)],
      ['bash', seconds(5)],
    ]);
  });

  test('[FO3] [EN1] V5: a thread belongs to its process, and its end ends nothing else', () => {
    const thread: TaskEvent = { ...fork(8, 201, 200, 5), pid: 200, leaderStart: seconds(5) } as TaskEvent;
    const source = sourceOf([execP, forkC, thread, exit(8.5, 201, 200, 8, false)]);
    expect(processAt(source, P, seconds(8)).info.childProcessIds).toMatchObject([{ tid: 200, entityId: C }]);
    expect(tids(processAt(source, C, seconds(8)).info.threadIds)).toEqual([200, 201]);
    expect(tids(processAt(source, C, seconds(8.6)).info.threadIds)).toEqual([200]);
    expect(processAt(source, C, seconds(8.6)).info.isAlive).toBe(true);
    expect(source.getThreads({ pid: 200 }, seconds(8)).map(({ info }) => info.tid)).toEqual([200, 201]);
    expect(source.getChildren({ pid: 100 }, seconds(8.6)).map(({ info }) => info.pid)).toEqual([200]);
  });

  test('[FA1] V6: what is delivered twice changes nothing', () => {
    const events = [execP, forkC, execC, exitC];
    const [once, twice] = [sourceOf(events), sourceOf(events.flatMap((event) => [event, event]))];
    for (const at of [0, 1, 5, 6, 9, 10].map(seconds)) {
      for (const id of at < seconds(5) ? [P] : [P, C])
        expect(processAt(twice, id, at)).toEqual(processAt(once, id, at));
    }
  });

  test('[BO3] V7: a lineage that reaches what was evicted says that it ends there', () => {
    const source = sourceOf([fork(5, 200, 100, 0), fork(6, 300, 200, 5)], { maxProcesses: 2 });
    const { process_lineage } = source.get({ kind: 'LineageKey', task: { pid: 300 }, time: seconds(7), maxDepth: 9 });
    expect(process_lineage.info.ancestors.map(({ info }) => info.pid)).toEqual([300, 200, 100]);
    expect(process_lineage.info.end).toBe('evicted');
  });
});

test('[FA6] what is no longer kept reads as not known, and the answer says so', () => {
  const execs = [1, 2, 3].map((at) => exec(at, 100, 0, `run-${at}`));
  const source = sourceOf([fork(0, 100, 1, 0), ...execs, fork(4, 200, 100, 0)], { entriesPerField: 2 });
  const infoAt = (pid: number, at: number) =>
    source.get({ kind: 'ProcKey', task: { pid }, time: seconds(at) }).process_info.info;
  expect(infoAt(100, 2.5)).toMatchObject({ comm: 'run-2', trimmed: [] });
  expect(infoAt(100, 1.5)).toMatchObject({ comm: undefined, trimmed: expect.arrayContaining(['comm', 'argv']) });
  expect(infoAt(200, 4)).toMatchObject({ comm: 'run-3', trimmed: [] });
});

test('[FA6] a lineage that needs a parent that is no longer kept says that it ends there', () => {
  const moves = [2, 3, 4].map((at): TaskEvent => ({ type: 'reparent', at: seconds(at), pid: 100, parentPid: at }));
  const source = sourceOf([fork(1, 100, 50, 0), ...moves], { entriesPerField: 2 });
  const lineageAt = (at: number) =>
    source.get({ kind: 'LineageKey', task: { pid: 100 }, time: seconds(at), maxDepth: 0 }).process_lineage.info.end;
  const parentAt = (at: number) =>
    source.get({ kind: 'ProcKey', task: { pid: 100 }, time: seconds(at) }).process_info.info;
  expect(parentAt(4)).toMatchObject({ ppid: 4, trimmed: [] });
  expect(parentAt(1)).toMatchObject({ ppid: 0, trimmed: ['parent'] });
  expect(lineageAt(4)).toBe('trimmed'); // the parent at its start
});

describe('the data source', () => {
  const source = sourceOf([execP, forkC, execC, exitC]);

  test('says what it is and what it answers', () => {
    expect([source.namespace, source.id, source.version()]).toEqual(['dendro', 'process_tree', 1]);
    expect(source.keys()).toEqual(['ProcKey', 'ThreadKey', 'LineageKey']);
    expect(Object.keys(JSON.parse(source.schema()))).toEqual(['process_info', 'thread_info', 'process_lineage']);
  });

  test('every answer carries the time that it was asked about', () => {
    const time = seconds(6.5);
    const task = { pid: 200 };
    expect(source.get({ kind: 'ProcKey', task, time }).process_info.timestamp).toBe(time);
    expect(source.get({ kind: 'ThreadKey', task, time }).thread_info.timestamp).toBe(time);
    expect(source.get({ kind: 'LineageKey', task, time, maxDepth: 3 }).process_lineage.timestamp).toBe(time);
  });

  test('errors have types', () => {
    const time = seconds(6);
    expect(() => source.get({ kind: 'ProcKey', task: { pid: 4711 }, time })).toThrow(DataNotFoundError);
    expect(() => source.get({ kind: 'ThreadKey', task: { entityId: 1 as EntityId }, time })).toThrow(DataNotFoundError);
    expect(() => source.get({ kind: 'FileKey', task: { pid: 1 }, time } as unknown as TreeKey)).toThrow(
      KeyNotSupportedError,
    );
    const twins = sourceOf([fork(5, 200, 100, 0), exit(5.01, 200, 200, 5, true), fork(5.02, 200, 100, 0)]);
    expect(() => twins.get({ kind: 'ProcKey', task: { entityId: C }, time: seconds(6) })).toThrow(AmbiguousTaskError);
  });

  test('asking changes nothing about what stays in memory', () => {
    const asked = sourceOf([fork(1, 2, 1, 0), fork(2, 3, 1, 0)], { maxProcesses: 3 });
    for (let i = 0; i < 100; i++) asked.get({ kind: 'ProcKey', task: { pid: 2 }, time: seconds(3) });
    const host = new ProcessTree({ maxProcesses: 3 });
    for (const event of [fork(1, 2, 1, 0), fork(2, 3, 1, 0), fork(3, 4, 1, 0)]) host.apply(event);
    expect(() => new ProcessTreeDataSource(host).get({ kind: 'ProcKey', task: { pid: 2 }, time: seconds(4) })).toThrow(
      DataNotFoundError,
    );
  });

  test('a chain of 50,000 and 100,000 siblings are answered without recursion', () => {
    const host = new ProcessTree({ maxProcesses: 200_000 });
    for (let i = 1; i <= 50_000; i++) host.apply(fork(i, 1000 + i, 999 + i, i - 1));
    for (let i = 0; i < 100_000; i++) host.apply(fork(60_000 + i / 1000, 100_000 + i, 1000, 0));
    const wide = new ProcessTreeDataSource(host);
    const { process_lineage } = wide.get({
      kind: 'LineageKey',
      task: { pid: 51_000 },
      time: seconds(60_000),
      maxDepth: 1e6,
    });
    expect(process_lineage.info.ancestors).toHaveLength(50_001);
    expect(wide.getChildren({ pid: 1000 }, seconds(61_000))).toHaveLength(100_001);
  });
});
