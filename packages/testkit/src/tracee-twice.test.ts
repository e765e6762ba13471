// Tracee tells of a birth, an exec and an end on two ways, and its lines can come
// from two outputs: what is told twice has happened once.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessTree, type TaskIndex } from '@dendro/engine';
import type { EventNs, TaskEvent } from '@dendro/protocol';
import { TraceeDecoder } from '@dendro/sources';
import { expect, test } from 'vitest';
import { type AllAnswers, answersOf, differencesOf } from './answers.ts';

const VECTORS = join(import.meta.dirname, '../vectors/tracee');
const BASE = { epochNs: 1_700_000_000_000_000_000n };
const APART_NS = 10_000;

function linesOf(vector: string): string[] {
  return readFileSync(join(VECTORS, `${vector}.ndjson`), 'utf8')
    .trim()
    .split('\n');
}

function eventsOf(lines: readonly string[]): TaskEvent[] {
  const events: TaskEvent[] = [];
  const decoder = new TraceeDecoder((event) => events.push(event), { base: BASE });
  decoder.push(Buffer.from(`${lines.join('\n')}\n`));
  expect(decoder).toMatchObject({ decoded: lines.length, rejected: {} });
  return events;
}

function answers(events: readonly TaskEvent[], times: readonly number[]): AllAnswers {
  const host = new ProcessTree();
  host.apply({ type: 'clock', ...BASE });
  for (const event of events) host.apply(event);
  const { tree } = host;
  return answersOf(tree, times, (task: TaskIndex) => tree.tidOf(task));
}

/** Just around what happens, but not so near that it matters which of two tellings counts. */
function timesAround(events: readonly TaskEvent[]): number[] {
  const at = events.flatMap((event) => ('at' in event ? [event.at as number] : []));
  return [...new Set(at.flatMap((time) => [time - 5 * APART_NS, time + 5 * APART_NS]))].sort((a, b) => a - b);
}

/** What is a time itself; of init nothing is known but when it was mentioned first. */
const isOfTime = (question: string) => /^(end|exec time) of|^start of 1$/.test(question);

test.each(['', '-threads'])(
  'the same lines in both dialects, one after the other, are told once (vector "%s")',
  (kind) => {
    const [legacy, v1beta1] = [linesOf(`legacy${kind}`), linesOf(`v1beta1${kind}`)];
    const once = eventsOf(legacy);
    const twice = eventsOf(legacy.flatMap((line, i) => [line, v1beta1[i] ?? '']));
    expect(twice).toHaveLength(2 * once.length);
    const times = timesAround(once);
    const want = answers(once, times);
    expect(want.size).toBeGreaterThan(100);
    expect(differencesOf(answers(twice, times), want)).toEqual([]);
    expect(differencesOf(answers([...once, ...eventsOf(v1beta1)], times), want)).toEqual([]);
  },
);

test.each([
  ['-threads', APART_NS],
  ['-threads', -APART_NS],
  ['', APART_NS],
  ['', -APART_NS],
])(
  'of the vector "%s" a second telling that is stamped %i ns apart changes no more than these nanoseconds',
  (kind, apart) => {
    const once = eventsOf(linesOf(`legacy${kind}`));
    const again = eventsOf(linesOf(`v1beta1${kind}`)).map((event) =>
      'at' in event ? { ...event, at: (event.at + apart) as EventNs } : event,
    );
    const times = timesAround(once);
    const want = answers(once, times);
    for (const twice of [once.flatMap((event, i) => [event, ...again.slice(i, i + 1)]), [...again, ...once]]) {
      const got = answers(twice, times);
      expect([...got.keys()].sort()).toEqual([...want.keys()].sort());
      const settled = (all: AllAnswers) => new Map([...all].filter(([question]) => !isOfTime(question)));
      expect(differencesOf(settled(got), settled(want))).toEqual([]);
      for (const [question, answer] of want) {
        if (!question.startsWith('end of')) continue;
        const [end, code, signal] = answer as [number, unknown, unknown];
        const [gotEnd, ...how] = got.get(question) as [number, unknown, unknown];
        expect([question, ...how]).toEqual([question, code, signal]);
        if (Number.isFinite(end)) expect(Math.abs(gotEnd - end)).toBeLessThanOrEqual(APART_NS);
        else expect(gotEnd).toBe(end);
      }
    }
  },
);
