// Recorded lines of Tracee, in whatever order they are heard.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessTree, type TaskIndex } from '@dendro/engine';
import type { TaskEvent } from '@dendro/protocol';
import { TraceeDecoder } from '@dendro/sources';
import { expect, test } from 'vitest';
import { answersOf, differencesOf } from './answers.ts';
import { Random } from './workload.ts';

const VECTORS = join(import.meta.dirname, '../vectors/tracee');
const BASE = { epochNs: 1_700_000_000_000_000_000n };
const ORDERS = 300;

/** What each line says. */
function linesOf(file: string): TaskEvent[][] {
  const lines = readFileSync(join(VECTORS, `${file}.ndjson`), 'utf8')
    .trimEnd()
    .split('\n');
  const decoded = lines.map((line) => {
    const events: TaskEvent[] = [];
    new TraceeDecoder((event) => events.push(event), { base: BASE }).pushAll(Buffer.from(line));
    return events;
  });
  expect(decoded.map((events) => events.length)).toEqual(lines.map(() => 2));
  return decoded;
}

function answers(events: readonly TaskEvent[]) {
  const host = new ProcessTree({ maxProcesses: 100, maxThreads: 100 });
  host.apply({ type: 'clock', ...BASE });
  for (const event of events) host.apply(event);
  const { tree } = host;
  const instants = events.flatMap((event) => ('at' in event ? [event.at as number] : []));
  const times = [...new Set(instants.flatMap((at) => [at - 1, at, at + 1]))].sort((a, b) => a - b);
  return answersOf(tree, times, (task: TaskIndex) => `${tree.tidOf(task)}@${tree.startOf(task)}`);
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const keyed = list.map((one) => ({ one, key: random.u32() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ one }) => one);
}

test.each(['legacy', 'v1beta1', 'legacy-threads', 'v1beta1-threads'])(
  '[FA1] [ID3] [ID4] [OB2] the lines of %s in any order, each of them twice, say of every task at every instant what they say in order',
  (file) => {
    const lines = linesOf(file);
    const inOrder = answers(lines.flat());
    expect(inOrder.size).toBeGreaterThan(200);
    expect(differencesOf(answers([...lines, ...lines].flat()), inOrder)).toEqual([]);
    const random = new Random(0x7ace);
    for (let order = 0; order < ORDERS; order++) {
      expect(differencesOf(answers(shuffled(lines, random).flat()), inOrder)).toEqual([]);
      expect(differencesOf(answers(shuffled([...lines, ...lines], random).flat()), inOrder)).toEqual([]);
    }
  },
);

test.each(['legacy-threads', 'v1beta1-threads'])('[FA1] so do the single events that the lines of %s hold', (file) => {
  const events = linesOf(file).flat();
  const inOrder = answers(events);
  const random = new Random(0x7ace);
  for (let order = 0; order < ORDERS; order++) {
    expect(differencesOf(answers(shuffled([...events, ...events], random)), inOrder)).toEqual([]);
  }
});
