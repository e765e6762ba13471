// The recording core-strace: the tree that is made of it, and what strace saw
// of the same workload.
//
// strace gives a span for each thing that it saw, the tree gives one instant
// of another clock. The two meet in the marker at the beginning of the
// recording: the time of day, which a shell read just before it wrote it. That
// took so little that no tolerance is needed. Every instant of the tree is in
// its span, to the microsecond.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NO_TASK, type ProcessTree, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs, SourceStatus, TaskEvent } from '@dendro/protocol';
import { hostOf, livesByTid, RECORDINGS, replay } from './recorded-lives.ts';
import type { Span } from './strace-text.ts';
import { readStraceTruth, type TrueField, type TrueTask } from './strace-truth.ts';

/** strace prints nothing while a program sleeps, so some spans are long. What they hold happened in their first 6 ms. */
const PROMPTLY = 6_000_000;

/** A tree in which every tid has one life. */
export class CoreTree {
  readonly host: ProcessTree;
  readonly tree: TemporalTree;
  readonly lives: ReadonlyMap<number, readonly TaskIndex[]>;

  constructor(events: readonly TaskEvent[]) {
    this.host = hostOf(events);
    this.tree = this.host.tree;
    this.lives = livesByTid(this.host);
  }

  lifeOf(tid: number): TaskIndex {
    const lives = this.lives.get(tid) ?? [];
    if (lives[0] === undefined || lives.length > 1) throw new Error(`${tid} has ${lives.length} lives`);
    return lives[0];
  }

  startOf(tid: number): EventNs {
    return this.tree.startOf(this.lifeOf(tid));
  }

  exitOf(tid: number): EventNs {
    return this.tree.exitOf(this.lifeOf(tid));
  }

  /** Undefined for nobody. */
  tidOf(task: TaskIndex): number | undefined {
    return task === NO_TASK ? undefined : this.tree.tidOf(task);
  }

  creatorOf(tid: number): number | undefined {
    return this.tidOf(this.tree.creatorOf(this.lifeOf(tid)));
  }

  parentAt(tid: number, at: EventNs): number | undefined {
    return this.tidOf(this.tree.parentAt(this.lifeOf(tid), at));
  }

  childrenAt(tid: number, at: EventNs): number[] {
    return this.tree.childrenAt(this.lifeOf(tid), at).map((child) => this.tree.tidOf(child));
  }

  threadsOf(tid: number): number[] {
    return this.tree.threadsOf(this.lifeOf(tid)).map((thread) => this.tree.tidOf(thread));
  }

  isAliveAt(tid: number, at: EventNs): boolean {
    return this.tree.isAliveAt(this.lifeOf(tid), at);
  }

  readAt(tid: number, field: TrueField, at: EventNs): string | undefined {
    const life = this.lifeOf(tid);
    return field === 'comm' ? this.tree.textAt(life, 'comm', at) : this.tree.executablePathAt(life, at);
  }

  /** Since when the value holds that a task was given in this span; undefined where it was given none. */
  changedIn(tid: number, field: TrueField, { to }: Span): EventNs | undefined {
    return this.tree.sinceAt(this.lifeOf(tid), field, to);
  }
}

export interface CoreStrace {
  readonly events: readonly TaskEvent[];
  readonly status: SourceStatus;
  /** By tid. */
  readonly truth: ReadonlyMap<number, TrueTask>;
}

export async function readCoreStrace(): Promise<CoreStrace> {
  const { events, status, epochNs } = await replay('core-strace');
  const strace = readFileSync(join(RECORDINGS, 'core-strace/strace.txt'), 'latin1');
  return { events, status, truth: readStraceTruth(strace, epochNs) };
}

/** Is an instant in a span? Says by how much not. */
export function timing(at: EventNs | undefined, { from, to }: Span): string {
  if (at === undefined) return 'never';
  const end = Math.min(to, from + PROMPTLY);
  if (at < from) return `${(from - at) / 1000} µs early`;
  return at <= end ? 'in time' : `${(at - end) / 1000} µs late`;
}
