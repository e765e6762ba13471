// What is different between two instants A and B, row by row of a tree that has
// those of both. As in a comparison of files the direction counts, not which of
// the two is earlier: + is there at B alone, − at A alone.

import { NO_TASK, type TaskIndex, type TemporalTree, type TreeOrder } from '@dendro/engine';
import { type EventNs, type FieldName, type FieldValue, type FileInfo, fieldName } from '@dendro/protocol';
import { Found } from './found.ts';

export const CHANGE = { born: 1, died: 2, changed: 4, moved: 8 } as const;

export interface ChangeCounts {
  readonly born: number;
  readonly died: number;
  readonly changed: number;
  /** Have another parent. */
  readonly moved: number;
}

const BITS = [CHANGE.born, CHANGE.died, CHANGE.changed, CHANGE.moved] as const;
const NO_FIELDS: readonly FieldName[] = [];

/** Does a process live at that instant? At the instant of its end it does not any more, as its row says. */
export function livesAt(tree: TemporalTree, task: TaskIndex, at: EventNs): boolean {
  return tree.startOf(task) <= at && tree.exitOf(task) > at;
}

export class Changes {
  readonly a: EventNs;
  readonly b: EventNs;
  /** Rows that differ, by position. */
  readonly found: Found;
  readonly #bits: Uint8Array; // position -> sum of CHANGE
  readonly #fields = new Map<number, readonly FieldName[]>(); // position -> what has changed
  readonly #before: readonly Int32Array[]; // for each of BITS: position -> how many before it

  /**
   * @param order of those who live at `a` or at its own instant
   * @param kept who is counted, by position; all when undefined. Threads are not.
   */
  constructor(tree: TemporalTree, order: TreeOrder, a: EventNs, kept?: Uint8Array) {
    const { length, tasks, at: b } = order;
    this.a = a;
    this.b = b;
    this.#bits = new Uint8Array(length);
    // hot: runs over all rows with each frame while the present is compared
    for (let p = 0; p < length; p++) {
      const task = tasks[p] as TaskIndex;
      if ((kept !== undefined && kept[p] === 0) || tree.isThread(task)) continue;
      const [wasThere, isThere] = [livesAt(tree, task, a), livesAt(tree, task, b)];
      if (wasThere && isThere) this.#bits[p] = this.#changesOf(tree, task, p);
      else if (isThere) this.#bits[p] = CHANGE.born;
      else if (wasThere) this.#bits[p] = CHANGE.died;
    }
    this.found = new Found(this.only());
    this.#before = BITS.map((bit) => {
      const before = new Int32Array(length + 1);
      for (let p = 0; p < length; p++) {
        before[p + 1] = (before[p] as number) + (((this.#bits[p] as number) & bit) === 0 ? 0 : 1);
      }
      return before;
    });
  }

  get counts(): ChangeCounts {
    return this.#countIn(0, this.#bits.length);
  }

  /** Sum of CHANGE bits, 0 for who is the same at both instants. */
  at(position: number): number {
    return this.#bits[position] as number;
  }

  /** What has changed of it, its parent apart. */
  fieldsAt(position: number): readonly FieldName[] {
    return this.#fields.get(position) ?? NO_FIELDS;
  }

  /** Of all below a row that ends before `end`. */
  below(position: number, end: number): ChangeCounts {
    return this.#countIn(position + 1, end);
  }

  /** Of rows and all below them: each is from a position up to below an end. */
  inAll(subtrees: Iterable<readonly [from: number, end: number]>): ChangeCounts {
    const sum = { born: 0, died: 0, changed: 0, moved: 0 };
    for (const [from, end] of subtrees) {
      const counts = this.#countIn(from, end);
      for (const what of Object.keys(sum) as (keyof ChangeCounts)[]) sum[what] += counts[what];
    }
    return sum;
  }

  /** Those of `kept` that differ. */
  only(): Uint8Array {
    return this.#bits.map((bits) => (bits === 0 ? 0 : 1));
  }

  #countIn(from: number, end: number): ChangeCounts {
    const [born, died, changed, moved] = this.#before.map(
      (before) => (before[end] as number) - (before[from] as number),
    ) as [number, number, number, number];
    return { born, died, changed, moved };
  }

  #changesOf(tree: TemporalTree, task: TaskIndex, position: number): number {
    const { a, b } = this;
    const fields = changedFields(tree, task, a, b);
    if (fields.length > 0) this.#fields.set(position, fields);
    return (fields.length > 0 ? CHANGE.changed : 0) | (hasMoved(tree, task, a, b) ? CHANGE.moved : 0);
  }
}

function hasMoved(tree: TemporalTree, task: TaskIndex, a: EventNs, b: EventNs): boolean {
  const [earlier, later] = [Math.min(a, b), Math.max(a, b)] as [EventNs, EventNs];
  const after = tree.parentAt(task, later);
  if (after === NO_TASK || (tree.lastParentSince ?? Number.POSITIVE_INFINITY) <= earlier) return false;
  const before = tree.parentAt(task, earlier);
  return before !== NO_TASK && before !== after;
}

let hasEntry = false;
const noteEntry = (): void => {
  hasEntry = true;
};

/**
 * The fields, parent apart, that are known at both instants and differ. What has come to be known in between is no change
 * of the process.
 */
export function changedFields(tree: TemporalTree, task: TaskIndex, a: EventNs, b: EventNs): readonly FieldName[] {
  // Without an entry of its own since then, everything is as it was: what it has from others is as of its birth.
  hasEntry = false;
  tree.forEachEntrySince(task, Math.min(a, b) as EventNs, noteEntry);
  if (!hasEntry) return NO_FIELDS;
  const before = [...tree.valuesAt(task, a)];
  const after = tree.valuesAt(task, b);
  const fields: FieldName[] = [];
  for (let id = 0; id < after.length; id++) {
    const name = fieldName(id);
    if (name !== undefined && isOther(before[id], after[id])) fields.push(name);
  }
  return fields;
}

function isOther(before: FieldValue, after: FieldValue): boolean {
  if (before === after || before === undefined || after === undefined) return false;
  if (typeof before !== 'object' || typeof after !== 'object') return true;
  if (isList(before) || isList(after)) {
    if (!isList(before) || !isList(after) || before.length !== after.length) return true;
    return before.some((part, i) => part !== after[i]);
  }
  return (
    before.path !== after.path || isOtherPart(before.inode, after.inode) || isOtherPart(before.device, after.device)
  );
}

/** A hash that has been computed meanwhile makes no other file of it. */
function isOtherPart(before: FileInfo['inode' | 'device'], after: FileInfo['inode' | 'device']): boolean {
  return before !== undefined && after !== undefined && before !== after;
}

function isList(value: FieldValue): value is readonly string[] {
  return Array.isArray(value);
}
