// A host that has been followed for five years is told of as exactly as one on
// its first day, but for the nanoseconds that a double no longer holds (ADR 0012).

import { type ProcessTree, ProcessTreeDataSource, type TaskIndex } from '@dendro/engine';
import { type EventNs, resolutionAt, type TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AllAnswers, answersOf, differencesOf } from './answers.ts';
import { LawfulHost } from './lawful-host.ts';
import { type Told, tellProcfs, tellTracee, tellTracefs } from './lawful-host-dialects.ts';
import { RUNS, seed, shuffledAndRepeated, steps, treeOf } from './lawful-host-steps.ts';
import { Random } from './workload.ts';

const FIVE_YEARS = 5 * 365 * 86_400e9;
const RESOLUTION = resolutionAt(FIVE_YEARS as EventNs);
const TIMES: ReadonlySet<string> = new Set(['at', 'start', 'creatorStart', 'parentStart', 'leaderStart', 'from', 'to']);

const rounded = (time: number) => Math.round(time / RESOLUTION) * RESOLUTION;

/** The same, told of so much later; all to the nanosecond that can be told so late. */
function later(event: TaskEvent, by: number): TaskEvent {
  const moved = Object.entries(event).map(([key, value]) => [
    key,
    TIMES.has(key) && typeof value === 'number' ? rounded(value) + by : value,
  ]);
  return Object.fromEntries(moved) as TaskEvent;
}

/** What it says at these times since `begun`, with times as distances from that. */
function answersSince(host: ProcessTree, begun: number, times: readonly number[]): AllAnswers {
  const { tree } = host;
  const distance = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(distance) : typeof value === 'number' && value >= begun ? value - begun : value;
  const asked = times.map((time) => time + begun);
  const all = [...answersOf(tree, asked)].flatMap(([question, answer]): [string, unknown][] => {
    if (question.startsWith('ids of')) return []; // Tracee's id is a hash of the start
    const time = question.match(/ at (\d+)$/)?.[1];
    const name = time === undefined ? question : question.replace(time, String(Number(time) - begun));
    return [[name, /^(?:start|end|exec time) /.test(question) ? distance(answer) : answer]];
  });
  const source = new ProcessTreeDataSource(host);
  const parents = Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex)
    .filter((task) => tree.isPresent(task) && !tree.isThread(task))
    .map((task) => {
      const time = (begun + 3600e9) as EventNs;
      const { info } = source.get({ kind: 'ProcKey', task: { taskId: tree.taskIdOf(task) }, time }).process_info;
      return [info.taskId, info.ppid, distance(info.parentSince)];
    });
  const awaited = host.takeEnrichmentRequests(10_000).map(({ pid, since }) => [pid, since - begun]);
  return new Map([...all, ['parents since', parents], ['awaited of /proc', awaited]]);
}

test.each<[string, (host: LawfulHost, random: Random) => readonly Told[]]>([
  ['by a tracer', (host, random) => shuffledAndRepeated(tellTracee(host, random), random)],
  ['by the kernel and /proc', (host, random) => [...tellTracefs(host), ...tellProcfs(host, random, { unreadable: 2 })]],
])('[FA1] [PA1] told %s, everything is known and asked for five years later as on the first day', (_, tell) => {
  fc.assert(
    fc.property(steps({ maxSteps: 60, weights: { look: 8 } }), seed, (list, number) => {
      const host = new LawfulHost().run(list);
      const events = tell(host, new Random(number)).map(({ event }) => event);
      const times = host.happenings.flatMap(({ at }) => [rounded(at), rounded(at) + 10 * RESOLUTION]);
      const [first, last] = [0, FIVE_YEARS].map((begun) => {
        const tree = treeOf(
          events.map((event) => later(event, begun)),
          { canEnrich: true },
        );
        return answersSince(tree, begun, times);
      }) as [AllAnswers, AllAnswers];
      expect(differencesOf(last, first)).toEqual([]);
    }),
    { ...RUNS, numRuns: Math.min(RUNS.numRuns, 300) },
  );
});
