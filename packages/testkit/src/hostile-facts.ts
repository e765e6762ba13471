// Facts as nobody's kernel would tell them, but a file, a socket or a database can: times and numbers at their
// extremes, texts that are no list and no file, and long chains, rings and stars.

import {
  AUTHORITY,
  BatchWriter,
  type EntityId,
  type EventNs,
  FIELD_COUNT,
  FIELDS,
  fieldType,
  isTextField,
  TASK_FLAG,
  type TaskId,
  type Tid,
} from '@dendro/protocol';
import fc from 'fast-check';
import type { WriteFact } from './arbitraries.ts';

const FAR = 2 ** 63;
const TIMES = [0, -0, 1, 2, 3, 5, 8, 12, 0.5, -1, -7, 1e9, 60e9, 2 ** 53, -(2 ** 53), FAR, -FAR, 1e300, -1e300];
const TIDS = [0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 4_194_304, 2 ** 31 - 1, -1, -(2 ** 31)];
const NUMBERS = [Number.NaN, 0, 1, 1000, -1, 0.5, 2 ** 32, 1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const TEXTS = ['', 'x', '\0', 'a\0b', '\0\0\0\0\0\0\0\0', '/f\0-1\0i\x00c\0NaN\0h\x001e999', '\u202e<b>"\n', '\ud800'];
const STATUSES = [-1, 0, 1, 9, 255, 2 ** 31 - 1, -(2 ** 31)];

/** Facts about few tasks, as `arbitraryFacts`; evictions are among them. A batch of them is a sound one. */
export function hostileFacts(tasks = 8): fc.Arbitrary<WriteFact[]> {
  const task = fc.integer({ min: 1, max: tasks }).map((id) => id as TaskId);
  const someone = fc.integer({ min: 0, max: tasks }).map((id) => id as TaskId);
  const time = fc.constantFrom(...TIMES).map((ns) => ns as EventNs);
  const tid = fc.constantFrom(...TIDS).map((number) => number as Tid);
  const authority = fc.constantFrom(...Object.values(AUTHORITY));
  const flags = fc.oneof(fc.constant(0), fc.constantFrom(...Object.values(TASK_FLAG)), fc.nat(255));
  const status = fc.constantFrom(...STATUSES);
  const entity = fc.constantFrom(0, 7, 0xffff_ffff).map((id) => id as EntityId);
  const taskFact = fc.tuple(task, tid, tid, someone, someone, time, entity, flags, authority).map(
    (args): WriteFact =>
      (out) =>
        out.task(...args),
  );
  const setFact = fc
    .tuple(task, fc.integer({ min: 1, max: FIELD_COUNT - 1 }), time, authority, fc.nat(99))
    .map(([task, field, since, authority, pick]): WriteFact => {
      const type = fieldType(field);
      if (isTextField(type)) {
        const text = pick % (TEXTS.length + 1);
        return (out) => out.set(task, field, since, authority, text === 0 ? 0 : out.text(TEXTS[text - 1] as string));
      }
      const value = type === 'task' ? pick % (tasks + 1) : (NUMBERS[pick % NUMBERS.length] as number);
      return (out) => out.set(task, field, since, authority, type === 'task' && value === 0 ? Number.NaN : value);
    });
  const exitFact = fc.tuple(task, time, authority, status, status).map(
    (args): WriteFact =>
      (out) =>
        out.exit(...args),
  );
  const gapFact = fc.tuple(time, time, fc.constantFrom(0, 1, -1, 1e300)).map(
    (args): WriteFact =>
      (out) =>
        out.gap(...args),
  );
  const evictFact = fc.tuple(task, fc.boolean()).map(
    (args): WriteFact =>
      (out) =>
        out.evict(...args),
  );
  const fact = fc.oneof(
    { weight: 6, arbitrary: taskFact },
    { weight: 8, arbitrary: setFact },
    { weight: 2, arbitrary: exitFact },
    { weight: 1, arbitrary: gapFact },
    { weight: 1, arbitrary: evictFact },
  );
  return fc.array(fact, { maxLength: 60 });
}

interface Sketch {
  readonly id: number;
  readonly tid?: number;
  readonly leader?: number;
  readonly creator?: number;
  readonly start?: number;
  readonly isSibling?: boolean;
  readonly parent?: number;
  readonly exit?: number;
  readonly comm?: string | undefined;
}

/** The sketch of the `i`-th of `n`, from 1 on. */
type Shape = (i: number, n: number) => Sketch;

const LONG_SHAPES = {
  'a chain of creators, the last one with a name': (i, n) => ({
    id: i,
    creator: i - 1,
    start: i,
    comm: named(i === n),
  }),
  'a chain of creators, the first one with a name': (i) => ({ id: i, creator: i - 1, start: i, comm: named(i === 1) }),
  'a chain of ever younger creators': (i, n) => ({ id: i, creator: i % n && i + 1, start: i, comm: named(i === 1) }),
  'a ring of creators': (i, n) => ({ id: i, creator: (i % n) + 1, comm: named(i === 1) }),
  'rings of two creators': (i) => ({ id: i, creator: ((i - 1) ^ 1) + 1 }),
  'a chain of siblings': (i) => ({ id: i, creator: i - 1, start: i, isSibling: i > 2 }),
  'a chain of siblings that have ended': (i) => ({ id: i, creator: i - 1, start: i, isSibling: i > 2, exit: i + 2 }),
  'a ring of siblings': (i, n) => ({ id: i, creator: (i % n) + 1, isSibling: true }),
  'rings of two siblings': (i) => ({ id: i, creator: ((i - 1) ^ 1) + 1, isSibling: true }),
  'a star of siblings': (i) => ({ id: i, creator: Math.min(2, i - 1), start: i, isSibling: i > 2 }),
  'a star, the youngest first': (i, n) => ({ id: i, creator: i === 1 ? 0 : 1, start: i === 1 ? 0 : n - i }),
  'a chain of parents': (i) => ({ id: i, creator: i - 1, start: i, parent: i - 1 }),
  'a ring of parents': (i, n) => ({ id: i, parent: (i % n) + 1 }),
  'a star of parents that have ended': (i) => ({ id: i, start: i, parent: 1, exit: i + 3 }),
  // Each of the second half has a child already when it is put below the whole first half.
  'children under the end of a chain': (i, n) =>
    i <= n / 2 ? { id: i, creator: i - 1, start: i } : { id: i ^ 1, creator: i % 2 === 1 ? i : n / 2, start: n },
  'threads of one': (i) => ({ id: i, leader: 1, creator: i === 1 ? 0 : 1, start: i, comm: named(i === 1) }),
  'a chain of leaders': (i) => ({ id: i, leader: Math.max(1, i - 1), creator: i - 1, start: i, comm: named(i === 1) }),
  'a ring of leaders': (i, n) => ({ id: i, leader: (i % n) + 1, comm: named(i === 1) }),
  'lives of one tid, the youngest first': (i, n) => ({ id: i, tid: 77, start: n - i }),
  'many of init': (i) => ({ id: i, tid: 1, creator: i - 1, start: i, exit: i + 2 }),
  'ids that are multiples of a power of two': (i) => ({ id: i * 2 ** 20, tid: i, start: i }),
} as const satisfies Record<string, Shape>;

export type LongShape = keyof typeof LONG_SHAPES;
export const LONG_SHAPE_NAMES = Object.keys(LONG_SHAPES) as readonly LongShape[];

function named(has: boolean): string | undefined {
  return has ? 'x' : undefined;
}

/** A batch of so many tasks. */
export function longShape(name: LongShape, count: number): Uint8Array<ArrayBuffer> {
  const shape: Shape = LONG_SHAPES[name];
  const out = new BatchWriter();
  const by = AUTHORITY.event;
  for (let i = 1; i <= count; i++) {
    const {
      id,
      tid = id,
      leader = id,
      creator = 0,
      start = 0,
      isSibling = false,
      parent,
      exit,
      comm,
    } = shape(i, count);
    const [task, since] = [id as TaskId, start as EventNs];
    const flags = (isSibling ? TASK_FLAG.sibling : 0) | (leader === id ? 0 : TASK_FLAG.thread);
    const pid = leader === id ? tid : leader;
    out.task(task, tid as Tid, pid as Tid, leader as TaskId, creator as TaskId, since, i as EntityId, flags, by);
    if (parent !== undefined) out.set(task, FIELDS.parent.id, since, by, parent === 0 ? Number.NaN : parent);
    if (comm !== undefined) out.set(task, FIELDS.comm.id, since, by, out.text(comm));
    if (exit !== undefined) out.exit(task, exit as EventNs, by, 0, -1);
  }
  return out.finish();
}
