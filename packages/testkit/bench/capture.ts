// `pnpm bench:capture`: forks, programs and threads at the full rate of this
// machine, read by the real source, alone and with the tree behind it as in the
// server. Only root may trace. Prints tables and writes them as JSON.
//
// `--source tracefs` measures that alone; really alone it is where the thread that
// reads /proc cannot be woken by the connector either: under `unshare --net`.
//
// Events, births and losses are counted to the last one; shares of a core and
// delays are of a machine that the load keeps busy at the same time.

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type Generator, LOADS, type Load, openGenerator } from './generator.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    lives: { type: 'string', default: '100' },
    source: { type: 'string' },
    out: { type: 'string' },
  },
});
const SECONDS = Number(values.seconds);
const LIVES = Number(values.lives);
const LIFE_MS = [0, 1, 5, 20];
/** Until what waits in the buffers and in /proc's queue has been taken. */
const SETTLE_MS = 1500;

const ARRANGEMENTS = [
  { name: 'ebpf alone', source: 'ebpf', withTree: false },
  { name: 'tracefs alone', source: 'tracefs', withTree: false },
  { name: 'tracefs+cn_proc alone', source: 'tracefs+cn_proc', withTree: false },
  { name: 'ebpf and tree', source: 'ebpf', withTree: true },
  { name: 'tracefs+cn_proc and tree', source: 'tracefs+cn_proc', withTree: true },
].filter(({ source }) => values.source === undefined || values.source === source);
const SOURCES_OF_ARGUMENTS = values.source === undefined ? ['ebpf', 'tracefs+cn_proc'] : [values.source];
/** Of the times in /proc/PID/stat: the kernel's own, the same everywhere. */
const TICK_MS = 10;

interface Counts {
  readonly name: string;
  readonly events: number;
  readonly births: number;
  readonly lost: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly delays: readonly [number, number];
  /** The process beside the server that reads the kernel's records. */
  readonly childPid?: number | undefined;
}

/** The source in a worker of its own, as in the server. */
class Capture {
  readonly #worker: Worker;
  #answer = Promise.withResolvers<unknown>();

  private constructor(source: string, withTree: boolean) {
    this.#worker = new Worker(new URL('../../../apps/server/bench/capture-worker.ts', import.meta.url), {
      workerData: { source, withTree },
    });
    this.#worker.on('message', (message: { answer?: unknown }) => {
      if (message.answer !== undefined) this.#answer.resolve(message.answer);
    });
    this.#worker.on('error', (error) => this.#answer.reject(error));
  }

  static async start(source: string, withTree: boolean): Promise<Capture> {
    const capture = new Capture(source, withTree);
    await capture.#answer.promise;
    return capture;
  }

  async ask<T>(ask: string, tag?: string): Promise<T> {
    this.#answer = Promise.withResolvers();
    this.#worker.postMessage({ ask, tag });
    return (await this.#answer.promise) as T;
  }

  /** Of the worker's thread alone. */
  async cpuMs(): Promise<number> {
    const { user, system } = await this.#worker.cpuUsage();
    return (user + system) / 1000;
  }

  async stop(): Promise<void> {
    const ended = once(this.#worker, 'exit');
    await this.ask('stop');
    await ended;
  }
}

/** Of all threads of a process, in user mode and for it in the kernel. */
function processCpuMs(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return TICK_MS * (Number(fields[11]) + Number(fields[12]));
}

async function measureStorm(generator: Generator, capture: Capture, load: Load) {
  await capture.ask('reset');
  const before = await capture.ask<Counts>('counts');
  const cpuBefore = await capture.cpuMs();
  const childBefore = processCpuMs(before.childPid);
  const began = performance.now();
  const made = await generator.storm(load, SECONDS);
  const storm = await capture.ask<Counts>('counts');
  const ms = performance.now() - began;
  const cpu = (await capture.cpuMs()) - cpuBefore;
  const childCpu = processCpuMs(before.childPid) - childBefore;
  await sleep(SETTLE_MS);
  const after = await capture.ask<Counts>('counts');
  const eventsPerSecond = Math.round((storm.events * 1000) / ms);
  const corePercent = (100 * cpu) / ms;
  const childPercent = (100 * childCpu) / ms;
  return {
    load,
    eventsPerSecond,
    made,
    // The workers of the generator are births too.
    seen: made === undefined ? undefined : after.births - availableParallelism(),
    lost: after.lost - before.lost,
    rejected: after.rejected,
    corePercent,
    childPercent,
    bothPercent: corePercent + childPercent,
    p50Ms: after.delays[0],
    p99Ms: after.delays[1],
  };
}

async function measureArguments(generator: Generator, capture: Capture) {
  const shares: { lifeMs: number; programs: number; known: number }[] = [];
  for (const lifeMs of LIFE_MS) {
    const tag = `lives-${lifeMs}-${process.pid}`;
    await generator.lives?.(LIVES, lifeMs, tag);
    await sleep(SETTLE_MS);
    const { known } = await capture.ask<{ known: number }>('argv', tag);
    shares.push({ lifeMs, programs: LIVES, known });
  }
  return shares;
}

function print(widths: readonly number[], rows: readonly (readonly string[])[]): void {
  for (const row of rows)
    console.log(row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' '));
  console.log();
}

async function main(): Promise<void> {
  if (process.geteuid?.() !== 0) throw new Error('Only root may trace: run it with sudo.');
  const generator = openGenerator();
  process.once('exit', () => generator.remove());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  console.log(`load: ${generator.name}, ${availableParallelism()} CPUs, ${SECONDS} s each\n`);
  const storms: (Awaited<ReturnType<typeof measureStorm>> & { arrangement: string })[] = [];
  const shares: (Awaited<ReturnType<typeof measureArguments>>[number] & { source: string })[] = [];
  for (const { name, source, withTree } of ARRANGEMENTS) {
    const capture = await Capture.start(source, withTree);
    await sleep(SETTLE_MS);
    for (const load of LOADS) storms.push({ arrangement: name, ...(await measureStorm(generator, capture, load)) });
    await capture.stop();
  }
  if (generator.lives !== undefined) {
    for (const source of SOURCES_OF_ARGUMENTS) {
      // A tree of its own: the storms have left others full of ended programs.
      const capture = await Capture.start(source, true);
      await sleep(SETTLE_MS);
      shares.push(...(await measureArguments(generator, capture)).map((share) => ({ source, ...share })));
      await capture.stop();
    }
  }
  print(
    [25, 7, 9, 19, 6, 7, 7, 7, 8, 8],
    [
      ['', 'load', 'events/s', 'births seen/made', 'lost', '% core', 'child', 'both', 'p50 ms', 'p99 ms'],
      ...storms.map((one) => [
        one.arrangement,
        one.load,
        String(one.eventsPerSecond),
        one.made === undefined ? '' : `${one.seen}/${one.made}`,
        String(one.lost),
        one.corePercent.toFixed(1),
        one.childPercent.toFixed(1),
        one.bothPercent.toFixed(1),
        one.p50Ms.toFixed(1),
        one.p99Ms.toFixed(1),
      ]),
    ],
  );
  print(
    [22, 16, 10],
    [
      ['', 'life after exec', 'arguments known'],
      ...shares.map(({ source, lifeMs, programs, known }) => [
        source,
        `${lifeMs} ms`,
        `${known} of ${programs} (${Math.round((100 * known) / programs)} %)`,
      ]),
    ],
  );
  if (values.out !== undefined)
    writeFileSync(values.out, `${JSON.stringify({ storms, arguments: shares }, null, 2)}\n`);
}

try {
  await main();
  process.exit(0);
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown);
  process.exit(1);
}
