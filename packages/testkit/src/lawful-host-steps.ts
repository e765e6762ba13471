// Random streams of steps, and what is done with the events that tell of them.

import { ProcessTree, type ProcessTreeOptions } from '@dendro/engine';
import type { TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import type { Step } from './lawful-host.ts';
import type { Told } from './lawful-host-dialects.ts';
import { randomRuns } from './random-runs.ts';
import type { Random } from './workload.ts';

/** How often each is taken, of all. */
const WEIGHTS: Readonly<Record<Step['what'], number>> = {
  fork: 10,
  'fork-sibling': 3,
  vfork: 2,
  thread: 10,
  exec: 3,
  'exec-from-thread': 3,
  rename: 2,
  setuid: 1,
  setgid: 1,
  chdir: 0,
  subreaper: 4,
  'exit-thread': 3,
  'exit-leader': 4,
  'exit-process': 2,
  'exit-together': 3,
  'kill-process': 1,
  'exit-parent': 3,
  look: 0,
  scan: 0,
};

export interface StepOptions {
  readonly maxSteps?: number;
  /** Weights that differ from the usual ones. */
  readonly weights?: Partial<Record<Step['what'], number>>;
}

/** Long ones too: by its own rule fast-check would stay at some ten. */
export function steps({ maxSteps = 120, weights = {} }: StepOptions = {}): fc.Arbitrary<Step[]> {
  const all = Object.entries({ ...WEIGHTS, ...weights }) as [Step['what'], number][];
  const what = fc.constantFrom(...all.flatMap(([one, weight]) => Array.from({ length: weight }, () => one)));
  const step = fc.record({ what, who: fc.nat(1000), delay: fc.nat(3), luck: fc.nat(0xffff) });
  return fc.array(step, { minLength: 1, maxLength: maxSteps, size: 'max' });
}

/** For every property of streams. */
export const RUNS = randomRuns(150);

export const seed = fc.integer({ min: 1, max: 0x7fff_ffff });

export function treeOf(events: readonly TaskEvent[], limits: ProcessTreeOptions = {}): ProcessTree {
  // Nobody is to be evicted here, and no changelog to be cut short; and room for many thousands takes its time.
  const tree = new ProcessTree({ entriesPerField: 1000, maxProcesses: 1000, maxThreads: 1000, ...limits });
  tree.apply({ type: 'clock', epochNs: 1_700_000_000_000_000_000n });
  for (const event of events) tree.apply(event);
  return tree;
}

/** In any order, every third twice. */
export function shuffledAndRepeated(told: readonly Told[], random: Random): Told[] {
  return [...told, ...told.filter(() => random.below(3) === 0)]
    .map((one) => ({ one, key: random.u32() }))
    .sort((a, b) => a.key - b.key)
    .map(({ one }) => one);
}

/** Two who speak at the same time, each in its own order: now the one is ahead, now the other, mostly by much. */
export function interleaved(a: readonly Told[], b: readonly Told[], random: Random): Told[] {
  const all: Told[] = [];
  const rest: [Told[], Told[]] = [[...a], [...b]];
  while (rest[0].length + rest[1].length > 0) {
    const run = 1 + random.below(random.below(2) === 0 ? 3 : 40);
    all.push(...rest[random.below(2) as 0 | 1].splice(0, run));
  }
  return all;
}

/** Each line goes to one of the two, or to both. */
export function dealt(told: readonly Told[], random: Random): [Told[], Told[]] {
  const tellers = new Map<number, number>();
  for (const { line } of told) if (!tellers.has(line)) tellers.set(line, random.below(3));
  return [told.filter(({ line }) => tellers.get(line) !== 1), told.filter(({ line }) => tellers.get(line) !== 0)];
}

/** Each step is told by the one, by the other, or by both in their own ways. */
export function dealtBySteps(a: readonly Told[], b: readonly Told[], random: Random): [Told[], Told[]] {
  const tellers = new Map<number, number>();
  for (const { step } of [...a, ...b]) if (!tellers.has(step)) tellers.set(step, step === 0 ? 2 : random.below(3));
  return [a.filter(({ step }) => tellers.get(step) !== 1), b.filter(({ step }) => tellers.get(step) !== 0)];
}
