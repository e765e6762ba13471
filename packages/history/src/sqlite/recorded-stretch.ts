// A stretch of the history as a tree was told of it: who mattered at its beginning, then the batches as they came. It is made
// piece by piece, while recording goes on: no more than a row of the log, or one tree, is in memory at any time.

import type { TaskIndex } from '@dendro/engine';
import {
  BatchWriter,
  batchUntil,
  type EventNs,
  epochOf,
  eventTimeOf,
  readBatch,
  type TaskId,
  type TimeBase,
} from '@dendro/protocol';
import type { HistoryGap, RecordedPart, RecordedStretch } from '../history.ts';
import { chunksOf } from '../questions.ts';
import type { Era } from './eras.ts';
import type { BatchLog } from './log.ts';
import type { Reader } from './reader.ts';

/** What was told so much later still belongs to the stretch: events come late, and ends are concluded. */
const LATE_NS = 10e9;
/** So far back somebody was announced: a second on nearly every host. */
const LOOK_BACK_NS = [1e9, 60e9, 3600e9, Number.POSITIVE_INFINITY];
/** Gaps that a tree keeps. */
const MAX_GAPS = 10_000;
/** Ends that were found out later than that, looked up one by one. */
const MAX_ENDS = 1000;

export interface StretchSources {
  readonly reader: Reader;
  readonly log: BatchLog;
  gaps(fromEpochNs: bigint, toEpochNs: bigint): readonly HistoryGap[];
  noteDamaged(): void;
}

/** @throws DendroError DENDRO_HISTORY_TOO_OLD */
export function recordedStretch(sources: StretchSources, fromEpochNs: bigint, toEpochNs: bigint): RecordedStretch {
  const { era, from, to } = sources.reader.spanOf(fromEpochNs, toEpochNs);
  const { base } = era;
  return {
    baseEpochNs: base.epochNs,
    from,
    to,
    fromEpochNs: epochOf(base, from),
    toEpochNs: epochOf(base, to),
    parts: new Stretch(sources, era, from, to).parts(),
  };
}

class Stretch {
  readonly #sources: StretchSources;
  readonly #era: Era;
  readonly #from: EventNs;
  readonly #to: EventNs;
  /** Processes that live by what was given so far. */
  readonly #living = new Set<TaskId>();

  constructor(sources: StretchSources, era: Era, from: EventNs, to: EventNs) {
    this.#sources = sources;
    this.#era = era;
    this.#from = from;
    this.#to = to;
  }

  *parts(): Generator<RecordedPart> {
    yield* this.#beginning();
    yield* this.#batches();
    yield* this.#ends();
  }

  get #base(): TimeBase {
    return this.#era.base;
  }

  /** What was known then, of then and before, whenever it was told. */
  *#beginning(): Generator<RecordedPart> {
    const from = this.#from;
    const epochNs = epochOf(this.#base, from);
    const { tree } = this.#sources.reader.window(epochNs, epochNs);
    const newestId = this.#newestIdBefore();
    const tasks: TaskIndex[] = [];
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (tree.isPresent(task) && tree.taskIdOf(task) <= newestId) tasks.push(task);
    }
    const chunks = chunksOf(tree, tasks);
    if (chunks.length === 0) chunks.push(new BatchWriter().finish());
    for (const [i, chunk] of chunks.entries()) {
      const bytes = batchUntil(chunk, from);
      this.#note(bytes);
      yield { kind: 'snapshot', at: from, bytes, isLast: i === chunks.length - 1 };
    }
  }

  /**
   * Who was announced later comes in the batches: ids that a tree has not seen, below one that it has, are to it of those who
   * have left. Where the log begins with the stretch, nobody was announced before the first that it announces.
   */
  #newestIdBefore(): number {
    for (const span of LOOK_BACK_NS) {
      let newest = 0;
      for (const { at, ids } of this.#announced(this.#from - span, this.#from)) {
        if (at < this.#from) newest = ids.reduce((a, b) => Math.max(a, b), newest);
      }
      if (newest > 0) return newest;
    }
    for (const { ids } of this.#announced(this.#from, this.#to + LATE_NS))
      return ids.reduce((least, id) => Math.min(least, id), Number.POSITIVE_INFINITY) - 1;
    return Number.POSITIVE_INFINITY;
  }

  /** Ids that batches announce, of those that announce any. */
  *#announced(from: number, to: number): Generator<{ readonly at: EventNs; readonly ids: readonly TaskId[] }> {
    const { log } = this.#sources;
    for (const { at, bytes } of log.between(this.#era.id, this.#base, from as EventNs, to as EventNs, () => {})) {
      const ids: TaskId[] = [];
      readBatch(bytes, { ...IGNORED, exit() {}, task: (id: TaskId) => ids.push(id) });
      if (ids.length > 0) yield { at, ids };
    }
  }

  *#batches(): Generator<RecordedPart> {
    const { log, noteDamaged } = this.#sources;
    const { id, began } = this.#era;
    const to = this.#to;
    const gaps = this.#gapsByEnd();
    let damaged: Gap[] = [];
    let last = this.#from;
    const end = (to + LATE_NS) as EventNs;
    const batches = log.between(id, this.#base, this.#from, end, (at0, at1) => {
      noteDamaged();
      damaged.push({ from: at0, to: at1, lost: 0 });
    });
    for (const { at, bytes } of batches) {
      // What is behind the edge of the history by now was dropped before it could be read.
      const edge = this.#era.began ?? Number.NEGATIVE_INFINITY;
      const hasMoved = edge > (began ?? Number.NEGATIVE_INFINITY);
      if (hasMoved && edge > last && edge <= at) damaged.push({ from: last, to: at, lost: 0 });
      yield* this.#tellGaps([...gaps.until(at), ...damaged], at);
      damaged = [];
      last = at;
      // A batch has facts of the time before it was told: those of the first ones, and of the late ones, in part.
      const part = at <= to ? bytes : batchUntil(bytes, to);
      this.#note(part);
      if (at <= to || countOf(part) > 0) yield { kind: 'batch', at: Math.min(at, to) as EventNs, bytes: part };
    }
    yield* this.#tellGaps([...gaps.until(Number.POSITIVE_INFINITY), ...damaged], to);
  }

  *#tellGaps(gaps: readonly Gap[], at: EventNs): Generator<RecordedPart> {
    if (gaps.length === 0) return;
    const writer = new BatchWriter();
    for (const { from, to, lost } of gaps) writer.gap(from, Math.min(to, this.#to) as EventNs, lost);
    yield { kind: 'batch', at: Math.min(at, this.#to) as EventNs, bytes: writer.finish() };
  }

  /** Those that a tree is told of by its source are in its batches too: a gap that is said twice is one. */
  #gapsByEnd(): { until(at: number): Gap[] } {
    const base = this.#base;
    const epochs = [this.#from, this.#to].map((time) => epochOf(base, time)) as [bigint, bigint];
    const gaps = this.#sources
      .gaps(...epochs)
      .slice(-MAX_GAPS)
      .map((gap) => ({
        from: eventTimeOf(base, gap.fromEpochNs),
        to: eventTimeOf(base, gap.toEpochNs),
        lost: gap.lost,
      }))
      .sort((a, b) => a.to - b.to);
    let next = 0;
    return {
      until: (at) => {
        const first = next;
        while (next < gaps.length && (gaps[next] as Gap).to <= at) next++;
        return gaps.slice(first, next);
      },
    };
  }

  /** Who lives by what was told, and had ended, or the other way round: that was found out later, or is in no batch, as what a hole has hidden. */
  *#ends(): Generator<RecordedPart> {
    const { reader } = this.#sources;
    const epochNs = epochOf(this.#base, this.#to);
    const { tree, at } = reader.window(epochNs, epochNs);
    const missed = new Set(this.#living);
    const writer = new BatchWriter();
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task) || tree.isThread(task) || !tree.isAliveAt(task, at)) continue;
      if (!missed.delete(tree.taskIdOf(task))) tree.writeFacts(task, writer);
    }
    for (const id of [...missed].slice(0, MAX_ENDS)) {
      const { tree: few, taskId } = reader.taskAsOf({ taskId: id }, epochNs);
      if (taskId !== undefined) few.writeFacts(few.indexOf(id), writer);
    }
    if (writer.count > 0) yield { kind: 'batch', at: this.#to, bytes: batchUntil(writer.finish(), this.#to) };
    const openEnds = Math.max(0, missed.size - MAX_ENDS);
    if (openEnds > 0) yield { kind: 'rest', openEnds };
  }

  #note(batch: Uint8Array): void {
    readBatch(batch, {
      ...IGNORED,
      task: (id, _tid, _pid, leader) => {
        if (leader === id) this.#living.add(id);
      },
      exit: (id) => this.#living.delete(id),
    });
  }
}

interface Gap {
  readonly from: EventNs;
  readonly to: EventNs;
  readonly lost: number;
}

const IGNORED = { strings() {}, set() {}, gap() {}, evict() {} };

function countOf(batch: Uint8Array): number {
  let count = 0;
  const one = () => {
    count++;
  };
  readBatch(batch, { strings() {}, task: one, set: one, exit: one, gap: one, evict: one });
  return count;
}
