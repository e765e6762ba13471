// A file that is being read into a tree of this page's own, whatever its format.

import { ProcessTree, type TemporalTree } from '@dendro/engine';
import type { EventNs, HostInfo, SourceStatus } from '@dendro/protocol';
import type { HostStats } from '../replica/replica.ts';

/** What a page can hold; a file of more loses its oldest ended ones, and says so. */
const MAX_PROCESSES = 250_000;
const MAX_THREADS = 500_000;

export interface FileReading {
  /** Of what was pushed. */
  readonly readBytes: number;
  push(bytes: Uint8Array): void;
  /** Takes a little in. @returns false when more has to be pushed first @throws DendroError when it cannot be used at all */
  step(): Promise<boolean>;
  /** There is no more. @throws DendroError when it cannot be used at all */
  finish(): OpenedFile;
}

/** A file as far as it is open. */
export interface OpenFile {
  readonly reading: FileReading;
  readonly pieces: AsyncIterable<Uint8Array>;
  /** How much of it has been read, 0 to 1. */
  part(): number;
}

export interface OpenedFile {
  readonly host: HostInfo;
  readonly tree: TemporalTree;
  readonly now: EventNs;
  readonly stats: HostStats;
}

export function newTree(): ProcessTree {
  return new ProcessTree({ maxProcesses: MAX_PROCESSES, maxThreads: MAX_THREADS });
}

/** That it did not fit, as a notice. @param source of the command line that shows all */
export function* overfullNotice({ counts }: ProcessTree, source: string): Generator<string> {
  if (counts.evictedProcesses + counts.evictedThreads === 0) return;
  yield `It holds more than this page can: the oldest ended processes are left out. Use dendro --source ${source}:FILE with a larger --max-processes.`;
}

export interface FileHost {
  /** Of the file. */
  readonly file: string;
  readonly name: string;
  readonly baseEpochNs: string;
  readonly users: Readonly<Record<string, string>>;
  readonly now: EventNs;
}

export function openedFile(
  tree: ProcessTree,
  { file, now, ...host }: FileHost,
  source: Omit<SourceStatus, 'name' | 'state'>,
): OpenedFile {
  const { processes, threads, tasks, gaps, ringsRefused, evictedProcesses, evictedThreads } = tree.counts;
  return {
    host: { ...host, id: `file:${file}`, isLive: false },
    tree: tree.tree,
    now,
    stats: {
      now,
      source: { name: file, state: 'ended', ...source },
      stats: {
        processes,
        threads,
        tasks,
        gaps,
        ringsRefused,
        evicted: evictedProcesses + evictedThreads,
        eventsPerSecond: 0,
        enrichmentsDropped: 0,
        memoryBytes: 0,
      },
    },
  };
}
