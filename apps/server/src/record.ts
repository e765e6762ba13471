// `dendro record`: writes what happens to a file until it is stopped. The worker
// writes; here is said how it goes.

import { statSync } from 'node:fs';
import { DendroError } from '@dendro/protocol';
import { removeOwnInstance } from '@dendro/sources';
import type { RecordConfig } from './config.ts';
import type { HostClient } from './tree-worker/host-client.ts';
import { recordingOf } from './tree-worker/recordings.ts';
import { TreeClient } from './tree-worker/tree-client.ts';

const PROGRESS_MS = 1000;
/** Where nobody watches lines grow over each other. */
const LINE_MS = 10_000;

export async function record(config: RecordConfig): Promise<void> {
  const { file, isForced, ...options } = config;
  const stop = new StopSignals();
  const client = await start({ ...options, recording: { file, isForced } });
  const begunMs = performance.now();
  const { name, detail, notices } = client.first.status.source;
  complain(`recording ${name} (${detail}) to ${file}; Ctrl-C ends it.`);
  for (const notice of notices) complain(`note: ${notice}`);

  const tell = (): void => showProgress(progressOf(client, file, begunMs));
  const timer = setInterval(tell, process.stderr.isTTY ? PROGRESS_MS : LINE_MS);
  const failure = await untilOver(client, config.forMs, stop);
  clearInterval(timer);
  await client.stop();
  tell();
  if (process.stderr.isTTY) process.stderr.write('\n');
  if (failure !== undefined) {
    complain(failure);
    process.exitCode = 1;
  }
  if (client.hosts.length > 1) {
    complain(`the feed is of ${client.hosts.length} hosts, each in a file of its own:`);
    for (const path of filesOf(client.hosts, file)) complain(`  ${path}`);
  }
  for (const host of client.hosts) complainOfLosses(host);
  stop.close();
}

async function start(options: Parameters<typeof TreeClient.start>[0]): Promise<TreeClient> {
  try {
    return await TreeClient.start(options);
  } catch (thrown) {
    removeOwnInstance(); // the source may run already
    throw thrown;
  }
}

/** The first signal ends the recording in order, the second at once; neither leaves a tracefs instance behind. */
class StopSignals {
  readonly #first = Promise.withResolvers<void>();
  readonly #names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  #count = 0;

  constructor() {
    for (const name of this.#names) process.on(name, this.#take);
  }

  get came(): Promise<void> {
    return this.#first.promise;
  }

  close(): void {
    for (const name of this.#names) process.off(name, this.#take);
  }

  readonly #take = (): void => {
    this.#first.resolve();
    if (++this.#count === 1) return;
    removeOwnInstance();
    process.exit(130);
  };
}

/**
 * Waits for a signal, the end of the time, or of what can be recorded.
 * @returns what went wrong
 */
function untilOver(client: TreeClient, forMs: number | undefined, stop: StopSignals): Promise<string | undefined> {
  const over = Promise.withResolvers<string | undefined>();
  const timer = endAfter(forMs, () => over.resolve(undefined));
  void stop.came.then(() => over.resolve(undefined));
  client.first.listen({
    status: ({ source: { state, notices } }) => {
      if (state === 'ended') over.resolve(undefined);
      if (state === 'failed') over.resolve(notices.at(-1) ?? 'the source has failed.');
    },
  });
  client.listen({
    failed: (error) => over.resolve(error instanceof DendroError ? error.message : `the recorder died: ${error.stack}`),
  });
  return over.promise.finally(() => clearInterval(timer));
}

/** A timer cannot take more than 24 days. */
function endAfter(forMs: number | undefined, end: () => void): NodeJS.Timeout | undefined {
  if (forMs === undefined) return undefined;
  const atMs = performance.now() + forMs;
  const timer = setInterval(
    () => {
      if (performance.now() >= atMs) end();
    },
    Math.min(forMs, 100),
  );
  return timer;
}

function progressOf({ hosts }: TreeClient, file: string, begunMs: number): string {
  const seconds = Math.round((performance.now() - begunMs) / 1000);
  const events = sum(hosts.map(({ status }) => status.source.events));
  const lost = sum(hosts.map(({ status }) => status.source.lost));
  const losses = lost > 0 ? `, ${lost} lost` : '';
  const of = hosts.length > 1 ? ` of ${hosts.length} hosts` : '';
  return `${clockText(seconds)}  ${events} events${of}${losses}, ${sizeText(filesOf(hosts, file))}`;
}

/** A recording holds one host. */
function filesOf(hosts: readonly HostClient[], file: string): string[] {
  return hosts.map(({ number, info }) => recordingOf(file, number, info.id));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function showProgress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `dendro: ${text}\n`);
}

function clockText(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

function sizeText(files: readonly string[]): string {
  const bytes = sum(files.map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0));
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function complainOfLosses({ status: { source, counts } }: HostClient): void {
  const rejected = sum(Object.values(source.rejected));
  if (rejected > 0) complain(`${rejected} lines or records could not be used.`);
  if (source.lost > 0) complain(`${source.lost} events were lost; the recording says when.`);
  // Those that have ended leave memory first, and are in the file as a whole.
  if (counts.evictedProcesses > 0 && counts.processes >= counts.maxProcesses) {
    complain('more processes were running than fit into memory: keep more with --max-processes and --max-threads.');
  }
}

function complain(sentence: string): void {
  process.stderr.write(`dendro: ${sentence}\n`);
}
