// Reads a line of Tracee from its bytes, in one go from left to right, along the
// steps that lines like it have taken (shapes.ts), and makes only the values that
// an event of the tree needs.
//
// It is the quick way for lines as Tracee writes them. Whatever is unusual in a
// line (blanks, a key twice, a value of another type or out of range, anything
// that is no JSON) it is not sure of, and the line is read the plain way
// (exact-json.ts, decode.ts), which alone decides what is wrong with it. So a
// line that it reads gives just the events that the plain way gives.
//
// One thing it sees less of: what comes behind the name of an event that no tree
// needs is not looked at, except that the line must end as an object does. Should it
// name the event a second time, the first name counts.

import type { TaskEvent } from '@dendro/protocol';
import { isContained } from './context.ts';
import { isNeeded } from './decode.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  DIGIT_0,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  UNSURE,
} from './json-bytes.ts';
import { ShapeLearner } from './learn-shape.ts';
import { execOf, exitOf, forkOf, renameOf, Scanned, sightingOf, type Task, taskOf } from './scanned.ts';
import { type Shape, Shapes } from './shapes.ts';
import { SLOT } from './slots.ts';
import { type SplitBase, TimeReader } from './time-reader.ts';

/** `other`: an event that the tree does not need. */
export type Outcome = 'unsure' | 'other' | 'read';

const NAME = { none: 0, fork: 1, exec: 2, exit: 3, rename: 4 } as const;
const NAMES = new Map<string, number>([
  ['sched_process_fork', NAME.fork],
  ['sched_process_exec', NAME.exec],
  ['sched_process_exit', NAME.exit],
  ['task_rename', NAME.rename],
]);
const MAX_TASK = 4_194_304;
const MAX_U32 = 0xffff_ffff;
const MAX_U64 = Buffer.from('18446744073709551615');
const MAX_SAFE_DIGITS = 15;

export class LineScanner {
  /** What was read: a line gives an event, and a sighting of the task before or behind it. */
  first: TaskEvent | undefined;
  second: TaskEvent | undefined;
  /** Of the line that was read. */
  hostName: string | undefined;
  isContained = false;
  task: Task | undefined;
  readonly #line = new Scanned();
  readonly #times = new TimeReader();
  #shapes = new Shapes();

  /** Reads the line in `[from, end)`, its line feed left out. Hot: see packages/testkit/bench/tracee.ts. */
  scan(bytes: Buffer, from: number, end: number, base: SplitBase): Outcome {
    // A line that was cut off is none, whatever else is in it. And no run of digits goes on beyond the end.
    if (bytes[from] !== OPEN_BRACE || bytes[end - 1] !== CLOSE_BRACE) return 'unsure';
    this.#line.open(bytes, end);
    this.#times.base = base;
    const outcome = this.#follow(from);
    return outcome === 'unsure' && this.#learn(from) ? this.#follow(from) : outcome;
  }

  #follow(from: number): Outcome {
    const line = this.#line;
    const { bytes, view, end, numbers, froms, ends } = line;
    let name: number = NAME.none;
    let step = this.#shapes.root.next;
    for (let at = from; step !== undefined; ) {
      if (!step.isAt(bytes, view, at, end)) {
        step = step.other;
        continue;
      }
      const { slot } = step;
      const valueAt = at + step.length;
      let p = valueAt;
      let value = 0;
      switch (step.kind) {
        case 'number':
          if (bytes[p] === MINUS) p++;
          p = integerEnd(bytes, p);
          break;
        case 'task':
          for (let digit = digitAt(bytes, p); digit <= 9 && value <= MAX_TASK; digit = digitAt(bytes, ++p)) {
            value = value * 10 + digit;
          }
          if (value > MAX_TASK || !isInteger(bytes, valueAt, p)) p = UNSURE;
          numbers[slot] = value;
          break;
        case 'string':
          p = line.stringEnd(p);
          break;
        case 'text':
          p = line.stringEnd(p);
          froms[slot] = valueAt;
          ends[slot] = p;
          break;
        case 'time':
          p = integerEnd(bytes, p);
          numbers[slot] = this.#times.digits(bytes, valueAt, p);
          if (Number.isNaN(numbers[slot])) p = UNSURE;
          break;
        case 'quotedTime':
          p = line.plainEnd(p);
          numbers[slot] = this.#times.text(bytes, view, valueAt, p);
          if (Number.isNaN(numbers[slot])) p = UNSURE;
          break;
        case 'uint32':
          for (let digit = digitAt(bytes, p); digit <= 9 && value <= MAX_U32; digit = digitAt(bytes, ++p)) {
            value = value * 10 + digit;
          }
          if (value > MAX_U32 || !isInteger(bytes, valueAt, p)) p = UNSURE;
          numbers[slot] = value;
          break;
        case 'any':
          p = line.skipValue(p);
          break;
        case 'eventName': {
          p = line.stringEnd(p);
          if (p === UNSURE) break;
          name = NAMES.get(line.textIn(valueAt, p)) ?? NAME.none;
          // The rest need not be read; what is rare is read the plain way.
          if (name === NAME.none) return isNeeded(line.textIn(valueAt, p)) ? 'unsure' : 'other';
          step = step.byName[name];
          at = p;
          continue;
        }
        case 'uint64':
          p = integerEnd(bytes, p);
          froms[slot] = valueAt;
          ends[slot] = p;
          if (!isUint64(bytes, valueAt, p)) p = UNSURE;
          break;
        case 'quotedUint64':
          p = line.digitsEnd(p);
          froms[slot] = valueAt;
          ends[slot] = p;
          if (!isUint64(bytes, valueAt, p)) p = UNSURE;
          break;
        case 'integer':
          p = this.#integer(valueAt, slot);
          break;
        case 'list':
          p = this.#list(valueAt);
          break;
        default:
          if (p === end && step.shape !== undefined) return this.#make(name, step.shape);
          p = UNSURE;
      }
      if (p === UNSURE) {
        step = step.other;
      } else {
        step = step.next;
        at = p;
      }
    }
    return 'unsure';
  }

  #make(name: number, shape: Shape): Outcome {
    const line = this.#line;
    line.slots = shape.slots;
    line.isGroupDead = shape.isGroupDead;
    const task = taskOf(line, shape.isLegacy);
    if (task === undefined) return 'unsure';
    this.task = task;
    this.hostName = line.text(SLOT.hostName);
    this.isContained = isContained(task, line.number(SLOT.nsPid));
    this.first = sightingOf(line, task);
    switch (name) {
      case NAME.fork:
        this.second = forkOf(line, task);
        break;
      case NAME.exec:
        // The sighting comes after: the context is already that of the new program.
        this.second = this.first;
        this.first = execOf(line, task);
        return 'read';
      case NAME.exit:
        this.second = exitOf(line, task);
        break;
      case NAME.rename:
        // With any other call it may be another task that is renamed, or an exec, which says it better itself.
        if (line.text(SLOT.syscall) !== 'prctl') return 'other';
        this.second = renameOf(line, task);
        break;
      default:
        return 'unsure';
    }
    return this.second === undefined ? 'unsure' : 'read';
  }

  #integer(from: number, slot: number): number {
    const { bytes, numbers } = this.#line;
    const digits = bytes[from] === MINUS ? from + 1 : from;
    const end = integerEnd(bytes, digits);
    if (end === UNSURE || end - digits > MAX_SAFE_DIGITS) return UNSURE;
    let value = 0;
    for (let p = digits; p < end; p++) value = value * 10 + digitAt(bytes, p);
    numbers[slot] = digits > from ? -value : value;
    return end;
  }

  #list(from: number): number {
    const line = this.#line;
    const { bytes } = line;
    if (bytes[from] !== OPEN_BRACKET) return UNSURE;
    const list: string[] = [];
    let at = from + 1;
    while (bytes[at] === QUOTE) {
      const quote = line.stringEnd(at + 1);
      if (quote === UNSURE) return UNSURE;
      list.push(line.textIn(at + 1, quote));
      at = quote + 1;
      if (bytes[at] !== COMMA) break;
      if (bytes[++at] !== QUOTE) return UNSURE;
    }
    line.argv = list;
    return bytes[at] === CLOSE_BRACKET ? at + 1 : UNSURE;
  }

  /** @returns false for a line without a shape, or none that is new */
  #learn(from: number): boolean {
    const line = this.#line;
    const { bytes, end } = line;
    const learner = new ShapeLearner(line, (text) => NAMES.has(text));
    if (!learner.learn(from)) return false;
    if (this.#shapes.isFull) this.#shapes = new Shapes();
    const shapes = this.#shapes;
    const known = shapes.size;
    let previous = shapes.root;
    let name: number = NAME.none;
    let at = from;
    for (const value of learner.values) {
      previous = shapes.add(previous, name, value.kind, value.slot, bytes.subarray(at, value.from));
      name = value.kind === 'eventName' ? (NAMES.get(line.textIn(value.from, value.end)) ?? NAME.none) : NAME.none;
      at = value.end;
    }
    if (learner.shape !== undefined)
      shapes.add(previous, name, 'end', SLOT.none, bytes.subarray(at, end), learner.shape);
    return shapes.size !== known;
  }
}

/** @returns more than 9 when it is none */
function digitAt(bytes: Buffer, at: number): number {
  return ((bytes[at] as number) - DIGIT_0) >>> 0;
}

/** Are the digits of `[from, end)` an integer of JSON, which has no zeros before it? */
function isInteger(bytes: Buffer, from: number, end: number): boolean {
  return end > from && (bytes[from] !== DIGIT_0 || end === from + 1);
}

function integerEnd(bytes: Buffer, from: number): number {
  let p = from;
  while (digitAt(bytes, p) <= 9) p++;
  return isInteger(bytes, from, p) ? p : UNSURE;
}

function isUint64(bytes: Buffer, from: number, end: number): boolean {
  const length = end - from;
  if (length <= 0 || length > MAX_U64.length) return false;
  return length < MAX_U64.length || MAX_U64.compare(bytes, from, end) >= 0;
}
