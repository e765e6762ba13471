// The changelogs of all tasks: which field had which value since when.
//
// One pool of entries; each task has one singly linked list over all its
// fields, newest `since` first. A task has some ten entries, so walking is
// cheaper than a list per field. Values are numbers: a number, an index into
// the string table (NO_TEXT = not known), NaN for a number that is not known.
//
// A field keeps its `limit` newest entries. What is kept depends only on the
// set of entries ever offered, never on their order.

import type { Authority, EventNs } from '@dendro/protocol';
import { grown } from './grow.ts';
import type { TaskIndex } from './ids.ts';

/** Number of an entry in the pool. */
export type EntryIndex = number;
export const NO_ENTRY: EntryIndex = -1;

// Columns of #heads.
const HEAD = 0; // newest entry | NO_ENTRY
const FIELDS = 1; // one bit for each field that has entries
const HEADS = 2;
// Columns of #links.
const NEXT = 0; // next older entry | NO_ENTRY; of a free entry the next free one
const KIND = 1; // field id, and the authority above it
const LINKS = 2;
const AUTHORITY_AT = 8;
const FIELD_BITS = 0xff;
// Columns of #numbers.
const SINCE = 0;
const VALUE = 1;
const NUMBERS = 2;

export class ChangelogTable {
  #heads = newHeads(1024); // TaskIndex -> HEAD, FIELDS
  #links = new Int32Array(4096 * LINKS); // entry -> NEXT, KIND
  #numbers = new Float64Array(4096 * NUMBERS); // entry -> SINCE, VALUE
  #firstFree: EntryIndex = NO_ENTRY;
  #length = 0;
  #count = 0;
  readonly #counts = new Int32Array(32); // field id -> entries of all tasks
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** Entries of one field, of all tasks. */
  countOf(field: number): number {
    return this.#counts[field]!;
  }

  headOf(task: TaskIndex): EntryIndex {
    return task * HEADS < this.#heads.length ? this.#heads[task * HEADS + HEAD]! : NO_ENTRY;
  }

  /** One bit (1 << field id) for each field of which the task has entries. */
  fieldsOf(task: TaskIndex): number {
    return task * HEADS < this.#heads.length ? this.#heads[task * HEADS + FIELDS]! : 0;
  }

  nextOf(entry: EntryIndex): EntryIndex {
    return this.#links[entry * LINKS + NEXT]!;
  }

  fieldOf(entry: EntryIndex): number {
    return this.#links[entry * LINKS + KIND]! & FIELD_BITS;
  }

  authorityOf(entry: EntryIndex): Authority {
    return (this.#links[entry * LINKS + KIND]! >> AUTHORITY_AT) as Authority;
  }

  sinceOf(entry: EntryIndex): EventNs {
    return this.#numbers[entry * NUMBERS + SINCE]! as EventNs;
  }

  valueOf(entry: EntryIndex): number {
    return this.#numbers[entry * NUMBERS + VALUE]!;
  }

  /** The entry that says what the field was at `at`: greatest `since <= at`. */
  find(task: TaskIndex, field: number, at: EventNs): EntryIndex {
    const row = task * HEADS;
    if (row >= this.#heads.length || (this.#heads[row + FIELDS]! & (1 << field)) === 0) return NO_ENTRY;
    let entry = this.#heads[row + HEAD]!;
    while (entry !== NO_ENTRY && (this.fieldOf(entry) !== field || this.sinceOf(entry) > at))
      entry = this.nextOf(entry);
    return entry;
  }

  /**
   * Merges one entry. Of two with equal field and `since` the greater authority stays, then the greater value as
   * `compareValues` has it.
   * @returns whether anything changed
   */
  merge(
    task: TaskIndex,
    field: number,
    since: EventNs,
    authority: Authority,
    value: number,
    compareValues: (field: number, a: number, b: number) => number,
  ): boolean {
    if (task * HEADS >= this.#heads.length) this.#growHeads(task);
    let before = NO_ENTRY;
    let entry = this.#heads[task * HEADS + HEAD]!;
    let newer = 0; // entries of this field that are newer
    while (entry !== NO_ENTRY && this.sinceOf(entry) > since) {
      if (this.fieldOf(entry) === field) newer++;
      before = entry;
      entry = this.nextOf(entry);
    }
    const kind = field | (authority << AUTHORITY_AT);
    for (let same = entry; same !== NO_ENTRY && this.sinceOf(same) === since; same = this.nextOf(same)) {
      if (this.fieldOf(same) !== field) continue;
      const order = authority - this.authorityOf(same) || compareValues(field, value, this.valueOf(same));
      if (order <= 0) return false;
      this.#links[same * LINKS + KIND] = kind;
      this.#numbers[same * NUMBERS + VALUE] = value;
      return true;
    }
    if (newer >= this.#limit) return false;
    const added = this.#take();
    this.#counts[field]! += 1;
    this.#links[added * LINKS + NEXT] = entry;
    this.#links[added * LINKS + KIND] = kind;
    this.#numbers[added * NUMBERS + SINCE] = since;
    this.#numbers[added * NUMBERS + VALUE] = value;
    if (before === NO_ENTRY) this.#heads[task * HEADS + HEAD] = added;
    else this.#links[before * LINKS + NEXT] = added;
    this.#heads[task * HEADS + FIELDS]! |= 1 << field;
    this.#dropOldest(added, field, newer + 1);
    return true;
  }

  /** Forgets all entries of a task. */
  clear(task: TaskIndex): void {
    let entry = this.headOf(task);
    while (entry !== NO_ENTRY) {
      const next = this.nextOf(entry);
      this.#give(entry);
      entry = next;
    }
    if (task * HEADS >= this.#heads.length) return;
    this.#heads[task * HEADS + HEAD] = NO_ENTRY;
    this.#heads[task * HEADS + FIELDS] = 0;
  }

  // `added` is the `rank`-th newest of its field; the one beyond the limit goes.
  #dropOldest(added: EntryIndex, field: number, rank: number): void {
    let before = added;
    let entry = this.nextOf(added);
    let kept = rank;
    while (entry !== NO_ENTRY) {
      if (this.fieldOf(entry) === field) {
        if (kept === this.#limit) {
          this.#links[before * LINKS + NEXT] = this.nextOf(entry);
          this.#give(entry);
          return;
        }
        kept++;
      }
      before = entry;
      entry = this.nextOf(entry);
    }
  }

  #take(): EntryIndex {
    this.#count++;
    const entry = this.#firstFree;
    if (entry !== NO_ENTRY) {
      this.#firstFree = this.nextOf(entry);
      return entry;
    }
    if (this.#length * LINKS === this.#links.length) this.#growEntries();
    return this.#length++;
  }

  #give(entry: EntryIndex): void {
    this.#count--;
    this.#counts[this.fieldOf(entry)]! -= 1;
    this.#links[entry * LINKS + NEXT] = this.#firstFree;
    this.#firstFree = entry;
  }

  #growHeads(task: TaskIndex): void {
    let capacity = this.#heads.length / HEADS;
    while (capacity <= task) capacity *= 2;
    const heads = newHeads(capacity);
    heads.set(this.#heads);
    this.#heads = heads;
  }

  #growEntries(): void {
    this.#links = grown(this.#links, this.#links.length * 2, NO_ENTRY);
    this.#numbers = grown(this.#numbers, this.#numbers.length * 2, 0);
  }
}

function newHeads(capacity: number): Int32Array {
  const heads = new Int32Array(capacity * HEADS);
  for (let row = 0; row < heads.length; row += HEADS) heads[row + HEAD] = NO_ENTRY;
  return heads;
}
