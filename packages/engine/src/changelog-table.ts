// The changelogs of all tasks: which field had which value since when.
//
// One pool of entries; each task has one singly linked list over all its
// fields, newest `since` first. A task has some ten entries, so walking is
// cheaper than a list per field. Values are numbers: a number, an index into
// the string table (NO_TEXT = not known), NaN for a number that is not known.
//
// A field keeps its `limit` newest entries, and remembers that older ones went.
// What is kept depends only on the set of entries ever offered, never on their
// order.

import { type Authority, type EventNs, FIELD_COUNT } from '@dendro/protocol';
import { grown, roomFor } from './grow.ts';
import type { TaskIndex } from './ids.ts';
import { Rows } from './rows.ts';
import type { TaskTable } from './task-table.ts';

/** Number of an entry in the pool. */
export type EntryIndex = number;
export const NO_ENTRY: EntryIndex = -1;

/** Columns of an entry: doubles first, then integers. */
export const ENTRY = {
  since: 0,
  value: 1,
  /** Next older entry | NO_ENTRY. */
  next: 4,
  /** Field id, and the authority above it. */
  kind: 5,
  integers: 6,
  doubles: 3,
  fieldBits: 0xff,
  authorityAt: 8,
} as const;
const SINCE = ENTRY.since;
const VALUE = ENTRY.value;
const NEXT = ENTRY.next;
const KIND = ENTRY.kind;
const INTEGERS = ENTRY.integers;
const DOUBLES = ENTRY.doubles;
const AUTHORITY_AT = ENTRY.authorityAt;
const FIELD_BITS = ENTRY.fieldBits;
/** Of all entries so many are free before one of these is taken: else they would be looked for, one by one, far and wide. */
const FREE_SHARE = 1 / 16;

// Parts of what TaskTable keeps as fields of a task: one bit for each field that has entries, and above these one
// for each field that has lost its oldest ones. There is room for fields 1 to 15.
const TRIMMED_AT = 16;
const HAS_ENTRIES = (1 << TRIMMED_AT) - 1;
if (FIELD_COUNT > TRIMMED_AT) throw new RangeError(`a task has room for ${TRIMMED_AT} fields, not for ${FIELD_COUNT}`);

/** How two values of a field are ordered when their entries are equal otherwise. */
export type CompareValues = (field: number, a: number, b: number) => number;

export class ChangelogTable {
  readonly #tasks: TaskTable;
  readonly #entries: Rows;
  readonly #counts = new Int32Array(32); // field id -> entries of all tasks
  #sizes = new Int32Array(0); // TaskIndex -> entries of all fields
  readonly #limit: number;
  readonly #compareValues: CompareValues;
  #hasTrimmed = false;
  // Entries that were given back: a bit for each, and the word in which the next one is looked for. What is told of a task at a
  // time is found side by side then, however old the pool is.
  #free = new Int32Array(0);
  #freeCount = 0;
  #freeAt = 0;
  #length = 0;
  #inUse = 0;

  /** @param expected entries that are likely to come */
  constructor(tasks: TaskTable, limit: number, compareValues: CompareValues, expected = 0) {
    this.#tasks = tasks;
    this.#entries = new Rows(INTEGERS, expected);
    this.#limit = limit;
    this.#compareValues = compareValues;
  }

  /** Has any task ever lost its oldest entries? */
  get hasTrimmed(): boolean {
    return this.#hasTrimmed;
  }

  get count(): number {
    return this.#length - this.#freeCount;
  }

  /** Entries of one field, of all tasks. */
  countOf(field: number): number {
    return this.#counts[field]!;
  }

  /** One bit (1 << field id) for each field of which any task has entries. */
  get fieldsInUse(): number {
    return this.#inUse;
  }

  /** For readers that walk the list of a task themselves, by the columns of `ENTRY`. */
  get rows(): Rows {
    return this.#entries;
  }

  headOf(task: TaskIndex): EntryIndex {
    return this.#tasks.entriesOf(task);
  }

  /** One bit (1 << field id) for each field of which the task has entries. */
  fieldsOf(task: TaskIndex): number {
    return this.#tasks.fieldsOf(task) & HAS_ENTRIES;
  }

  /** One bit (1 << field id) for each field that has lost its oldest entries. */
  trimmedOf(task: TaskIndex): number {
    return this.#tasks.fieldsOf(task) >>> TRIMMED_AT; // the bit of the last field is the sign
  }

  forgetTrimmed(task: TaskIndex): void {
    this.#tasks.setFields(task, this.fieldsOf(task));
  }

  /** Every field that a task has entries of has lost its oldest ones. */
  noteAllTrimmed(task: TaskIndex): void {
    this.#hasTrimmed = true;
    const fields = this.#tasks.fieldsOf(task);
    this.#tasks.setFields(task, fields | (this.fieldsOf(task) << TRIMMED_AT));
  }

  nextOf(entry: EntryIndex): EntryIndex {
    return this.#entries.i32[entry * INTEGERS + NEXT]!;
  }

  fieldOf(entry: EntryIndex): number {
    return this.#entries.i32[entry * INTEGERS + KIND]! & FIELD_BITS;
  }

  authorityOf(entry: EntryIndex): Authority {
    return (this.#entries.i32[entry * INTEGERS + KIND]! >> AUTHORITY_AT) as Authority;
  }

  sinceOf(entry: EntryIndex): EventNs {
    return this.#entries.f64[entry * DOUBLES + SINCE]! as EventNs;
  }

  valueOf(entry: EntryIndex): number {
    return this.#entries.f64[entry * DOUBLES + VALUE]!;
  }

  /** The entry that says what the field was at `at`: greatest `since <= at`. */
  find(task: TaskIndex, field: number, at: EventNs): EntryIndex {
    if ((this.#tasks.fieldsOf(task) & (1 << field)) === 0) return NO_ENTRY;
    const { i32, f64 } = this.#entries;
    let entry = this.#tasks.entriesOf(task);
    while (entry !== NO_ENTRY) {
      if ((i32[entry * INTEGERS + KIND]! & FIELD_BITS) === field && f64[entry * DOUBLES + SINCE]! <= at) return entry;
      entry = i32[entry * INTEGERS + NEXT]!;
    }
    return NO_ENTRY;
  }

  /**
   * Merges one entry. Of two with equal field and `since` the greater authority stays, then the greater value.
   * @returns whether anything changed
   */
  merge(task: TaskIndex, field: number, since: EventNs, authority: Authority, value: number): boolean {
    const { i32, f64 } = this.#entries;
    let before = NO_ENTRY;
    let entry = this.#tasks.entriesOf(task);
    let newer = 0; // entries of this field that are newer
    while (entry !== NO_ENTRY && f64[entry * DOUBLES + SINCE]! > since) {
      if (this.fieldOf(entry) === field) newer++;
      before = entry;
      entry = i32[entry * INTEGERS + NEXT]!;
    }
    const kind = field | (authority << AUTHORITY_AT);
    const fields = this.#tasks.fieldsOf(task);
    const isFirst = (fields & (1 << field)) === 0;
    if (!isFirst) {
      for (let same = entry; same !== NO_ENTRY && this.sinceOf(same) === since; same = this.nextOf(same)) {
        if (this.fieldOf(same) !== field) continue;
        const order = authority - this.authorityOf(same) || this.#compareValues(field, value, this.valueOf(same));
        if (order <= 0) return false;
        i32[same * INTEGERS + KIND] = kind;
        f64[same * DOUBLES + VALUE] = value;
        return true;
      }
      if (newer >= this.#limit) return this.#noteTrimmed(task, field);
    }
    const added = this.#take();
    this.#counts[field]! += 1;
    this.#inUse |= 1 << field;
    const entries = this.#entries;
    entries.f64[added * DOUBLES + SINCE] = since;
    entries.f64[added * DOUBLES + VALUE] = value;
    entries.i32[added * INTEGERS + NEXT] = entry;
    entries.i32[added * INTEGERS + KIND] = kind;
    if (before === NO_ENTRY) this.#tasks.setEntries(task, added);
    else entries.i32[before * INTEGERS + NEXT] = added;
    if (isFirst) this.#tasks.setFields(task, fields | (1 << field));
    // One that has no more in all has no more of any field.
    if (this.#addToSize(task, 1) > this.#limit && !isFirst) this.#dropOldest(task, added, field, newer + 1);
    return true;
  }

  /**
   * Takes over all entries that a task has in another table, for one that has none here.
   * @param toOwn what a value of that table is in this one
   */
  copy(task: TaskIndex, from: ChangelogTable, of: TaskIndex, toOwn: (field: number, value: number) => number): void {
    let last = NO_ENTRY;
    let copied = 0;
    for (let entry = from.headOf(of); entry !== NO_ENTRY; entry = from.nextOf(entry)) {
      const added = this.#take();
      const { i32, f64 } = this.#entries;
      const kind = from.#entries.i32[entry * INTEGERS + KIND]!;
      const field = kind & FIELD_BITS;
      f64[added * DOUBLES + SINCE] = from.#entries.f64[entry * DOUBLES + SINCE]!;
      f64[added * DOUBLES + VALUE] = toOwn(field, from.#entries.f64[entry * DOUBLES + VALUE]!);
      i32[added * INTEGERS + KIND] = kind;
      i32[added * INTEGERS + NEXT] = NO_ENTRY;
      if (last === NO_ENTRY) this.#tasks.setEntries(task, added);
      else i32[last * INTEGERS + NEXT] = added;
      last = added;
      copied++;
      this.#counts[field]! += 1;
      this.#inUse |= 1 << field;
    }
    this.#addToSize(task, copied);
    const fields = from.#tasks.fieldsOf(of);
    this.#tasks.setFields(task, fields);
    if (fields >>> TRIMMED_AT !== 0) this.#hasTrimmed = true;
  }

  /** Forgets the entries of all tasks, which are forgotten too. */
  clearAll(): void {
    this.#counts.fill(0);
    this.#sizes.fill(0);
    this.#hasTrimmed = false;
    this.#free.fill(0);
    this.#freeCount = 0;
    this.#freeAt = 0;
    this.#length = 0;
    this.#inUse = 0;
  }

  /** Forgets all entries of a task. */
  clear(task: TaskIndex): void {
    let entry = this.#tasks.entriesOf(task);
    while (entry !== NO_ENTRY) {
      const next = this.nextOf(entry);
      this.#give(entry);
      entry = next;
    }
    if (task < this.#sizes.length) this.#sizes[task] = 0;
    this.#tasks.setEntries(task, NO_ENTRY);
    this.#tasks.setFields(task, 0);
  }

  // `added` is the `rank`-th newest of its field; the one beyond the limit goes.
  #dropOldest(task: TaskIndex, added: EntryIndex, field: number, rank: number): void {
    let before = added;
    let entry = this.nextOf(added);
    let kept = rank;
    while (entry !== NO_ENTRY) {
      if (this.fieldOf(entry) === field) {
        if (kept === this.#limit) {
          this.#entries.i32[before * INTEGERS + NEXT] = this.nextOf(entry);
          this.#give(entry);
          this.#sizes[task]! -= 1;
          this.#noteTrimmed(task, field);
          return;
        }
        kept++;
      }
      before = entry;
      entry = this.nextOf(entry);
    }
  }

  /** @returns whether that was not known yet */
  #noteTrimmed(task: TaskIndex, field: number): boolean {
    this.#hasTrimmed = true;
    const fields = this.#tasks.fieldsOf(task);
    const trimmed = fields | (1 << (field + TRIMMED_AT));
    this.#tasks.setFields(task, trimmed);
    return trimmed !== fields;
  }

  /** @returns entries that the task has now */
  #addToSize(task: TaskIndex, more: number): number {
    if (task >= this.#sizes.length) this.#sizes = grown(this.#sizes, roomFor(task + 1), 0);
    const size = this.#sizes[task]! + more;
    this.#sizes[task] = size;
    return size;
  }

  #take(): EntryIndex {
    if (this.#freeCount <= this.#length * FREE_SHARE) {
      this.#entries.reserve(this.#length);
      return this.#length++;
    }
    const free = this.#free;
    let word = this.#freeAt;
    while (free[word] === 0) word = (word + 1) % free.length;
    this.#freeAt = word;
    const bits = free[word]!;
    free[word] = bits & (bits - 1);
    this.#freeCount--;
    return word * 32 + 31 - Math.clz32(bits & -bits);
  }

  #give(entry: EntryIndex): void {
    const field = this.fieldOf(entry);
    this.#counts[field]! -= 1;
    if (this.#counts[field] === 0) this.#inUse &= ~(1 << field);
    const word = entry >>> 5;
    if (word >= this.#free.length) this.#free = grown(this.#free, roomFor(word + 1), 0);
    this.#free[word]! |= 1 << (entry & 31);
    this.#freeCount++;
  }
}
