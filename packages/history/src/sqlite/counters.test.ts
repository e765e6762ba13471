// Counters of weeks, in seconds, minutes and hours, beside a plain count.

import { type EventNs, epochOf } from '@dendro/protocol';
import { Random } from '@dendro/testkit';
import { expect, test } from 'vitest';
import { exec, exit, fork, RecordedHost, seen } from '../contract.ts';
import type { Histogram } from '../history.ts';
import { testFolders } from '../test-folders.ts';
import { SqliteHistory } from './store.ts';

const folder = testFolders();
const MS = 1_000_000;
const SECOND_NS = 1_000_000_000n;
const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];
/** In the middle of a second, a minute and an hour. */
const BASE = { epochNs: 1_795_459_682_783_931_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };
const DAYS = 21;
const KINDS = ['births', 'execs', 'exits'] as const;

type Kind = (typeof KINDS)[number];
interface Happened {
  readonly kind: Kind;
  readonly second: number;
}

const secondOf = (ms: number) => Number(epochOf(BASE, (ms * MS) as EventNs) / SECOND_NS);

/** Programs that come in bursts, some that run for hours; with pauses in which nothing happens. */
function tell(history: SqliteHistory, random: Random): Happened[] {
  const host = new RecordedHost(history, BASE).tell(seen(1, 0, -1000, ['/sbin/init']));
  const happened: Happened[] = [];
  const ends: { readonly ms: number; readonly pid: number }[] = [];
  const endUntil = (ms: number) => {
    ends.sort((a, b) => a.ms - b.ms);
    while (ends[0] !== undefined && ends[0].ms < ms) {
      const { ms: at, pid } = ends.shift() as (typeof ends)[number];
      host.tell(exit(at, pid, 0));
      happened.push({ kind: 'exits', second: secondOf(at) });
    }
  };
  let pid = 1000;
  for (let ms = 1; ms < DAYS * DAY * 1000; ms += random.logUniform(1, 6 * HOUR * 1000)) {
    endUntil(ms);
    pid++;
    host.tell(fork(ms, pid, 1), exec(ms + 0.5, pid, ['/bin/job']));
    happened.push({ kind: 'births', second: secondOf(ms) }, { kind: 'execs', second: secondOf(ms + 0.5) });
    ends.push({ ms: ms + random.logUniform(1, 5 * HOUR * 1000), pid });
    if (random.below(3) === 0) history.flush();
  }
  endUntil(Number.POSITIVE_INFINITY);
  history.flush();
  return happened;
}

/** What falls into each bucket, counted one by one. */
function counted(happened: readonly Happened[], kind: Kind, { firstEpochNs, bucketNs, births }: Histogram): number[] {
  const [first, width] = [Number(firstEpochNs / SECOND_NS), Number(bucketNs / SECOND_NS)];
  const counts = new Array<number>(births.length).fill(0);
  for (const { kind: other, second } of happened) {
    const bucket = Math.floor((second - first) / width);
    if (other === kind && bucket >= 0 && bucket < counts.length) (counts[bucket] as number)++;
  }
  return counts;
}

/** @param edge seconds; what is before it is gone */
function check(history: SqliteHistory, all: readonly Happened[], random: Random, edge = 0): void {
  const happened = all.filter(({ second }) => second >= edge);
  const units = new Set<number>();
  const [first, last] = [secondOf(0), secondOf(DAYS * DAY * 1000)];
  for (let i = 0; i < 200; i++) {
    const length = Math.floor(random.logUniform(MINUTE, (DAYS + 2) * DAY));
    const from = first - DAY + Math.floor(random.next() * (last - first + 2 * DAY - length));
    const to = from + length;
    const buckets = 1 + random.below(1000);
    const [fromNs, toNs] = [BigInt(from) * SECOND_NS + 5n, BigInt(to) * SECOND_NS + 7n];
    const histogram = history.histogram(fromNs, toNs, buckets);
    const width = Number(histogram.bucketNs / SECOND_NS);
    const unit = unitOf(length + 1);
    units.add(unit);
    expect(histogram.births.length).toBeLessThanOrEqual(buckets + 1);
    expect(histogram.firstEpochNs % histogram.bucketNs).toBe(0n);
    expect(histogram.firstEpochNs).toBeLessThanOrEqual(fromNs);
    const end = histogram.firstEpochNs + BigInt(histogram.births.length) * histogram.bucketNs;
    expect(end).toBeGreaterThan(toNs);
    // All of the second, the minute or the hour in which the range ends.
    const untilEnd = happened.filter(({ second }) => second < (Math.floor(to / unit) + 1) * unit);
    for (const kind of KINDS) expect([width, histogram[kind]]).toEqual([width, counted(untilEnd, kind, histogram)]);
  }
  expect([...units].sort((a, b) => a - b)).toEqual([1, MINUTE, HOUR]);
}

/** What a range of so many seconds is counted in, for 8000 rows at most. */
function unitOf(seconds: number): number {
  return [1, MINUTE].find((unit) => seconds / unit <= 8000) ?? HOUR;
}

test('hours, days and weeks are counted in seconds, minutes and hours, and every bucket has what happened in it', () => {
  const place = folder();
  const random = new Random(20_261_128);
  const history = new SqliteHistory(place, { graceNs: 0, blockLives: 50 });
  history.begin(START);
  const happened = tell(history, random);
  expect(happened.length).toBeGreaterThan(1500);
  check(history, happened, random);
  history.close();
  const again = new SqliteHistory(place);
  check(again, happened, random);
  again.close();
});

test('what is gone is in no bucket, however coarse it is', () => {
  const random = new Random(7);
  const history = new SqliteHistory(folder(), { graceNs: 0, blockLives: 50, maxAgeNs: BigInt(9 * DAY) * SECOND_NS });
  history.begin(START);
  const happened = tell(history, random);
  const oldest = history.state.oldestEpochNs as bigint;
  expect(oldest).toBeGreaterThan(epochOf(BASE, ((DAYS - 10) * DAY * 1000 * MS) as EventNs));
  expect(Number(oldest / SECOND_NS) % HOUR).toBeGreaterThan(MINUTE);
  check(history, happened, random, Number(oldest / SECOND_NS));
  history.close();
});
