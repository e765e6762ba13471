// Lines that were good once, changed at random but always in the same way for
// one seed: for tests of decoders.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type EventNs, isTid, MAX_TID, type TaskEvent } from '@dendro/protocol';
import { expect } from 'vitest';
import type { EventSink } from '../source.ts';
import type { LineDecoder } from './line-decoder.ts';

/** Of each kind of file. */
const FUZZ_LINES = Number(process.env['DENDRO_FUZZ_LINES'] ?? 350_000);
const SEED = Number(process.env['DENDRO_SEED'] ?? 20_261_124);
const BATCH_LINES = 1000;
/** A batch takes some 20 ms; a loop without an end would take for ever. */
const MAX_BATCH_MS = 5000;
const MAX_GROWTH_BYTES = 32 * 1024 * 1024;
const NUMBERS = ['0', '-1', '1', '4194304', '4194305', '99999999999999999999', '4294967295', '1e9', '0x7fffffff', ''];

/**
 * Feeds mutated lines, in chunks of any size: nothing is thrown, nothing hangs, no memory grows, and what comes out is no worse than
 * what a tree can take.
 * @param corpusOf the lines of each round: time goes on
 */
export function fuzz(
  corpusOf: (round: number) => readonly string[],
  tokens: readonly string[],
  decode: (sink: EventSink) => LineDecoder,
): void {
  const random = randomFrom(SEED);
  let events = 0;
  const decoder = decode((event) => {
    events++;
    checkEvent(event);
  });
  let slowestBatchMs = 0;
  let lines = 0;
  const before = keptBytes();
  for (let round = 0; lines < FUZZ_LINES; ) {
    const batch: string[] = [];
    while (batch.length < BATCH_LINES) {
      const corpus = corpusOf(round++);
      for (const line of corpus) batch.push(random(3) === 0 ? line : mutated(line, corpus, tokens, random));
    }
    const bytes = Buffer.from(`${batch.join('\n')}\n`, 'latin1');
    const began = performance.now();
    for (let from = 0; from < bytes.length; ) {
      const end = Math.min(bytes.length, from + 1 + random(65_536));
      decoder.push(bytes.subarray(from, end));
      from = end;
    }
    slowestBatchMs = Math.max(slowestBatchMs, performance.now() - began);
    lines += batch.length;
  }
  decoder.end();
  expect(events).toBeGreaterThan(1000);
  expect(slowestBatchMs).toBeLessThan(MAX_BATCH_MS);
  expect(keptBytes() - before).toBeLessThan(MAX_GROWTH_BYTES);
}

/** What is still in use after a collection, on the heap and beside it. */
function keptBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

type Random = (below: number) => number;

function mutated(line: string, corpus: readonly string[], tokens: readonly string[], random: Random): string {
  let text = line;
  for (let times = 1 + random(3); times > 0; times--) text = mutatedOnce(text, corpus, tokens, random);
  return text;
}

function mutatedOnce(line: string, corpus: readonly string[], tokens: readonly string[], random: Random): string {
  const at = random(line.length + 1);
  const end = Math.min(line.length, at + 1 + random(12));
  switch (random(9)) {
    case 0:
      return line.slice(0, at) + String.fromCharCode(random(256)) + line.slice(at + 1);
    case 1:
      return line.slice(0, at) + line.slice(end);
    case 2:
      return line.slice(0, at);
    case 3:
      return line.slice(0, at) + (corpus[random(corpus.length)] ?? '').slice(random(60));
    case 4:
      return line.slice(0, end) + line.slice(at);
    case 5:
      return line.slice(0, at) + line.slice(at, end).repeat(1 + random(200)) + line.slice(end);
    case 6: {
      let nth = random(12);
      return line.replace(/\d+/g, (digits) => (nth-- === 0 ? (NUMBERS[random(NUMBERS.length)] ?? '') : digits));
    }
    case 7:
      return line.replace(/\d/, String(random(10)));
    default:
      return line.slice(0, at) + (tokens[random(tokens.length)] ?? '') + line.slice(at);
  }
}

/** What the tree relies on, and what no source may break. */
function checkEvent(event: TaskEvent): void {
  const times: EventNs[] = 'at' in event ? [event.at] : [];
  for (const time of times) {
    if (!Number.isInteger(time)) throw new Error(`a time that is none: ${time} of ${event.type}`);
  }
  for (const [key, value] of Object.entries(event)) {
    const isTask =
      key === 'tid' || key === 'pid' || key === 'creatorTid' || key === 'creatorPid' || key === 'parentPid';
    if (isTask && value !== undefined && !isTid(value))
      throw new Error(`no task: ${key}=${value}, the most is ${MAX_TID}`);
    if ((key === 'uid' || key === 'gid') && value !== undefined && !(value >= 0 && value < 2 ** 32)) {
      throw new Error(`nobody: ${key}=${value}`);
    }
  }
}

/** Mulberry32. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
