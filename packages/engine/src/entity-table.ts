// Entity id -> tasks. Entity ids collide, so a lookup gives all that have it.
//
// Made when somebody asks, and brought up to date then: births are many and
// such questions few. Tasks that left the tree stay in until their slot has
// another task or the table is made anew, and are passed over.

import type { EntityId } from '@dendro/protocol';
import { roomFor } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

/** What the table needs to know of a tree. */
export interface EntitySlots {
  /** Every slot is below. */
  readonly slotCount: number;
  isPresent(task: TaskIndex): boolean;
  entityIdOf(task: TaskIndex): EntityId;
}

export class EntityTable {
  readonly #slots: EntitySlots;
  #buckets = new Int32Array(0); // bucket -> TaskIndex | NO_TASK
  #next = new Int32Array(0); // TaskIndex -> next task of the same bucket | NO_TASK
  #ids = new Uint32Array(0); // TaskIndex -> the entity id under which it stands in its bucket
  #length = 0; // slots that stand in a bucket: those below
  /** Slots whose entity id has changed since the last look. */
  #changed: TaskIndex[] = [];
  #isMade = false;

  constructor(slots: EntitySlots) {
    this.#slots = slots;
  }

  /** A task has got an entity id, or another one. */
  noteChange(task: TaskIndex): void {
    if (!this.#isMade) return;
    if (this.#changed.push(task) <= this.#slots.slotCount >> 1) return;
    this.#isMade = false;
    this.#changed = [];
  }

  /** The tasks that have this id: the first one, then `nextOf`. NO_TASK after the last one. */
  firstOf(id: EntityId): TaskIndex {
    if (!this.#isMade || this.#slots.slotCount > this.#next.length) this.#make();
    else if (this.#changed.length > 0) this.#catchUp();
    return this.#fittingFrom(this.#buckets[id & (this.#buckets.length - 1)]!, id);
  }

  nextOf(task: TaskIndex): TaskIndex {
    return this.#fittingFrom(this.#next[task]!, this.#ids[task]! as EntityId);
  }

  #fittingFrom(first: number, id: EntityId): TaskIndex {
    let task = first as TaskIndex;
    // The own column first: the rows of all others in the bucket are far apart.
    while (task !== NO_TASK && !(this.#ids[task] === id && this.#isOf(task, id))) {
      task = this.#next[task]! as TaskIndex;
    }
    return task;
  }

  #isOf(task: TaskIndex, id: EntityId): boolean {
    return this.#slots.entityIdOf(task) === id && this.#slots.isPresent(task);
  }

  #make(): void {
    const { slotCount } = this.#slots;
    const room = roomFor(slotCount);
    this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2(room))).fill(NO_TASK);
    this.#next = new Int32Array(room);
    this.#ids = new Uint32Array(room);
    this.#changed = [];
    this.#isMade = true;
    for (let task = 0; task < slotCount; task++) this.#enter(task as TaskIndex);
    this.#length = slotCount;
  }

  #catchUp(): void {
    for (const task of this.#changed) {
      if (task >= this.#length) continue;
      this.#leave(task);
      this.#enter(task);
    }
    while (this.#length < this.#slots.slotCount) this.#enter(this.#length++ as TaskIndex);
    this.#changed = [];
  }

  #enter(task: TaskIndex): void {
    const id = this.#slots.entityIdOf(task);
    const bucket = id & (this.#buckets.length - 1);
    this.#ids[task] = id;
    this.#next[task] = this.#buckets[bucket]!;
    this.#buckets[bucket] = task;
  }

  #leave(task: TaskIndex): void {
    const bucket = this.#ids[task]! & (this.#buckets.length - 1);
    const next = this.#next[task]!;
    let other = this.#buckets[bucket]!;
    if (other === task) {
      this.#buckets[bucket] = next;
      return;
    }
    while (this.#next[other] !== task) other = this.#next[other]!;
    this.#next[other] = next;
  }
}
