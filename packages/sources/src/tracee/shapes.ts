// The shapes that lines have had so far. Tracee writes the same keys in the same
// order again and again, and only the values change: so a line is a chain of
// steps, each of them bytes that are as they were, and a value behind them.
//
//   {"timestamp":  TIME  ,"threadStartTime":  TIME  ,"processorId":  NUMBER …
//
// Where lines went on in different ways a step has several that may follow. What
// a chain of steps says of a line (that it is JSON, which values it has) is found
// out once, when it is learned. What is learned is bounded, and decides only how fast
// a line is read.

import { SLOT, type Slots } from './slots.ts';
import { isSame, keep, WORD_BYTES, wordCount } from './words.ts';

const HALF_WORD_BYTES = 4;
const MAX_STEPS = 8192;
const MAX_OTHERS = 32;

/** What comes behind the bytes of a step; of strings what stands between the quotes. */
export type StepKind =
  | 'number' // an integer, of no interest
  | 'task'
  | 'uint32'
  | 'integer'
  | 'string' // of no interest
  | 'text'
  | 'time'
  | 'quotedTime'
  | 'uint64'
  | 'quotedUint64'
  | 'list'
  | 'eventName'
  | 'any' // of no interest
  | 'end';

/** What is known of a line once its last step has been made. */
export interface Shape {
  readonly isLegacy: boolean;
  readonly slots: Slots;
  readonly isGroupDead: boolean | undefined;
}

export class Step {
  readonly kind: StepKind;
  readonly slot: number;
  readonly length: number;
  /** Of the last step. */
  readonly shape: Shape | undefined;
  /** The first of the steps that may follow; behind the name of an event there is one for each name. */
  next: Step | undefined = undefined;
  readonly byName: (Step | undefined)[] = [];
  /** Another step in the place of this one. Those with more bytes come first: the others may be the beginning of them. */
  other: Step | undefined = undefined;
  readonly #text: string;
  /** Of less bytes than a word, the first and the last. */
  readonly #head: number;
  readonly #tail: number;
  readonly #words: Float64Array;

  constructor(kind: StepKind, slot: number, bytes: Buffer, shape?: Shape) {
    this.kind = kind;
    this.slot = slot;
    this.shape = shape;
    this.length = bytes.length;
    this.#text = bytes.toString('latin1');
    this.#head = bytes.length >= HALF_WORD_BYTES ? bytes.readInt32LE(0) : 0;
    this.#tail = bytes.length >= HALF_WORD_BYTES ? bytes.readInt32LE(bytes.length - HALF_WORD_BYTES) : 0;
    this.#words = new Float64Array(wordCount(bytes.length));
    if (bytes.length >= WORD_BYTES) {
      keep(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, this.#words, 0);
    }
  }

  /** Are its bytes at `at`? */
  isAt(bytes: Buffer, view: DataView, at: number, end: number): boolean {
    const { length } = this;
    if (at + length > end) return false;
    if (length >= WORD_BYTES) return isSame(view, at, length, this.#words, 0);
    if (length >= HALF_WORD_BYTES) {
      return view.getInt32(at, true) === this.#head && view.getInt32(at + length - 4, true) === this.#tail;
    }
    for (let i = 0; i < length; i++) if (bytes[at + i] !== this.#text.charCodeAt(i)) return false;
    return true;
  }

  isLike(kind: StepKind, slot: number, bytes: Buffer): boolean {
    return this.kind === kind && this.slot === slot && this.#text === bytes.toString('latin1');
  }
}

export class Shapes {
  /** Comes before the first step. */
  readonly root = new Step('end', SLOT.none, Buffer.from('\n'));
  size = 0;
  /** When there are too many, those of today's lines are learned again. */
  isFull = false;

  /** @returns the step that follows, which may be there already */
  add(previous: Step, name: number, kind: StepKind, slot: number, bytes: Buffer, shape?: Shape): Step {
    let shorter = name === 0 ? previous.next : previous.byName[name];
    let longer: Step | undefined;
    let others = 0;
    for (; shorter !== undefined && shorter.length >= bytes.length; shorter = shorter.other) {
      if (shorter.isLike(kind, slot, bytes)) return shorter;
      longer = shorter;
      others++;
    }
    const step = new Step(kind, slot, bytes, shape);
    step.other = shorter;
    if (longer !== undefined) longer.other = step;
    else if (name === 0) previous.next = step;
    else previous.byName[name] = step;
    this.size++;
    if (this.size >= MAX_STEPS || others >= MAX_OTHERS) this.isFull = true;
    return step;
  }
}
