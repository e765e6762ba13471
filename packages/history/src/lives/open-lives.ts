// The lives that are not in a block yet: who lives, who has just ended, and everyone through whom
// one of these is read. A tree of their own facts, from which a life goes into a block
// as a whole once nothing is likely to be told of it any more.
//
//   living  --end-->  waiting  --a while later-->  ready  --as many as make a block-->  sealed
//                                 |   ^
//                  somebody is read v   | nobody is any more
//                       through it  pinned
//
// A life matters from its start to its release: its own end, or the release of the last one who is
// read through it (as creator, leader or named parent), if that is later. So whoever loads all lives that
// matter at an instant has everything that any answer about the instant can need. A fact about a
// life that is sealed already, or a birth that names one, brings it back: later it is sealed again, and
// the two copies add up, as facts do.

import { NO_TASK, type TaskIndex, TemporalTree } from '@dendro/engine';
import {
  AUTHORITY,
  type Authority,
  type EntityId,
  type EventNs,
  type FactVisitor,
  FIELDS,
  fieldType,
  isTextField,
  NO_TASK_ID,
  readBatch,
  TASK_FLAG,
  type TaskId,
  type Tid,
  type TimeBase,
} from '@dendro/protocol';
import { type EncodedBlock, type Image, LivesEncoder, LONG_AGO } from '../codec/lives-encoder.ts';
import { DURATION_CLASSES, durationClass } from './duration-class.ts';
import { imagesOf } from './images.ts';

const SECOND_NS = 1_000_000_000;
/** Room for these costs nothing until they come. */
const EXPECTED_TASKS = 65_536;
const INIT_TID = 1;
const PARENT = FIELDS.parent.id;
const ARGV = FIELDS.argv.id;
const NO_TEXT = 0;
const MAX_LOST = 16_384;
const MAX_MISSING = 16_384;
const IS_TEXT: readonly boolean[] = Array.from({ length: 32 }, (_, field) => isTextField(fieldType(field)));

const STATE = { none: 0, waiting: 1, pinned: 2, ready: 3 } as const;

export interface OpenLivesOptions {
  /** How long after its end a life is waited for late facts about it. Default 5 s. */
  readonly graceNs?: number | undefined;
  /** Ended lives that are waited for at most; beyond, the oldest are waited for no longer. Default 65,536. */
  readonly maxWaiting?: number | undefined;
  /** Lives of a block. Default 2048. */
  readonly blockLives?: number | undefined;
  /** Entries after which a life that goes on is put into a block as far as it goes. Default 448. */
  readonly entriesPerPart?: number | undefined;
  /** A field keeps so many entries more than a part has: what a part has in common with the one before. Default 64. */
  readonly spareEntries?: number | undefined;
  /** Lives that have ended and are kept for others who are read through them, at most. Default 65,536. */
  readonly maxPinned?: number | undefined;
}

export interface SealedBlock extends EncodedBlock {
  readonly durationClass: number;
}

/** What a batch has told, for those who count. */
export interface LifeEvents {
  birth(at: EventNs): void;
  exec(at: EventNs): void;
  exit(at: EventNs): void;
  gap(from: EventNs, to: EventNs, lost: number): void;
}

/** Finds what is sealed. */
export interface SealedLives {
  /**
   * Loads what is known of a life into the tree.
   * @returns from when to when it matters, and whether some of it is in earlier blocks alone; undefined when it is not there
   */
  bringBack(
    id: TaskId,
    tree: TemporalTree,
  ): { readonly from: EventNs; readonly to: EventNs; readonly isPart: boolean } | undefined;
}

export class OpenLives implements FactVisitor {
  readonly tree: TemporalTree;
  readonly #events: LifeEvents;
  readonly #closed: SealedLives;
  readonly #graceNs: number;
  readonly #maxWaiting: number;
  readonly #maxPinned: number;
  readonly #blockLives: number;
  readonly #entriesPerPart: number;
  readonly #encoder: LivesEncoder;
  // TaskIndex -> …
  #state = new Uint8Array(1024);
  #release = new Float64Array(1024);
  #from = new Float64Array(1024); // NaN: since its start
  #sets = new Uint16Array(1024); // entries since its last part
  #hasPart = new Uint8Array(1024); // 1: what it was before is in a block
  #seen = new Float64Array(1024); // the last time at which something of it was seen; -Infinity: nothing was
  /** Ended lives and when they are looked at, in order; the first ones have gone. */
  #due: { readonly id: TaskId; readonly at: number }[] = [];
  #firstDue = 0;
  readonly #ready: TaskId[][] = Array.from({ length: DURATION_CLASSES }, () => []);
  #readyCount = 0;
  #pinned = 0;
  #pinnedOrder: TaskId[] = [];
  #cut = 0;
  #sealed: SealedBlock[] = [];
  /** Living ones that the recorder's tree has let go of, by tid: the next life of the tid ends them. */
  readonly #lost = new Map<number, TaskId>();
  /** Ids that are in no block: not looked for again. */
  readonly #missing = new Set<number>();
  #newestId = 0;
  #initId: TaskId | undefined;
  #refused = 0;
  #newest = Number.NEGATIVE_INFINITY;
  // Of the batch that is being taken.
  #texts: readonly string[] = [];
  #textIndexes = new Int32Array(0);
  #lastId = 0;
  #lastTask: TaskIndex = NO_TASK;
  #entered: TaskIndex[] = [];
  /** TaskIndex -> what was looked up since the last fact about it. */
  readonly #images: (readonly Image[] | undefined)[] = [];

  constructor(base: TimeBase, closed: SealedLives, events: LifeEvents, options: OpenLivesOptions = {}) {
    this.#closed = closed;
    this.#events = events;
    this.#graceNs = options.graceNs ?? 5 * SECOND_NS;
    this.#maxWaiting = options.maxWaiting ?? 65_536;
    this.#maxPinned = options.maxPinned ?? 65_536;
    this.#blockLives = options.blockLives ?? 2048;
    this.#entriesPerPart = options.entriesPerPart ?? 448;
    this.tree = new TemporalTree({
      entriesPerField: this.#entriesPerPart + (options.spareEntries ?? 64),
      expectedTasks: EXPECTED_TASKS,
      expectedEntries: 8 * EXPECTED_TASKS,
    });
    this.#encoder = new LivesEncoder(base);
  }

  /** Facts about tasks that nobody has announced, or that are no longer in the history. */
  get refused(): number {
    return this.#refused;
  }

  /** Lives through which others are read no further than to them: there were too many. */
  get cut(): number {
    return this.#cut;
  }

  /** Of the task with tid 1, the younger one should there be two. It is never sealed while its time goes on. */
  get initId(): TaskId | undefined {
    return this.#initId;
  }

  get newestId(): TaskId {
    return this.#newestId as TaskId;
  }

  /** From earlier runs. */
  noteNewestId(id: number): void {
    this.#newestId = Math.max(this.#newestId, id);
  }

  get newest(): EventNs {
    return this.#newest as EventNs;
  }

  noteNewest(at: EventNs): void {
    if (at > this.#newest) this.#newest = at;
  }

  get counts(): { readonly open: number; readonly waiting: number; readonly pinned: number; readonly ready: number } {
    const waiting = this.#due.length - this.#firstDue;
    return { open: this.tree.taskCount, waiting, pinned: this.#pinned, ready: this.#readyCount };
  }

  /**
   * Takes in a batch. What it brings to completion is in `takeSealed`.
   * @param at what the recorder's clock said
   * @throws DendroError DENDRO_BATCH_MALFORMED; nothing was taken then
   */
  take(batch: Uint8Array, at: EventNs): void {
    if (at > this.#newest) this.#newest = at;
    this.#entered.length = 0;
    readBatch(batch, this);
    this.#lastId = 0;
    this.#lookAtDue();
  }

  /** Blocks that are complete since the last call. */
  takeSealed(): SealedBlock[] {
    const sealed = this.#sealed;
    this.#sealed = [];
    return sealed;
  }

  get hasSealed(): boolean {
    return this.#sealed.length > 0;
  }

  /** Everyone who matters at some time in `[from, to]`, in no order. */
  mattering(from: EventNs, to: EventNs): TaskIndex[] {
    const { tree } = this;
    const isIn = new Uint8Array(tree.slotCount);
    const found: TaskIndex[] = [];
    const add = (task: TaskIndex) => {
      if (isIn[task] === 1 || !tree.isPresent(task)) return;
      isIn[task] = 1;
      found.push(task);
    };
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task) || this.fromOf(task) > to) continue;
      const ends = Math.max(tree.exitOf(task), this.#release[task] as number);
      // Who is named by others may be so by one of whom there is a part in a block.
      if (ends >= from || tree.isReferenced(task)) add(task);
    }
    // And through whom they are read, at however many removes. The list grows while it is walked.
    for (let i = 0; i < found.length; i++) this.#forEachNamedBy(found[i] as TaskIndex, add);
    return found;
  }

  /** As `imagesOf` of a process, kept until something is told of it. */
  imagesOf(process: TaskIndex): readonly Image[] {
    const known = this.#images[process];
    if (known !== undefined) return known;
    while (this.#images.length < process) this.#images.push(undefined);
    const images = imagesOf(this.tree, process);
    this.#images[process] = images;
    return images;
  }

  /** Since when what is known of it here holds. */
  fromOf(task: TaskIndex): EventNs {
    const from = this.#from[task] as number;
    return (Number.isNaN(from) ? this.tree.startOf(task) : from) as EventNs;
  }

  /** Is what it was before in a block? */
  isPart(task: TaskIndex): boolean {
    return this.#hasPart[task] === 1;
  }

  // --- facts in ---

  strings(table: readonly string[]): void {
    this.tree.forgetUnusedTexts();
    this.#texts = table;
    this.#textIndexes = new Int32Array(table.length);
  }

  // hot: these run once per fact
  task(
    id: TaskId,
    tid: Tid,
    pid: Tid,
    leader: TaskId,
    creator: TaskId,
    start: EventNs,
    entityId: EntityId,
    flags: number,
    authority: Authority,
  ): void {
    const { tree } = this;
    if (this.#lost.size > 0) this.#endLost(tid, id, start);
    const task = this.#present(id, true);
    const wasPresent = tree.isPresent(task);
    const wasKnown = wasPresent && !tree.isPlaceholder(task);
    const startBefore = tree.startOf(task);
    if (!wasPresent) {
      this.#enter(task);
      this.#entered.push(task);
    }
    if (this.#missing.size > 0) this.#missing.delete(id);
    const leaderTask = leader === id ? task : this.#named(leader);
    const creatorTask = this.#named(creator);
    const hasChanged = tree.mergeTask(task, tid, pid, leaderTask, creatorTask, start, entityId, flags, authority);
    if (wasPresent && hasChanged) this.#noteChange(task, startBefore);
    tree.forgetIfUnused(leaderTask);
    tree.forgetIfUnused(creatorTask);
    if (id > this.#newestId) this.#newestId = id;
    if (tid === INIT_TID) this.#initId = Math.max(id, this.#initId ?? id) as TaskId;
    if (!wasKnown && !tree.isPlaceholder(task) && (flags & TASK_FLAG.thread) === 0) this.#events.birth(start);
  }

  set(id: TaskId, field: number, since: EventNs, authority: Authority, value: number): void {
    const { tree } = this;
    const task = id === this.#lastId ? this.#lastTask : this.#announced(id);
    if (task === NO_TASK) return;
    if (field === PARENT) {
      const parent = this.#named(value);
      tree.mergeParent(task, parent, since, authority);
      tree.forgetIfUnused(parent);
    } else {
      const isText = IS_TEXT[field] as boolean;
      const hasChanged = tree.mergeValue(task, field, since, authority, isText ? this.#internText(value) : value);
      if (field === ARGV && hasChanged && authority !== AUTHORITY.sighting) {
        this.#events.exec(since);
        if (tree.firstThreadOf(task) !== NO_TASK) this.#wait(id); // it has ended them
      }
    }
    if (authority === AUTHORITY.sighting && since > (this.#seen[task] as number)) this.#seen[task] = since;
    if (this.#hasPart[task] === 1 && since !== LONG_AGO && !tree.hasEntryOf(task, field, since)) {
      this.#sealLateEntry(task, id, field, since, authority, value);
    }
    if (this.#saysOfEarlier(task, since)) this.#reachBack(task);
    const sets = (this.#sets[task] as number) + 1;
    this.#sets[task] = sets;
    if (sets >= this.#entriesPerPart) this.#sealPart(task, id, since);
  }

  exit(id: TaskId, at: EventNs, authority: Authority, code: number, signal: number): void {
    const { tree } = this;
    const task = this.#announced(id);
    if (task === NO_TASK) return;
    const hadEnded = tree.isExitSaid(task);
    if (this.#saysOfEarlier(task, at)) this.#reachBack(task);
    tree.mergeExit(task, at, authority, code, signal);
    if (!hadEnded && !tree.isThread(task)) this.#events.exit(at);
    this.#wait(id);
  }

  gap(from: EventNs, to: EventNs, lost: number): void {
    this.#events.gap(from, to, lost);
  }

  /** The recorder's memory was full: that says nothing of the host, but of those who live nothing more will be told. */
  evict(id: TaskId): void {
    const { tree } = this;
    const task = tree.indexOf(id);
    if (task === NO_TASK || !tree.isPresent(task) || tree.exitOf(task) !== Number.POSITIVE_INFINITY) return;
    const tid = tree.tidOf(task);
    if (this.#lost.has(tid)) return;
    // What a batch says of tasks comes before whom it evicts, whatever was first.
    const next = this.#enteredWith(tid, task);
    if (next !== undefined) {
      this.#conclude(task, id, next);
      return;
    }
    const oldest = this.#lost.size < MAX_LOST ? undefined : this.#lost.keys().next().value;
    if (oldest !== undefined) this.#endLost(oldest, NO_TASK_ID, this.#newest as EventNs);
    this.#lost.set(tid, id);
  }

  // --- the end of a stretch of time ---

  /** All that is open, as one block: for a start that does not read all batches again. Parts of the tree stay as they are. */
  encodeAll(): EncodedBlock {
    const { tree } = this;
    const ids: TaskId[] = [];
    for (let slot = 0; slot < tree.slotCount; slot++) {
      if (tree.isPresent(slot as TaskIndex)) ids.push(tree.taskIdOf(slot as TaskIndex));
    }
    ids.sort((a, b) => a - b);
    for (const id of ids) {
      const task = tree.indexOf(id);
      const release = Math.max(this.#release[task] as number, tree.startOf(task)) as EventNs;
      this.#encoder.begin(id, this.fromOf(task), release, this.isPart(task), true);
      tree.writeFacts(task, this.#encoder);
    }
    return this.#encoder.finish();
  }

  /** Of a task that was loaded into `tree` from such a block. */
  resume(id: TaskId, from: EventNs, release: EventNs, isPart: boolean): void {
    const task = this.tree.indexOf(id);
    if (task === NO_TASK) return;
    this.#enter(task);
    this.#noteSeen(task);
    if (from !== this.tree.startOf(task)) this.#from[task] = from;
    if (isPart || from > this.tree.startOf(task)) this.#hasPart[task] = 1;
    this.#release[task] = release;
    if (id > this.#newestId) this.#newestId = id;
    if (this.tree.tidOf(task) === INIT_TID) this.#initId = Math.max(id, this.#initId ?? id) as TaskId;
    if (this.tree.exitOf(task) !== Number.POSITIVE_INFINITY) this.#wait(id);
  }

  /** After batches were lost: who lives and is not among those that a snapshot told of has ended since then. */
  endUntold(told: ReadonlySet<TaskId>, since: EventNs): void {
    const { tree } = this;
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task) || tree.exitOf(task) !== Number.POSITIVE_INFINITY) continue;
      const id = tree.taskIdOf(task);
      if (told.has(id)) continue;
      this.#conclude(task, id, Math.max(since, tree.startOf(task)) as EventNs);
    }
  }

  /** The time of these lives is over, as when the host is started anew: who lives has ended by then, and all are sealed. */
  endAll(at: EventNs): void {
    const { tree } = this;
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task)) continue;
      if (tree.exitOf(task) === Number.POSITIVE_INFINITY) tree.mergeExit(task, at, AUTHORITY.inferred);
      this.#release[task] = Math.max(this.#release[task] as number, tree.exitOf(task), at);
      this.#setState(task, STATE.none);
    }
    this.#reachUp();
    const byClass: TaskId[][] = Array.from({ length: DURATION_CLASSES }, () => []);
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task)) continue;
      byClass[durationClass(this.fromOf(task), this.#release[task] as number)]?.push(tree.taskIdOf(task));
    }
    for (const [index, ids] of byClass.entries()) {
      ids.sort((a, b) => a - b);
      for (let at = 0; at < ids.length; at += this.#blockLives)
        this.#encodeLives(ids.slice(at, at + this.#blockLives), index);
    }
  }

  // --- inside ---

  /** The slot of a task that a fact is about. */
  #present(id: TaskId, isAnnounced: boolean): TaskIndex {
    const { tree } = this;
    const known = tree.indexOf(id);
    if (known !== NO_TASK && tree.isPresent(known)) return known;
    if (id <= this.#newestId && !this.#missing.has(id)) {
      const back = this.#bringBack(id);
      if (back !== NO_TASK) return back;
    }
    if (!isAnnounced) return NO_TASK;
    return known === NO_TASK ? tree.addTask(id) : known;
  }

  #announced(id: TaskId): TaskIndex {
    const task = this.#present(id, false);
    if (task === NO_TASK) this.#refused++;
    else {
      this.#lastId = id;
      this.#lastTask = task;
      if (task < this.#images.length) this.#images[task] = undefined;
    }
    return task;
  }

  /** The slot of a task that a fact names. One that is sealed is brought back: others will be read through it. */
  #named(id: number): TaskIndex {
    if (!(id > NO_TASK_ID)) return NO_TASK;
    const { tree } = this;
    const known = tree.indexOf(id as TaskId);
    if (known !== NO_TASK && tree.isPresent(known)) return known;
    if (id <= this.#newestId && !this.#missing.has(id)) {
      const back = this.#bringBack(id as TaskId);
      if (back !== NO_TASK) return back;
    }
    const again = tree.indexOf(id as TaskId);
    return again === NO_TASK ? tree.addTask(id as TaskId) : again;
  }

  /** @returns NO_TASK when it is in no block */
  #bringBack(id: TaskId): TaskIndex {
    const { tree } = this;
    const todo: TaskId[] = [id];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const span = this.#closed.bringBack(next, tree);
      const task = tree.indexOf(next);
      if (span === undefined || task === NO_TASK || !tree.isPresent(task)) {
        if (this.#missing.size >= MAX_MISSING) this.#missing.clear();
        this.#missing.add(next);
        continue;
      }
      this.#enter(task);
      this.#noteSeen(task);
      this.#from[task] = span.from;
      this.#hasPart[task] = span.isPart ? 1 : 0;
      this.#release[task] = span.to;
      this.#wait(next);
      this.#forEachNamedBy(task, (above) => {
        const aboveId = tree.taskIdOf(above);
        if (!tree.isPresent(above) && !this.#missing.has(aboveId) && !todo.includes(aboveId)) todo.push(aboveId);
      });
    }
    const task = tree.indexOf(id);
    return task !== NO_TASK && tree.isPresent(task) ? task : NO_TASK;
  }

  #internText(wire: number): number {
    if (wire === 0) return NO_TEXT;
    const known = this.#textIndexes[wire - 1] ?? 0;
    if (known !== 0) return known;
    const index = this.tree.intern(this.#texts[wire - 1] ?? '');
    this.#textIndexes[wire - 1] = index;
    return index;
  }

  /** When the next life of a tid began that was told of in this batch. */
  #enteredWith(tid: Tid, before: TaskIndex): EventNs | undefined {
    const { tree } = this;
    let first: EventNs | undefined;
    for (const task of this.#entered) {
      if (task === before || !tree.isPresent(task) || tree.tidOf(task) !== tid) continue;
      const start = tree.startOf(task);
      if (start >= tree.startOf(before) && (first === undefined || start < first)) first = start;
    }
    return first;
  }

  #endLost(tid: number, by: TaskId, start: EventNs): void {
    const id = this.#lost.get(tid);
    if (id === undefined || id === by) return;
    this.#lost.delete(tid);
    const task = this.tree.indexOf(id);
    if (task === NO_TASK || !this.tree.isPresent(task) || this.tree.startOf(task) > start) return;
    this.#conclude(task, id, start);
  }

  /** That a task has ended, which nobody has said. */
  #conclude(task: TaskIndex, id: TaskId, at: EventNs): void {
    if (this.#saysOfEarlier(task, at)) this.#reachBack(task);
    this.tree.mergeExit(task, at, AUTHORITY.inferred);
    this.#wait(id);
  }

  /**
   * Can something that was told as of a time change what is read of a time that an earlier copy speaks of? What is told late
   * can, and what was seen; and so can what lies before a sighting, which then goes back no further. [OB2]
   */
  #saysOfEarlier(task: TaskIndex, since: EventNs): boolean {
    return since < (this.#from[task] as number) || since <= (this.#seen[task] as number);
  }

  /** Of a task that was loaded with its facts. */
  #noteSeen(task: TaskIndex): void {
    let seen = Number.NEGATIVE_INFINITY;
    const note = (since: EventNs, authority: Authority) => {
      if (authority === AUTHORITY.sighting && since > seen) seen = since;
    };
    this.tree.forEachEntrySince(task, seen as EventNs, (_, since, authority) => note(since, authority));
    this.tree.forEachParent(task, (_, since, authority) => note(since, authority));
    this.#seen[task] = seen;
  }

  /** What is known here has to be read as of all of its life, though there are earlier copies. */
  #reachBack(task: TaskIndex): void {
    if ((this.#from[task] as number) > this.tree.startOf(task)) this.#from[task] = this.tree.startOf(task);
  }

  /** Who it is has changed, and so what earlier copies say of all of its life; perhaps from another start on. */
  #noteChange(task: TaskIndex, startBefore: EventNs): void {
    const from = this.#from[task] as number;
    if (Number.isNaN(from) && startBefore === this.tree.startOf(task)) return;
    this.#from[task] = Math.min(Number.isNaN(from) ? startBefore : from, startBefore, this.tree.startOf(task));
  }

  /**
   * Looks at everyone who has ended and at whom nobody has looked since: in time, and not at each change of who is named
   * by whom.
   */
  sweep(): void {
    const { tree } = this;
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task) || this.#state[task] === STATE.ready) continue;
      if (tree.exitOf(task) < this.#newest - this.#graceNs) this.#settle(task);
    }
  }

  /** A slot that is new, or that another task had. */
  #enter(task: TaskIndex): void {
    if (task >= this.#state.length) this.#grow(task);
    this.#setState(task, STATE.none);
    if (task < this.#images.length) this.#images[task] = undefined;
    this.#release[task] = Number.NEGATIVE_INFINITY;
    this.#from[task] = Number.NaN;
    this.#sets[task] = 0;
    this.#hasPart[task] = 0;
    this.#seen[task] = Number.NEGATIVE_INFINITY;
  }

  #wait(id: TaskId): void {
    this.#due.push({ id, at: this.#newest + this.#graceNs });
  }

  #lookAtDue(): void {
    for (; this.#firstDue < this.#due.length; this.#firstDue++) {
      const { id, at } = this.#due[this.#firstDue] as { id: TaskId; at: number };
      if (at > this.#newest && this.#due.length - this.#firstDue <= this.#maxWaiting) break;
      this.#lookAt(id);
    }
    if (this.#firstDue > 4096 && this.#firstDue > this.#due.length / 2) {
      this.#due = this.#due.slice(this.#firstDue);
      this.#firstDue = 0;
    }
    if (this.#pinned > this.#maxPinned) this.#cutPinned();
    if (this.#readyCount >= this.#blockLives) this.#sealReady();
  }

  /**
   * Chains of daemons, each of which was started by the one before and outlived it, can be of any length. Those at the old
   * end get what they inherit as their own, and are read through no further.
   */
  #cutPinned(): void {
    const { tree } = this;
    let next = 0;
    for (; next < this.#pinnedOrder.length && this.#pinned > this.#maxPinned; next++) {
      const id = this.#pinnedOrder[next] as TaskId;
      const task = tree.indexOf(id);
      if (task === NO_TASK || !tree.isPresent(task) || this.#state[task] !== STATE.pinned) continue;
      const above = this.#reachedThrough(task);
      if (above.length === 0 || tree.isThread(task)) continue;
      this.#sealPart(task, id, this.#newest as EventNs);
      const start = tree.startOf(task);
      const values: [field: number, value: number][] = [];
      tree.forEachInherited(task, (field, value) => values.push([field, value]));
      for (const [field, value] of values) tree.mergeValue(task, field, start, AUTHORITY.sighting, value);
      tree.forgetWayUp(task);
      this.#cut++;
      for (const other of above) {
        if (!tree.isPresent(other) || this.#state[other] !== STATE.pinned) continue;
        this.#release[other] = Math.max(this.#release[other] as number, this.#newest);
        this.#settle(other);
      }
    }
    this.#pinnedOrder = this.#pinnedOrder.slice(next);
  }

  /** A task that has ended, or whose threads may have. */
  #lookAt(id: TaskId): void {
    const { tree } = this;
    const task = tree.indexOf(id);
    if (task === NO_TASK || !tree.isPresent(task)) return;
    for (let thread = tree.firstThreadOf(task); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (tree.isPresent(thread)) this.#settle(thread);
    }
    this.#settle(task);
  }

  #settle(task: TaskIndex): void {
    const { tree } = this;
    const exit = tree.exitOf(task);
    // Orphans are read through init, which nobody names.
    if (exit === Number.POSITIVE_INFINITY || exit > this.#newest || tree.tidOf(task) === INIT_TID) {
      this.#setState(task, STATE.none);
      return;
    }
    if (tree.isReferenced(task)) {
      if (this.#state[task] !== STATE.pinned) this.#pinnedOrder.push(tree.taskIdOf(task));
      this.#setState(task, STATE.pinned);
      return;
    }
    if (this.#state[task] === STATE.ready) return;
    this.#setState(task, STATE.ready);
    this.#release[task] = Math.max(this.#release[task] as number, exit);
    this.#ready[durationClass(this.fromOf(task), this.#release[task] as number)]?.push(tree.taskIdOf(task));
  }

  #sealReady(): void {
    for (const [index, ids] of this.#ready.entries()) {
      if (ids.length < this.#blockLives / (index > 2 ? 2 : 1)) continue;
      this.#ready[index] = [];
      this.#sealLives(ids, index);
    }
  }

  /** Puts ready ones into a block and takes them out of the tree. */
  #sealLives(ids: readonly TaskId[], index: number): void {
    const { tree } = this;
    const still = ids.filter((id) => this.#isStillReady(id)).sort((a, b) => a - b);
    const once = still.filter((id, i) => id !== still[i - 1]);
    if (once.length === 0) return;
    this.#encodeLives(once, index);
    for (const id of once) {
      const task = tree.indexOf(id);
      const release = this.#release[task] as number;
      const above = this.#reachedThrough(task);
      this.#setState(task, STATE.none);
      tree.evictTask(task, false);
      for (const other of above) {
        if (!tree.isPresent(other)) continue;
        if (release > (this.#release[other] as number)) this.#release[other] = release;
        if (this.#state[other] === STATE.pinned) this.#settle(other);
      }
    }
  }

  #isStillReady(id: TaskId): boolean {
    const { tree } = this;
    const task = tree.indexOf(id);
    if (task === NO_TASK || !tree.isPresent(task) || this.#state[task] !== STATE.ready) return false;
    const exit = tree.exitOf(task);
    this.#release[task] = Math.max(this.#release[task] as number, exit);
    if (exit !== Number.POSITIVE_INFINITY && !tree.isReferenced(task)) return true;
    this.#setState(task, exit === Number.POSITIVE_INFINITY ? STATE.none : STATE.pinned);
    return false;
  }

  #encodeLives(ids: readonly TaskId[], index: number): void {
    const { tree } = this;
    for (const id of ids) {
      const task = tree.indexOf(id);
      this.#encodeLife(task, id, this.#release[task] as EventNs);
    }
    this.#sealed.push({ ...this.#encoder.finish(), durationClass: index });
  }

  #encodeLife(task: TaskIndex, id: TaskId, to: EventNs): void {
    const { tree } = this;
    this.#encoder.begin(id, this.fromOf(task), to, this.isPart(task));
    tree.writeFacts(task, this.#encoder);
    if (tree.isThread(task)) return;
    for (const image of imagesOf(tree, task)) this.#encoder.image(image);
  }

  /**
   * Those through whom a task is read. They matter as long ago as it does, even where they were mentioned for the first
   * time later: who was seen to be its parent was so before.
   */
  #reachedThrough(task: TaskIndex): TaskIndex[] {
    const from = this.fromOf(task);
    const above: TaskIndex[] = [];
    this.#forEachNamedBy(task, (other) => {
      above.push(other);
      if (this.tree.isPresent(other) && this.fromOf(other) > from) this.#from[other] = from;
    });
    return above;
  }

  /** The same for everyone at once, from the last ones up. */
  #reachUp(): void {
    const { tree } = this;
    const todo: TaskIndex[] = [];
    for (let slot = 0; slot < tree.slotCount; slot++)
      if (tree.isPresent(slot as TaskIndex)) todo.push(slot as TaskIndex);
    for (let task = todo.pop(); task !== undefined; task = todo.pop()) {
      const from = this.fromOf(task);
      this.#forEachNamedBy(task, (other) => {
        if (!tree.isPresent(other) || this.fromOf(other) <= from) return;
        this.#from[other] = from;
        todo.push(other);
      });
    }
  }

  /** What a busy task has said until a time, before the oldest of it is let go of: a block of its own. */
  #sealPart(task: TaskIndex, id: TaskId, until: EventNs): void {
    const to = Math.max(until, this.fromOf(task)) as EventNs;
    this.#reachedThrough(task);
    this.#encodeLife(task, id, to);
    this.#sealed.push({ ...this.#encoder.finish(), durationClass: durationClass(this.fromOf(task), to) });
    this.#from[task] = to;
    // Should it have ended before: what says so has to be read with the part.
    this.#release[task] = Math.max(this.#release[task] as number, to);
    this.#sets[task] = 0;
    this.#hasPart[task] = 1;
  }

  /** What is told so late of a busy task that nothing as old is kept here: a block of its own, for all of its life. */
  #sealLateEntry(
    task: TaskIndex,
    id: TaskId,
    field: number,
    since: EventNs,
    authority: Authority,
    value: number,
  ): void {
    const encoder = this.#encoder;
    const to = Math.max(this.#newest, this.fromOf(task)) as EventNs;
    encoder.begin(id, this.tree.startOf(task), to, true);
    this.tree.writeTaskFacts(task, encoder);
    const text = IS_TEXT[field] && value !== 0 ? this.#texts[value - 1] : undefined;
    const known = text === undefined ? value : encoder.numberedText(this.tree.intern(text), text);
    encoder.set(id, field, since, authority, known);
    this.#sealed.push({ ...encoder.finish(), durationClass: durationClass(this.tree.startOf(task), to) });
    this.#release[task] = Math.max(this.#release[task] as number, to);
  }

  /** Calls `visit` for everyone through whom a task is read. */
  #forEachNamedBy(task: TaskIndex, visit: (other: TaskIndex) => void): void {
    const { tree } = this;
    const creator = tree.creatorOf(task);
    const leader = tree.leaderOf(task);
    if (creator !== NO_TASK) visit(creator);
    if (leader !== NO_TASK && leader !== task && leader !== creator) visit(leader);
    tree.forEachParent(task, (parent) => {
      if (parent !== NO_TASK && parent !== creator && parent !== leader) visit(parent);
    });
  }

  #setState(task: TaskIndex, state: number): void {
    const before = this.#state[task];
    if (before === state) return;
    if (before === STATE.pinned) this.#pinned--;
    if (before === STATE.ready) this.#readyCount--;
    if (state === STATE.pinned) this.#pinned++;
    if (state === STATE.ready) this.#readyCount++;
    this.#state[task] = state;
  }

  #grow(task: TaskIndex): void {
    const capacity = 2 ** Math.ceil(Math.log2(task + 2));
    const grow = <A extends Uint8Array | Uint16Array | Float64Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    this.#state = grow(this.#state, new Uint8Array(capacity));
    this.#release = grow(this.#release, new Float64Array(capacity));
    this.#from = grow(this.#from, new Float64Array(capacity));
    this.#sets = grow(this.#sets, new Uint16Array(capacity));
    this.#hasPart = grow(this.#hasPart, new Uint8Array(capacity));
    this.#seen = grow(this.#seen, new Float64Array(capacity));
  }
}
