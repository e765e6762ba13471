// The lives that are not in a block yet: who lives, who has just ended, and everyone through whom
// one of these is read. A tree of their own facts, from which a life goes into a block
// as a whole once nothing is likely to be told of it any more (life-states.ts).
//
// A life matters from its start to its release: its own end, or the release of the last one who is
// read through it (as creator, leader or named parent), if that is later. So whoever loads all lives that
// matter at an instant has everything that any answer about the instant can need. A fact about a
// life that is sealed already, or a birth that names one, brings it back: later it is sealed again, and
// the two copies add up, as facts do (life-spans.ts).

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
  readBatch,
  TASK_FLAG,
  type TaskId,
  type Tid,
  type TimeBase,
} from '@dendro/protocol';
import { MAX_FIELDS } from '../codec/entry-kind.ts';
import { type EncodedBlock, LONG_AGO } from '../codec/lives-encoder.ts';
import { LifeFinder, type SealedLives } from './life-finder.ts';
import { LifeSealer, type SealedBlock } from './life-sealer.ts';
import { LifeSpans } from './life-spans.ts';
import { LifeStates } from './life-states.ts';
import { LostLives } from './lost-lives.ts';
import { type OpenImage, OpenImages, type SearchedTexts } from './open-images.ts';

const SECOND_NS = 1_000_000_000;
/** Room for these costs nothing until they come. */
const EXPECTED_TASKS = 65_536;
const INIT_TID = 1;
const PARENT = FIELDS.parent.id;
const ARGV = FIELDS.argv.id;
const NO_TEXT = 0;
const IS_TEXT: readonly boolean[] = Array.from({ length: MAX_FIELDS }, (_, field) => isTextField(fieldType(field)));

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

/** What a batch has told, for those who count. */
export interface LifeEvents {
  birth(at: EventNs): void;
  exec(at: EventNs): void;
  exit(at: EventNs): void;
  gap(from: EventNs, to: EventNs, lost: number): void;
}

export class OpenLives implements FactVisitor {
  readonly tree: TemporalTree;
  readonly #events: LifeEvents;
  readonly #entriesPerPart: number;
  readonly #spareEntries: number;
  readonly #spans: LifeSpans;
  readonly #sealer: LifeSealer;
  readonly #states: LifeStates;
  readonly #lost: LostLives;
  readonly #images: OpenImages;
  #sets = new Uint16Array(1024); // TaskIndex -> entries since its last part
  readonly #finder: LifeFinder;
  #initId: TaskId | undefined;
  #refused = 0;
  #newest = Number.NEGATIVE_INFINITY as EventNs;
  // Of the batch that is being taken.
  #texts: readonly string[] = [];
  #textIndexes = new Int32Array(0);
  #lastId = 0;
  #lastTask: TaskIndex = NO_TASK;

  constructor(base: TimeBase, sealed: SealedLives, events: LifeEvents, options: OpenLivesOptions = {}) {
    this.#events = events;
    this.#entriesPerPart = options.entriesPerPart ?? 448;
    this.#spareEntries = options.spareEntries ?? 64;
    this.tree = new TemporalTree({
      entriesPerField: this.#entriesPerPart + this.#spareEntries,
      expectedTasks: EXPECTED_TASKS,
      expectedEntries: 8 * EXPECTED_TASKS,
    });
    this.#spans = new LifeSpans(this.tree);
    this.#sealer = new LifeSealer(this.tree, this.#spans, base);
    this.#states = new LifeStates(this.tree, this.#spans, this.#sealer, {
      graceNs: options.graceNs ?? 5 * SECOND_NS,
      maxWaiting: options.maxWaiting ?? 65_536,
      maxPinned: options.maxPinned ?? 65_536,
      blockLives: options.blockLives ?? 2048,
    });
    this.#lost = new LostLives(this.tree, (task, id, at) => this.#conclude(task, id, at));
    this.#images = new OpenImages(this.tree);
    this.#finder = new LifeFinder(this.tree, this.#spans, sealed, (task, id, { from, to, isPart }) => {
      this.#enter(task);
      this.#spans.load(task, from, to, isPart);
      this.#wait(id);
    });
  }

  /** Facts about tasks that nobody has announced, or that are no longer in the history. */
  get refused(): number {
    return this.#refused;
  }

  /** Of the task with tid 1, the younger one should there be two. It is never sealed while its time goes on. */
  get initId(): TaskId | undefined {
    return this.#initId;
  }

  get newestId(): TaskId {
    return this.#finder.newestId as TaskId;
  }

  /** From earlier runs. */
  noteNewestId(id: number): void {
    this.#finder.newestId = Math.max(this.#finder.newestId, id);
  }

  get newest(): EventNs {
    return this.#newest;
  }

  noteNewest(at: EventNs): void {
    if (at > this.#newest) this.#newest = at;
  }

  get counts(): { readonly open: number; readonly waiting: number; readonly pinned: number; readonly ready: number } {
    const { waiting, pinned, ready } = this.#states;
    return { open: this.tree.taskCount, waiting, pinned, ready };
  }

  /**
   * Takes in a batch. What it brings to completion is in `takeSealed`.
   * @param at what the recorder's clock said
   * @throws DendroError DENDRO_BATCH_MALFORMED; nothing was taken then
   */
  take(batch: Uint8Array, at: EventNs): void {
    this.noteNewest(at);
    this.#lost.beginBatch();
    readBatch(batch, this);
    this.#lastId = 0;
    this.#states.lookAtDue(this.#newest);
  }

  /** Blocks that are complete since the last call. */
  takeSealed(): SealedBlock[] {
    return this.#sealer.take();
  }

  get hasSealed(): boolean {
    return !this.#sealer.isEmpty;
  }

  /** Everyone who matters at some time in `[from, to]`, in no order. */
  mattering(from: EventNs, to: EventNs): TaskIndex[] {
    return this.#spans.mattering(from, to);
  }

  /** What a process was, as it is searched for; as of the last `lookUpImages`. */
  imagesOf(process: TaskIndex): readonly OpenImage[] {
    return this.#images.of(process);
  }

  /**
   * Looks up the images of processes of which they are not known.
   * @param hasTime is asked after each
   * @returns whether there are more
   */
  lookUpImages(texts: SearchedTexts, hasTime: () => boolean): boolean {
    return this.#images.lookUp(texts, hasTime);
  }

  /** As `OpenImages.idsIn`; undefined where the tree has numbered its texts anew since then. */
  textIdsIn(sealed: SealedBlock, texts: SearchedTexts): Uint32Array | undefined {
    return sealed.textGeneration === this.tree.textGeneration ? this.#images.idsIn(sealed, texts) : undefined;
  }

  /** Since when what is known of it here holds. */
  fromOf(task: TaskIndex): EventNs {
    return this.#spans.fromOf(task);
  }

  /** Is what it was before in a block? */
  isPart(task: TaskIndex): boolean {
    return this.#spans.isPart(task);
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
    this.#lost.meet(tid, id, start);
    const task = this.#finder.findOrAdd(id);
    const wasPresent = tree.isPresent(task);
    const wasKnown = wasPresent && !tree.isPlaceholder(task);
    const startBefore = tree.startOf(task);
    if (!wasPresent) {
      this.#enter(task);
      this.#spans.enter(task);
      this.#lost.enter(task);
    }
    const leaderTask = leader === id ? task : this.#finder.named(leader);
    const creatorTask = this.#finder.named(creator);
    const hasChanged = tree.mergeTask(task, tid, pid, leaderTask, creatorTask, start, entityId, flags, authority);
    if (wasPresent && hasChanged) this.#spans.noteChange(task, startBefore);
    tree.forgetIfUnused(leaderTask);
    tree.forgetIfUnused(creatorTask);
    this.#noteId(id, tid);
    if (!wasKnown && !tree.isPlaceholder(task) && (flags & TASK_FLAG.thread) === 0) this.#events.birth(start);
  }

  set(id: TaskId, field: number, since: EventNs, authority: Authority, value: number): void {
    const { tree } = this;
    const task = id === this.#lastId ? this.#lastTask : this.#announced(id);
    if (task === NO_TASK) return;
    if (field === PARENT) {
      const parent = this.#finder.named(value);
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
    if (authority === AUTHORITY.sighting) this.#spans.noteSighting(task, since);
    if (this.#spans.isPart(task) && since !== LONG_AGO && !this.#isKept(task, field, since)) {
      const told = IS_TEXT[field] && value !== NO_TEXT ? (this.#texts[value - 1] ?? '') : value;
      this.#sealer.lateEntry(task, id, { field, since, authority, value: told }, this.#newest);
    }
    this.#spans.noteTold(task, since);
    const sets = (this.#sets[task] as number) + 1;
    this.#sets[task] = sets;
    if (sets < this.#entriesPerPart) return;
    this.#sealer.part(task, id);
    this.#sets[task] = 0;
  }

  exit(id: TaskId, at: EventNs, authority: Authority, code: number, signal: number): void {
    const { tree } = this;
    const task = this.#announced(id);
    if (task === NO_TASK) return;
    const hadEnded = tree.isExitSaid(task);
    this.#spans.noteTold(task, at);
    tree.mergeExit(task, at, authority, code, signal);
    if (!hadEnded && !tree.isThread(task)) this.#events.exit(at);
    this.#wait(id);
  }

  gap(from: EventNs, to: EventNs, lost: number): void {
    this.#events.gap(from, to, lost);
  }

  evict(id: TaskId): void {
    this.#lost.evict(id, this.#newest);
  }

  // --- the end of a stretch of time ---

  /** All that is open, as one block: for a start that does not read all batches again. The tree stays as it is. */
  encodeAll(): EncodedBlock {
    return this.#sealer.keyframe();
  }

  /** Of a task that was loaded into `tree` from such a block. */
  resume(id: TaskId, from: EventNs, release: EventNs, isPart: boolean): void {
    const task = this.tree.indexOf(id);
    if (task === NO_TASK) return;
    this.#enter(task);
    this.#spans.load(task, from, release, isPart || from > this.tree.startOf(task));
    this.#noteId(id, this.tree.tidOf(task));
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
    this.#states.sealAll(at);
  }

  /** Looks for those who are complete, though nothing was told that would have led to them. */
  sweep(): void {
    this.#states.sweep(this.#newest);
  }

  // --- inside ---

  #announced(id: TaskId): TaskIndex {
    const task = this.#finder.find(id);
    if (task === NO_TASK) this.#refused++;
    else {
      this.#lastId = id;
      this.#lastTask = task;
      this.#images.forget(task);
    }
    return task;
  }

  #internText(wire: number): number {
    if (wire === NO_TEXT) return NO_TEXT;
    const known = this.#textIndexes[wire - 1] ?? 0;
    if (known !== 0) return known;
    const index = this.tree.intern(this.#texts[wire - 1] ?? '');
    this.#textIndexes[wire - 1] = index;
    return index;
  }

  #noteId(id: TaskId, tid: Tid): void {
    this.#finder.noteAnnounced(id);
    if (tid === INIT_TID) this.#initId = Math.max(id, this.#initId ?? id) as TaskId;
  }

  /** That a task has ended, which nobody has said. */
  #conclude(task: TaskIndex, id: TaskId, at: EventNs): void {
    this.#spans.noteTold(task, at);
    this.tree.mergeExit(task, at, AUTHORITY.inferred);
    this.#wait(id);
  }

  #wait(id: TaskId): void {
    this.#states.wait(id, this.#newest);
  }

  /** Will an entry still be here when the next part is put into a block, whatever comes until then? */
  #isKept(task: TaskIndex, field: number, since: EventNs): boolean {
    const newer = this.tree.entriesAfter(task, field, since);
    return newer !== undefined && newer <= this.#spareEntries;
  }

  /** A slot that is new, or that another task had; its span is for the caller to say. */
  #enter(task: TaskIndex): void {
    if (task >= this.#sets.length) {
      const grown = new Uint16Array(2 ** Math.ceil(Math.log2(task + 2)));
      grown.set(this.#sets);
      this.#sets = grown;
    }
    this.#sets[task] = 0;
    this.#states.enter(task);
    this.#images.forget(task);
  }
}
