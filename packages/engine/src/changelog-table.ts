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

export class ChangelogTable {
  #head = new Int32Array(1024).fill(NO_ENTRY); // TaskIndex -> newest entry | NO_ENTRY
  #fields = new Uint32Array(1024); // TaskIndex -> one bit for each field that has entries
  #next = new Int32Array(4096); // entry -> next older entry | NO_ENTRY
  #field = new Uint8Array(4096);
  #authority = new Uint8Array(4096);
  #since = new Float64Array(4096);
  #value = new Float64Array(4096);
  #firstFree: EntryIndex = NO_ENTRY; // free entries are linked through #next
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
    return task < this.#head.length ? this.#head[task]! : NO_ENTRY;
  }

  /** One bit (1 << field id) for each field of which the task has entries. */
  fieldsOf(task: TaskIndex): number {
    return task < this.#fields.length ? this.#fields[task]! : 0;
  }

  nextOf(entry: EntryIndex): EntryIndex {
    return this.#next[entry]!;
  }

  fieldOf(entry: EntryIndex): number {
    return this.#field[entry]!;
  }

  authorityOf(entry: EntryIndex): Authority {
    return this.#authority[entry]! as Authority;
  }

  sinceOf(entry: EntryIndex): EventNs {
    return this.#since[entry]! as EventNs;
  }

  valueOf(entry: EntryIndex): number {
    return this.#value[entry]!;
  }

  /** The entry that says what the field was at `at`: greatest `since <= at`. */
  find(task: TaskIndex, field: number, at: EventNs): EntryIndex {
    if ((this.fieldsOf(task) & (1 << field)) === 0) return NO_ENTRY;
    let entry = this.#head[task]!;
    while (entry !== NO_ENTRY && (this.#field[entry] !== field || this.#since[entry]! > at)) entry = this.#next[entry]!;
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
    if (task >= this.#head.length) this.#growHeads(task);
    let before = NO_ENTRY;
    let entry = this.#head[task]!;
    let newer = 0; // entries of this field that are newer
    while (entry !== NO_ENTRY && this.#since[entry]! > since) {
      if (this.#field[entry] === field) newer++;
      before = entry;
      entry = this.#next[entry]!;
    }
    for (let same = entry; same !== NO_ENTRY && this.#since[same] === since; same = this.#next[same]!) {
      if (this.#field[same] !== field) continue;
      const order = authority - this.#authority[same]! || compareValues(field, value, this.#value[same]!);
      if (order <= 0) return false;
      this.#authority[same] = authority;
      this.#value[same] = value;
      return true;
    }
    if (newer >= this.#limit) return false;
    const added = this.#take();
    this.#counts[field]! += 1;
    this.#field[added] = field;
    this.#authority[added] = authority;
    this.#since[added] = since;
    this.#value[added] = value;
    this.#next[added] = entry;
    if (before === NO_ENTRY) this.#head[task] = added;
    else this.#next[before] = added;
    this.#fields[task]! |= 1 << field;
    this.#dropOldest(added, field, newer + 1);
    return true;
  }

  /** Forgets all entries of a task. */
  clear(task: TaskIndex): void {
    let entry = this.headOf(task);
    while (entry !== NO_ENTRY) {
      const next = this.#next[entry]!;
      this.#give(entry);
      entry = next;
    }
    if (task >= this.#head.length) return;
    this.#head[task] = NO_ENTRY;
    this.#fields[task] = 0;
  }

  // `added` is the `rank`-th newest of its field; the one beyond the limit goes.
  #dropOldest(added: EntryIndex, field: number, rank: number): void {
    let before = added;
    let entry = this.#next[added]!;
    let kept = rank;
    while (entry !== NO_ENTRY) {
      if (this.#field[entry] === field) {
        if (kept === this.#limit) {
          this.#next[before] = this.#next[entry]!;
          this.#give(entry);
          return;
        }
        kept++;
      }
      before = entry;
      entry = this.#next[entry]!;
    }
  }

  #take(): EntryIndex {
    this.#count++;
    const entry = this.#firstFree;
    if (entry !== NO_ENTRY) {
      this.#firstFree = this.#next[entry]!;
      return entry;
    }
    if (this.#length === this.#next.length) this.#growEntries();
    return this.#length++;
  }

  #give(entry: EntryIndex): void {
    this.#count--;
    this.#counts[this.#field[entry]!]! -= 1;
    this.#next[entry] = this.#firstFree;
    this.#firstFree = entry;
  }

  #growHeads(task: TaskIndex): void {
    let capacity = this.#head.length * 2;
    while (capacity <= task) capacity *= 2;
    this.#head = grown(this.#head, capacity, NO_ENTRY);
    this.#fields = grown(this.#fields, capacity, 0);
  }

  #growEntries(): void {
    const capacity = this.#next.length * 2;
    this.#next = grown(this.#next, capacity, NO_ENTRY);
    this.#field = grown(this.#field, capacity, 0);
    this.#authority = grown(this.#authority, capacity, 0);
    this.#since = grown(this.#since, capacity, 0);
    this.#value = grown(this.#value, capacity, 0);
  }
}
