// The one encoding of facts: live socket, history on disk and bus carry the
// same bytes. Typed columns, one set per kind of fact, then one string table.
//
//   u32 magic "DNB2"
//   u32 counts: strings, string bytes, task, set, exit, gap, evict     (28 bytes)
//   f64 task.id task.leader task.creator task.start
//       set.task set.since set.value   exit.task exit.at
//       gap.from gap.to gap.lost       evict.task
//   u32 task.tid task.pid task.entityId   exit.code exit.signal (i32, -1 none)   string lengths
//   u8  task.flags task.authority   set.field set.authority   exit.authority
//   UTF-8 of all strings, one after the other
//
// All numbers little endian, each column as long as its count. A string's
// length is in UTF-16 units, so that one decode and cheap slices suffice; half
// a surrogate pair becomes U+FFFD, which is one unit too. A text value is an
// index into the string table plus one; 0 says "not known". A number that is
// not known is NaN. The id of an evicted task is negative when its way up was cut.

import { DendroError } from './errors.ts';
import { FactColumns } from './fact-columns.ts';
import { AUTHORITY, type Authority, type Fact, fieldName, fieldType, fromWireText, isTextField } from './facts.ts';
import { type EntityId, type EventNs, NO_TASK_ID, type TaskId, type Tid } from './ids.ts';

const MAGIC = 0x32424e44; // "DNB2"
const HEADER_BYTES = 32;
const NONE = -1;

const TASK_F64 = 4;
const SET_F64 = 3;
const EXIT_F64 = 2;
const GAP_F64 = 3;
const EVICT_F64 = 1;

/** Receives the facts of a batch, cheapest form. Text values are indexes into `strings`, plus one. */
export interface FactVisitor {
  /** Called first, once per batch. */
  strings(table: readonly string[]): void;
  task(
    task: TaskId,
    tid: Tid,
    pid: Tid,
    leader: TaskId,
    creator: TaskId,
    start: EventNs,
    entityId: EntityId,
    flags: number,
    authority: Authority,
  ): void;
  set(task: TaskId, field: number, since: EventNs, authority: Authority, value: number): void;
  /** `code` and `signal` are -1 where not known. */
  exit(task: TaskId, at: EventNs, authority: Authority, code: number, signal: number): void;
  gap(from: EventNs, to: EventNs, lost: number): void;
  evict(task: TaskId, isCut: boolean): void;
}

/** Collects facts and encodes them. Reusable: `finish` empties it. */
export class BatchWriter {
  readonly #strings = new Map<string, number>();
  #indexByNumber = new Int32Array(1024); // number given by the writer -> index plus one, 0 = not in this batch
  readonly #numbers: number[] = []; // those that are in this batch
  readonly #tasks = new FactColumns({ doubles: TASK_F64, integers: 3, bytes: 2 });
  readonly #sets = new FactColumns({ doubles: SET_F64, integers: 0, bytes: 2 });
  readonly #exits = new FactColumns({ doubles: EXIT_F64, integers: 2, bytes: 1 });
  readonly #gaps = new FactColumns({ doubles: GAP_F64, integers: 0, bytes: 0 });
  readonly #evictions = new FactColumns({ doubles: EVICT_F64, integers: 0, bytes: 0 });
  readonly #kinds = [this.#tasks, this.#sets, this.#exits, this.#gaps, this.#evictions];

  /** Facts collected since the last `finish`. */
  get count(): number {
    return this.#tasks.count + this.#sets.count + this.#exits.count + this.#gaps.count + this.#evictions.count;
  }

  /** Tasks collected since the last `finish`. */
  get taskCount(): number {
    return this.#tasks.count;
  }

  /**
   * For writers that have numbered their texts: like {@link text}, without looking at the text again.
   * @param number of this text and no other until `finish`
   */
  numberedText(number: number, text: string): number {
    if (number >= this.#indexByNumber.length) this.#growNumbers(number);
    const known = this.#indexByNumber[number] as number;
    if (known !== 0) return known;
    const index = this.text(text);
    this.#indexByNumber[number] = index;
    this.#numbers.push(number);
    return index;
  }

  /** @returns what a text value of this text is in `set`: never 0. */
  text(text: string): number {
    let index = this.#strings.get(text);
    if (index === undefined) {
      index = this.#strings.size + 1;
      this.#strings.set(text, index);
    }
    return index;
  }

  task(
    task: TaskId,
    tid: Tid,
    pid: Tid,
    leader: TaskId,
    creator: TaskId,
    start: EventNs,
    entityId: EntityId,
    flags: number,
    authority: Authority,
  ): void {
    const row = this.#tasks.next();
    const { doubles, integers, bytes, capacity } = this.#tasks;
    doubles[row] = task;
    doubles[capacity + row] = leader;
    doubles[2 * capacity + row] = creator;
    doubles[3 * capacity + row] = start;
    integers[row] = tid;
    integers[capacity + row] = pid;
    integers[2 * capacity + row] = entityId;
    bytes[row] = flags;
    bytes[capacity + row] = authority;
  }

  set(task: TaskId, field: number, since: EventNs, authority: Authority, value: number): void {
    const row = this.#sets.next();
    const { doubles, bytes, capacity } = this.#sets;
    doubles[row] = task;
    doubles[capacity + row] = since;
    doubles[2 * capacity + row] = value;
    bytes[row] = field;
    bytes[capacity + row] = authority;
  }

  exit(task: TaskId, at: EventNs, authority: Authority, code: number, signal: number): void {
    const row = this.#exits.next();
    const { doubles, integers, bytes, capacity } = this.#exits;
    doubles[row] = task;
    doubles[capacity + row] = at;
    integers[row] = code;
    integers[capacity + row] = signal;
    bytes[row] = authority;
  }

  gap(from: EventNs, to: EventNs, lost: number): void {
    const row = this.#gaps.next();
    const { doubles, capacity } = this.#gaps;
    doubles[row] = from;
    doubles[capacity + row] = to;
    doubles[2 * capacity + row] = lost;
  }

  evict(task: TaskId, isCut: boolean): void {
    const row = this.#evictions.next();
    this.#evictions.doubles[row] = isCut ? -task : task;
  }

  /** Encodes everything collected and starts anew. */
  finish(): Uint8Array<ArrayBuffer> {
    let joined = '';
    const lengths = new Int32Array(this.#strings.size);
    let next = 0;
    for (const text of this.#strings.keys()) {
      lengths[next++] = text.length;
      // UTF-8 has no form for half a surrogate pair; and two halves in neighbouring strings must not become one.
      joined += text.toWellFormed();
    }
    const utf8 = new TextEncoder().encode(joined);
    let size = HEADER_BYTES + lengths.byteLength + utf8.length;
    for (const kind of this.#kinds) size += kind.byteLength;

    const bytes = new Uint8Array(size);
    const header = new Uint32Array(bytes.buffer, 0, HEADER_BYTES / 4);
    header.set([MAGIC, lengths.length, utf8.length, ...this.#kinds.map((kind) => kind.count)]);
    let offset = HEADER_BYTES;
    for (const kind of this.#kinds) offset = kind.writeDoubles(bytes.buffer, offset);
    for (const kind of this.#kinds) offset = kind.writeIntegers(bytes.buffer, offset);
    bytes.set(new Uint8Array(lengths.buffer), offset);
    offset += lengths.byteLength;
    for (const kind of this.#kinds) offset = kind.writeBytes(bytes.buffer, offset);
    bytes.set(utf8, offset);

    this.#strings.clear();
    for (const number of this.#numbers) this.#indexByNumber[number] = 0;
    this.#numbers.length = 0;
    for (const kind of this.#kinds) kind.clear();
    return bytes;
  }

  #growNumbers(number: number): void {
    const grown = new Int32Array(2 ** Math.ceil(Math.log2(number + 1)));
    grown.set(this.#indexByNumber);
    this.#indexByNumber = grown;
  }
}

/**
 * Reads a batch into a visitor. Facts come grouped by kind (tasks, sets, exits, gaps, evictions).
 * @throws DendroError DENDRO_BATCH_MALFORMED when the bytes are not a whole batch; nothing was visited then
 */
export function readBatch(bytes: Uint8Array, visitor: FactVisitor): void {
  const { counts, f64, i32, u8, strings } = openBatch(bytes);
  const [nTask, nSet, nExit, nGap, nEvict] = counts;
  visitor.strings(strings);

  let f = 0;
  const column = (n: number): Float64Array => {
    f += n;
    return f64.subarray(f - n, f);
  };
  const taskId = column(nTask);
  const leader = column(nTask);
  const creator = column(nTask);
  const start = column(nTask);
  const setTask = column(nSet);
  const since = column(nSet);
  const value = column(nSet);
  const exitTask = column(nExit);
  const exitAt = column(nExit);
  const gapFrom = column(nGap);
  const gapTo = column(nGap);
  const gapLost = column(nGap);
  const evicted = column(nEvict);

  const flags = u8.subarray(0, nTask);
  const taskAuthority = u8.subarray(nTask, 2 * nTask);
  for (let i = 0; i < nTask; i++) {
    visitor.task(
      taskId[i] as TaskId,
      i32[i] as Tid,
      i32[nTask + i] as Tid,
      leader[i] as TaskId,
      creator[i] as TaskId,
      start[i] as EventNs,
      ((i32[2 * nTask + i] as number) >>> 0) as EntityId,
      flags[i] as number,
      taskAuthority[i] as Authority,
    );
  }
  const field = u8.subarray(2 * nTask, 2 * nTask + nSet);
  const setAuthority = u8.subarray(2 * nTask + nSet, 2 * nTask + 2 * nSet);
  for (let i = 0; i < nSet; i++) {
    if (fieldType(field[i] as number) === undefined) continue; // a field of a later protocol version
    visitor.set(
      setTask[i] as TaskId,
      field[i] as number,
      since[i] as EventNs,
      setAuthority[i] as Authority,
      value[i] as number,
    );
  }
  const code = 3 * nTask;
  const exitAuthority = u8.subarray(2 * nTask + 2 * nSet);
  for (let i = 0; i < nExit; i++) {
    visitor.exit(
      exitTask[i] as TaskId,
      exitAt[i] as EventNs,
      exitAuthority[i] as Authority,
      i32[code + i] as number,
      i32[code + nExit + i] as number,
    );
  }
  for (let i = 0; i < nGap; i++) visitor.gap(gapFrom[i] as EventNs, gapTo[i] as EventNs, gapLost[i] as number);
  for (let i = 0; i < nEvict; i++) {
    const task = evicted[i] as number;
    visitor.evict(Math.abs(task) as TaskId, task < 0);
  }
}

/**
 * The same batch with all of its times `byNs` later: for a tree that counts from another base.
 * @throws DendroError DENDRO_BATCH_MALFORMED when its counts are not those of its bytes
 */
export function movedBatch(bytes: Uint8Array, byNs: number): Uint8Array<ArrayBuffer> {
  const moved = new Uint8Array(bytes);
  const { counts, nF64 } = layoutOf(moved);
  const [nTask, nSet, nExit, nGap] = counts;
  const f64 = new Float64Array(moved.buffer, HEADER_BYTES, nF64);
  const move = (from: number, count: number): number => {
    for (let i = from; i < from + count; i++) f64[i] = (f64[i] as number) + byNs;
    return from + count;
  };
  const sets = move(3 * nTask, nTask); // start
  const exits = move(sets + nSet, nSet) + nSet; // since, after which come the values
  const gaps = move(exits + nExit, nExit); // at
  move(gaps, 2 * nGap); // from, to
  return moved;
}

/** What a batch says of `until` and before. Of a gap that goes on for longer it is the part until then. */
export function batchUntil(bytes: Uint8Array, until: EventNs): Uint8Array<ArrayBuffer> {
  const writer = new BatchWriter();
  let table: readonly string[] = [];
  let texts: number[] = [];
  const textOf = (value: number): number => {
    texts[value] ??= writer.text(table[value - 1] as string);
    return texts[value];
  };
  readBatch(bytes, {
    strings: (all) => {
      table = all;
      texts = [];
    },
    task: (task, tid, pid, leader, creator, start, ...rest) => {
      if (start <= until) writer.task(task, tid, pid, leader, creator, start, ...rest);
    },
    set: (task, id, since, authority, value) => {
      if (since > until) return;
      const isText = isTextField(fieldType(id)) && value > 0;
      writer.set(task, id, since, authority, isText ? textOf(value) : value);
    },
    exit: (task, at, ...rest) => {
      if (at <= until) writer.exit(task, at, ...rest);
    },
    gap: (from, to, lost) => {
      if (from <= until) writer.gap(from, Math.min(to, until) as EventNs, lost);
    },
    evict: (task, isCut) => writer.evict(task, isCut),
  });
  return writer.finish();
}

/** The facts of a batch as objects: for tests, JSON and people. */
export function factsOf(bytes: Uint8Array): Fact[] {
  const facts: Fact[] = [];
  let strings: readonly string[] = [];
  readBatch(bytes, {
    strings: (table) => {
      strings = table;
    },
    task: (task, tid, pid, leader, creator, start, entityId, flags, authority) =>
      facts.push({ type: 'task', task, tid, pid, leader, creator, start, entityId, flags, authority }),
    set: (task, id, since, authority, value) => {
      const field = fieldName(id);
      const type = fieldType(id);
      if (field === undefined || type === undefined) return;
      const text = isTextField(type) ? strings[value - 1] : undefined;
      const plain =
        text !== undefined ? fromWireText(type, text) : isTextField(type) || Number.isNaN(value) ? undefined : value;
      facts.push({ type: 'set', task, field, since, authority, value: plain });
    },
    exit: (task, at, authority, code, signal) =>
      facts.push({
        type: 'exit',
        task,
        at,
        authority,
        code: code === NONE ? undefined : code,
        signal: signal === NONE ? undefined : signal,
      }),
    gap: (from, to, lost) => facts.push({ type: 'gap', from, to, lost }),
    evict: (task, isCut) => facts.push({ type: 'evict', task, isCut }),
  });
  return facts;
}

/** How many facts of each kind: task, set, exit, gap, evict. */
type Counts = readonly [number, number, number, number, number];

interface OpenBatch {
  readonly counts: Counts;
  readonly f64: Float64Array;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly strings: readonly string[];
}

function openBatch(given: Uint8Array): OpenBatch {
  // Columns are read in place, which needs 8-byte alignment.
  const bytes = given.byteOffset % 8 === 0 ? given : new Uint8Array(given);
  const { counts, nF64, nI32, nU8, nStrings } = layoutOf(bytes);
  const i32Offset = HEADER_BYTES + 8 * nF64;
  const lengthsOffset = i32Offset + 4 * nI32;
  const u8Offset = lengthsOffset + 4 * nStrings;
  const textOffset = u8Offset + nU8;
  const f64 = new Float64Array(bytes.buffer, bytes.byteOffset + HEADER_BYTES, nF64);
  const lengths = new Uint32Array(bytes.buffer, bytes.byteOffset + lengthsOffset, nStrings);
  const strings = sliceStrings(bytes.subarray(textOffset), lengths);
  checkColumns(f64, bytes.subarray(u8Offset, textOffset), counts, nStrings);
  return {
    counts,
    f64,
    i32: new Int32Array(bytes.buffer, bytes.byteOffset + i32Offset, nI32),
    u8: bytes.subarray(u8Offset, textOffset),
    strings,
  };
}

/** How long the columns of a batch are, which begins at a multiple of eight bytes. */
function layoutOf(bytes: Uint8Array) {
  if (bytes.length < HEADER_BYTES) throw malformed('it is shorter than its header');
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER_BYTES / 4);
  const [magic, nStrings = 0, textBytes = 0, nTask = 0, nSet = 0, nExit = 0, nGap = 0, nEvict = 0] = header;
  if (magic !== MAGIC) throw malformed('it does not begin with DNB2');
  const nF64 = TASK_F64 * nTask + SET_F64 * nSet + EXIT_F64 * nExit + GAP_F64 * nGap + EVICT_F64 * nEvict;
  const nI32 = 3 * nTask + 2 * nExit;
  const nU8 = 2 * nTask + 2 * nSet + nExit;
  const size = HEADER_BYTES + 8 * nF64 + 4 * nI32 + 4 * nStrings + nU8 + textBytes;
  if (size !== bytes.length) throw malformed(`its counts ask for ${size} bytes and it has ${bytes.length}`);
  const counts: Counts = [nTask, nSet, nExit, nGap, nEvict];
  return { counts, nF64, nI32, nU8, nStrings };
}

function sliceStrings(utf8: Uint8Array, lengths: Uint32Array): string[] {
  // By default the decoder drops a byte order mark at the start, which here belongs to the first string.
  const joined = new TextDecoder('utf-8', { ignoreBOM: true }).decode(utf8);
  const strings: string[] = new Array(lengths.length);
  let from = 0;
  for (let i = 0; i < lengths.length; i++) {
    const to = from + (lengths[i] as number);
    strings[i] = joined.slice(from, to);
    from = to;
  }
  if (from !== joined.length) throw malformed('the lengths of its strings do not add up');
  return strings;
}

/**
 * Makes sure of what every reader relies on: times and counts are finite, ids are ids, authorities
 * are known ones, and every text index is inside the string table.
 */
function checkColumns(f64: Float64Array, u8: Uint8Array, counts: Counts, nStrings: number): void {
  const [nTask, nSet, nExit, nGap, nEvict] = counts;
  const setTask = TASK_F64 * nTask;
  const setValue = setTask + 2 * nSet;
  const exitTask = setTask + SET_F64 * nSet;
  const evicted = exitTask + EXIT_F64 * nExit + GAP_F64 * nGap;
  for (let i = 0; i < f64.length; i++) {
    if (i >= setValue && i < exitTask) continue; // looked at below: NaN means "not known"
    if (!Number.isFinite(f64[i])) throw malformed('a time or an id in it is not a number');
  }
  checkIds(f64, 0, nTask, 1);
  checkIds(f64, nTask, 2 * nTask, NO_TASK_ID); // leader and creator
  checkIds(f64, setTask, nSet, 1);
  checkIds(f64, exitTask, nExit, 1);
  for (let i = evicted; i < evicted + nEvict; i++) checkId(Math.abs(f64[i] as number), 1);

  const field = 2 * nTask;
  checkAuthorities(u8, nTask, nTask);
  checkAuthorities(u8, field + nSet, nSet + nExit);
  for (let i = 0; i < nSet; i++) {
    const type = fieldType(u8[field + i] as number);
    const value = f64[setValue + i] as number;
    if (isTextField(type)) {
      const isInTable = Number.isInteger(value) && value >= 0 && value <= nStrings;
      if (!isInTable) throw malformed('a text in it is not in its string table');
    } else if (type === 'task' && !Number.isNaN(value)) {
      checkIds(f64, setValue + i, 1, NO_TASK_ID);
    }
  }
}

function checkIds(f64: Float64Array, from: number, count: number, least: number): void {
  for (let i = from; i < from + count; i++) checkId(f64[i] as number, least);
}

function checkId(id: number, least: number): void {
  if (!Number.isSafeInteger(id) || id < least) throw malformed('a task id in it is not a positive integer');
}

function checkAuthorities(u8: Uint8Array, from: number, count: number): void {
  for (let i = from; i < from + count; i++) {
    if ((u8[i] as number) > AUTHORITY.event) throw malformed('an authority in it is not a known one');
  }
}

function malformed(why: string): DendroError {
  return new DendroError('DENDRO_BATCH_MALFORMED', `The batch is malformed: ${why}.`);
}
