// Puts lives of blocks into a tree, as the facts that they are: in any order, any number of times.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import {
  type Authority,
  type EntityId,
  type EventNs,
  FIELDS,
  fieldType,
  isTextField,
  NO_TASK_ID,
  type TaskId,
  type Tid,
} from '@dendro/protocol';
import { damaged } from '../codec/bytes.ts';
import type { BlockTexts, EntryVisitor, LivesBlock } from '../codec/lives-block.ts';
import { LIVES_PER_CHUNK } from '../codec/lives-encoder.ts';

const PARENT = FIELDS.parent.id;
const IS_TEXT: readonly boolean[] = Array.from({ length: 32 }, (_, field) => isTextField(fieldType(field)));
const NO_TEXT = 0;

/** A block of which parts are fetched when they are needed. */
export interface StoredBlock {
  readonly rows: LivesBlock;
  texts(): BlockTexts;
  chunk(number: number): Uint8Array;
}

export class TreeLoader implements EntryVisitor {
  readonly #tree: TemporalTree;
  // Of the block that is being loaded.
  #tasks = new Int32Array(0); // life -> TaskIndex | NO_TASK
  #texts: BlockTexts | undefined;
  #textIndexes: Int32Array = new Int32Array(0); // index in the block -> index in the tree, 0 = not looked up yet
  #loaded = 0;
  readonly #parts = new Map<TaskIndex, EventNs>();

  constructor(tree: TemporalTree) {
    this.#tree = tree;
  }

  /** Lives loaded so far; one of which there are several copies counts for each. */
  get loaded(): number {
    return this.#loaded;
  }

  /** Of whom something is in other blocks, earlier ones; and since when what is here holds. */
  get parts(): ReadonlyMap<TaskIndex, EventNs> {
    return this.#parts;
  }

  /** Of one that came into the tree by another way. */
  notePart(task: TaskIndex, from: EventNs): void {
    this.#parts.set(task, Math.min(from, this.#parts.get(task) ?? from) as EventNs);
  }

  /**
   * Loads the lives of a block that matter at some time in `[from, to]`.
   * @throws DendroError DENDRO_HISTORY_DAMAGED
   */
  load(block: StoredBlock, from: EventNs, to: EventNs): void {
    const { rows } = block;
    this.#begin(rows.lives);
    for (let life = 0; life < rows.lives; life++) {
      if ((rows.from[life] as number) > to || (rows.to[life] as number) < from) continue;
      this.#tasks[life] = this.#addLife(rows, life);
    }
    this.#addRest(block);
  }

  /** Loads one life. */
  loadOne(block: StoredBlock, life: number): void {
    this.#begin(block.rows.lives);
    this.#tasks[life] = this.#addLife(block.rows, life);
    this.#addRest(block);
  }

  entry(life: number, field: number, since: EventNs, authority: Authority, value: number): void {
    const task = this.#tasks[life] as TaskIndex;
    if (field === PARENT) this.#tree.mergeParent(task, this.#named(value), since, authority);
    else this.#tree.mergeValue(task, field, since, authority, IS_TEXT[field] ? this.#textOf(value) : value);
  }

  #begin(lives: number): void {
    this.#tasks = new Int32Array(lives).fill(NO_TASK);
  }

  #addLife(rows: LivesBlock, life: number): TaskIndex {
    const tree = this.#tree;
    const task = this.#slotOf(rows.id[life] as TaskId);
    const leader = this.#named(rows.leader[life] as number);
    const creator = this.#named(rows.creator[life] as number);
    this.#loaded++;
    if (rows.isPart[life] === 1) this.notePart(task, rows.from[life] as EventNs);
    // Of an open life the tree can have what came after: this is what it has lost.
    tree.forgetTrimmed(task);
    tree.mergeTask(
      task,
      rows.tid[life] as Tid,
      rows.pid[life] as Tid,
      leader,
      creator,
      rows.start[life] as EventNs,
      rows.entity[life] as EntityId,
      rows.flags[life] as number,
      rows.authority[life] as Authority,
    );
    const exit = rows.exit[life] as EventNs;
    if (exit === Number.POSITIVE_INFINITY) return task;
    const authority = rows.exitAuthority[life] as Authority;
    tree.mergeExit(task, exit, authority, rows.code[life] as number, rows.signal[life] as number);
    return task;
  }

  #addRest(block: StoredBlock): void {
    const { rows } = block;
    for (const { life, tid, pid, leader, creator, start, entityId, flags, authority } of rows.extraTasks) {
      const task = this.#tasks[life] as TaskIndex;
      if (task === NO_TASK) continue;
      const [process, by] = [this.#named(leader), this.#named(creator)];
      this.#tree.mergeTask(task, tid, pid, process, by, start, entityId, flags, authority);
    }
    for (const { life, at, authority, code, signal } of rows.extraExits) {
      const task = this.#tasks[life] as TaskIndex;
      if (task !== NO_TASK) this.#tree.mergeExit(task, at, authority, code, signal);
    }
    this.#texts = undefined;
    const wants = (life: number) => this.#tasks[life] !== NO_TASK;
    for (let chunk = 0; chunk < rows.chunks; chunk++) {
      const first = chunk * LIVES_PER_CHUNK;
      if (!this.#hasWanted(first, Math.min(rows.lives, first + LIVES_PER_CHUNK))) continue;
      if (this.#texts === undefined) {
        this.#texts = block.texts();
        this.#textIndexes = this.#texts.indexesIn(this.#tree);
      }
      rows.visitChunk(chunk, block.chunk(chunk), wants, this);
    }
  }

  #hasWanted(from: number, to: number): boolean {
    for (let life = from; life < to; life++) if (this.#tasks[life] !== NO_TASK) return true;
    return false;
  }

  #slotOf(id: TaskId): TaskIndex {
    const known = this.#tree.indexOf(id);
    return known === NO_TASK ? this.#tree.addTask(id) : known;
  }

  #named(id: number): TaskIndex {
    return Number.isSafeInteger(id) && id > NO_TASK_ID ? this.#slotOf(id as TaskId) : NO_TASK;
  }

  #textOf(index: number): number {
    if (index === 0) return NO_TEXT;
    const known = this.#textIndexes[index] ?? 0;
    if (known !== 0) return known;
    const text = this.#texts?.textOf(index);
    if (text === undefined) throw damaged();
    const interned = this.#tree.intern(text);
    this.#textIndexes[index] = interned;
    return interned;
  }
}
