// `pnpm bench:history`: 10 M facts of a made-up host, recorded by a thread with a reader beside it, then read
// again. Prints the table of docs/benchmarks.md. `--facts N` makes it shorter, `--keep DIR` keeps the file.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { TaskIndex } from '@dendro/engine';
import { TemporalTree } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { LIVES_EPOCH_NS as EPOCH_NS, LivesHost, Random } from '@dendro/testkit';
import { HistoryClient } from '../src/client.ts';
import type { HistoryState } from '../src/history.ts';
import { Counters } from '../src/sqlite/counters.ts';
import { openDatabase } from '../src/sqlite/database.ts';
import { SqliteHistory } from '../src/sqlite/store.ts';

const { values } = parseArgs({
  options: { facts: { type: 'string', default: '10000000' }, keep: { type: 'string' } },
});
const FACTS = Number(values.facts);
/** What the thread has not taken yet: whoever asks waits for it too. */
const IN_FLIGHT_BYTES = 4 * 1024 * 1024;
const DAYS = 14;
const DAY = 86_400;
const directory = values.keep ?? mkdtempSync(join(tmpdir(), 'dendro-bench-'));
const random = new Random(4711);

function row(name: string, figure: string, goal = ''): void {
  process.stdout.write(`| ${name} | ${figure} | ${goal} |\n`);
}

function percentiles(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)} ms`;
}

interface Measured {
  readonly wall: readonly number[];
  /** Of this process: what counts on a machine that does something else too. */
  readonly cpu: readonly number[];
}

function measure(times: number, work: (i: number) => void): Measured {
  const [wall, cpu]: [number[], number[]] = [[], []];
  for (let i = 0; i < times; i++) {
    const [began, used] = [performance.now(), process.cpuUsage()];
    work(i);
    wall.push(performance.now() - began);
    const { user, system } = process.cpuUsage(used);
    cpu.push((user + system) / 1000);
  }
  return { wall, cpu };
}

function figures({ wall, cpu }: Measured, warmUp = 0): string {
  return `${percentiles(wall.slice(warmUp))} (CPU ${percentiles(cpu.slice(warmUp))})`;
}

function flushTimes({ p50, p99, max }: HistoryState['flushMs']): string {
  return `p50 ${p50.toFixed(0)}, p99 ${p99.toFixed(0)}, max ${max.toFixed(0)} ms`;
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** What this machine does just now, in the measure of the first table: other work on it slows everything. */
function machineSpeed(batches: readonly { readonly bytes: Uint8Array; readonly facts: number }[]): number {
  const some = batches.slice(0, 500);
  let best = 0;
  for (let run = 0; run < 3; run++) {
    const tree = new TemporalTree({ expectedTasks: 200_000, expectedEntries: 1_000_000 });
    const began = performance.now();
    for (const { bytes } of some) tree.apply(bytes);
    const facts = some.reduce((sum, batch) => sum + batch.facts, 0);
    best = Math.max(best, (facts / (performance.now() - began)) * 1000);
  }
  return best;
}

const lives = new LivesHost({ facts: FACTS, batchFacts: 2000, liveTasks: 16_000, birthsPerSecond: 700 });
const batches = [...lives.run()];
const facts = batches.reduce((sum, batch) => sum + batch.facts, 0);
const hostSeconds = lives.now / 1e9;
// As if it had been recorded on this machine until now: a server that is started on it goes on from it (`bench:restart`).
const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const upNs = BigInt(Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e9));
const START = { bootId, base: { epochNs: EPOCH_NS }, bootNs: upNs - BigInt(Math.ceil(lives.now)), at: 0 as EventNs };
process.stdout.write(
  `${facts} facts of ${hostSeconds.toFixed(0)} s of a host, ${batches.length} batches\n\n| | figure | goal |\n| --- | --- | --- |\n`,
);
row('merging into a tree alone, facts/s', machineSpeed(batches).toFixed(0));

// Recording, at first alone, then with somebody who asks all the while.
const client = await HistoryClient.open({ directory });
await client.begin(START);
let isRecording = true;
const tasksAsked: number[] = [];
const searchesAsked: number[] = [];
const treesAsked: number[] = [];
let newest = 1;
async function timed(times: number[], work: Promise<unknown>): Promise<void> {
  const began = performance.now();
  await work;
  times.push(performance.now() - began);
}
async function read(): Promise<void> {
  while (isRecording) {
    const epochNs = EPOCH_NS + BigInt(Math.floor(random.next() * newest));
    await timed(tasksAsked, client.ask({ kind: 'task', ref: { pid: 1 }, epochNs }));
    await timed(searchesAsked, client.ask({ kind: 'search', query: { text: 'config', limit: 20 } }));
    await timed(treesAsked, client.ask({ kind: 'window', fromEpochNs: epochNs, toEpochNs: epochNs }));
    await sleep(200);
  }
}
/** @returns facts per second */
async function record(some: typeof batches, into = client): Promise<string> {
  const began = performance.now();
  for (const { bytes, at } of some) {
    while (into.waitingBytes > IN_FLIGHT_BYTES) await sleep(1);
    into.append(bytes, at);
    newest = at;
  }
  await into.ask({ kind: 'state' });
  const count = some.reduce((sum, batch) => sum + batch.facts, 0);
  return ((count / (performance.now() - began)) * 1000).toFixed(0);
}
const quiet = Math.floor(batches.length / 3);
row('recording, the first third, facts/s', await record(batches.slice(0, quiet)));
const alone = await client.ask({ kind: 'state' });
const reader = read();
row('recording the rest with a reader beside it, facts/s', await record(batches.slice(quiet)), '≥ 500,000');
isRecording = false;
await reader;
const done = await client.ask({ kind: 'state' });
row('one task meanwhile, waiting in line included', percentiles(tasksAsked));
row('a search meanwhile', percentiles(searchesAsked));
row('a whole tree meanwhile', percentiles(treesAsked));
row('flush, each 250 ms', flushTimes(done.flushMs));
row('dropped batches', String(client.state.droppedBatches), '0');
await client.close();
row('bytes of a fact on the disk, everything included', (bytesIn(directory) / facts).toFixed(2), '≤ 12');

// The first third once more, with half of it going again at once.
const limited = mkdtempSync(join(tmpdir(), 'dendro-bench-'));
const maxBytes = Math.round(alone.fileBytes / 2);
const small = await HistoryClient.open({ directory: limited, maxBytes });
await small.begin(START);
let greatest = 0;
const watch = setInterval(() => {
  greatest = Math.max(greatest, bytesIn(limited));
}, 5);
const newestOfAll = newest;
const limitedSpeed = await record(batches.slice(0, quiet), small);
newest = newestOfAll;
clearInterval(watch);
const kept = await small.ask({ kind: 'state' });
await small.close();
rmSync(limited, { recursive: true });
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
row(`the first third with retention to ${megabytes(maxBytes)} MB, facts/s`, limitedSpeed, '≥ 500,000');
row('file and journal then, at most', `${megabytes(greatest)} MB`, `≤ ${megabytes(maxBytes)} MB`);
row('flush of the first third, without retention', flushTimes(alone.flushMs));
row('the same with retention', flushTimes(kept.flushMs), 'no longer: retention stalls nothing');

// Starting again.
const opened = performance.now();
const history = new SqliteHistory(directory);
history.begin({ ...START, at: newest as EventNs });
history.asOf(EPOCH_NS + BigInt(Math.floor(newest / 2)));
row(
  'start until the first tree of the past is there',
  `${((performance.now() - opened) / 1000).toFixed(2)} s`,
  '≤ 1 s',
);

// Reading.
const instant = () => EPOCH_NS + BigInt(Math.floor(random.next() * newest));
const livingAt: number[] = [];
/** Tasks that lived at some instants. */
const lived: [taskId: TaskId, epochNs: bigint][] = [];
const trees = measure(200, () => {
  const epochNs = instant();
  const { tree, at } = history.asOf(epochNs);
  if (lived.length >= 2000) return;
  let living = 0;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || !tree.isAliveAt(task, at)) continue;
    living++;
    if (random.below(200) === 0) lived.push([tree.taskIdOf(task), epochNs]);
  }
  livingAt.push(living);
});
row(
  `tree as of a random instant, ${Math.min(...livingAt)} to ${Math.max(...livingAt)} tasks`,
  figures(trees, 40),
  'p95 ≤ 30 ms',
);
const tasks = measure(lived.length, (i) => {
  const [taskId, epochNs] = lived[i] as (typeof lived)[number];
  history.taskAsOf({ taskId }, epochNs);
});
row('one task that lived then, and its ancestors', figures(tasks, 200), 'p95 ≤ 2 ms');
const first = measure(1, () => history.search({ commandLine: 'config' }));
row('the first search after a start', figures(first));
let slicesRead = 0;
const needles = ['gcc', 'config', '--', '.o', '/tmp/k', 'nothing like it', 'server', 'lib/gcc', 'zz', 'der'];
const searches = measure(300, (i) => {
  history.search({ commandLine: needles[i % needles.length], limit: 100 });
});
const { total } = history.search({ text: '', limit: 1 });
row(`search in the command lines of ${total} images of lives`, figures(searches), 'p95 ≤ 30 ms, a million lives');
const histograms = measure(500, () => {
  const [a, b] = [random.next() * newest, random.next() * newest].sort((x, y) => x - y) as [number, number];
  history.histogram(EPOCH_NS + BigInt(Math.floor(a)), EPOCH_NS + BigInt(Math.floor(b)), 500);
});
row('histogram of a random range', figures(histograms), 'p95 ≤ 20 ms');
history.close();
const weeks = mkdtempSync(join(tmpdir(), 'dendro-bench-'));
const database = openDatabase(weeks);
const counters = new Counters(database, START.base);
counters.begin(START.base, 0 as EventNs);
for (let day = 0; day < DAYS; day++) {
  for (let second = 0; second < DAY; second++) counters.birth(((day * DAY + second) * 1e9) as EventNs);
  database.transaction(() => counters.save())();
  counters.noteSaved();
}
const spans = measure(500, () => {
  const seconds = 60 * (DAYS * 24 * 60) ** random.next();
  const from = EPOCH_NS + BigInt(Math.floor(random.next() * (DAYS * DAY - seconds))) * 1_000_000_000n;
  counters.histogram(from, from + BigInt(Math.floor(seconds)) * 1_000_000_000n, 500);
});
row(`histogram of a minute to ${DAYS} days, something in each second`, figures(spans), 'p95 ≤ 20 ms');
database.close();
rmSync(weeks, { recursive: true });
const again = new SqliteHistory(directory);
again.begin({ ...START, at: newest as EventNs });
const slices = measure(1, () => {
  while (again.warm(5)) slicesRead++;
});
row(`reading ahead after a start, in ${slicesRead} slices of 5 ms`, figures(slices));
row('the first search after that', figures(measure(1, () => again.search({ commandLine: 'config' }))), '≤ 100 ms');
again.close();
row(
  'resident set',
  `${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB, of which some ${((facts * 38) / 1e6).toFixed(0)} are the batches`,
);
if (values.keep === undefined) rmSync(directory, { recursive: true });
