// Finds out the shape of a line: which bytes in it are as in every such line, and
// what the values between them are. Plain and slow: runs once per shape.

import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  type JsonBytes,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  UNSURE,
} from './json-bytes.ts';
import type { Shape, StepKind } from './shapes.ts';
import { ARGUMENTS, BOTH, EVENT, type Field, type Fields, LEGACY, SLOT, SLOTS, V1BETA1 } from './slots.ts';

/** A value of the line, in `[from, end)`. */
export interface Value {
  readonly kind: StepKind;
  readonly slot: number;
  readonly from: number;
  readonly end: number;
}

const NULL = 0x6e;
const MAX_VALUES = 256;
const MAX_KEY_BYTES = 256;
const PRINTABLE = '[ !#-[\\]-~]*';
const LEGACY_ARGUMENT = new RegExp(`^\\{"name":"(${PRINTABLE})","(type)":"${PRINTABLE}","value":`);
const V1BETA1_ARGUMENT = new RegExp(`^\\{"name":"(${PRINTABLE})","(${PRINTABLE})":`);

export class ShapeLearner {
  readonly values: Value[] = [];
  /** Undefined when what comes behind the name of the event is of no interest. */
  shape: Shape | undefined;
  readonly #line: JsonBytes;
  readonly #isNeeded: (eventName: string) => boolean;
  readonly #met = new Set<number>();
  readonly #slots = new Uint8Array(SLOTS);
  #dialects = BOTH;
  #isGroupDead: boolean | undefined;
  #isOther = false;

  constructor(line: JsonBytes, isNeeded: (eventName: string) => boolean) {
    this.#line = line;
    this.#isNeeded = isNeeded;
  }

  /** @returns false for a line that is no JSON, or unusual */
  learn(from: number): boolean {
    const end = this.#object(from, EVENT);
    if (this.#isOther) return true;
    const dialects = this.#dialects;
    if (end !== this.#line.end || (dialects !== LEGACY && dialects !== V1BETA1)) return false;
    this.shape = { isLegacy: dialects === LEGACY, slots: this.#slots, isGroupDead: this.#isGroupDead };
    return this.values.length <= MAX_VALUES;
  }

  // Every method takes the place where something begins and gives the place behind it, or UNSURE.

  #object(from: number, fields: Fields): number {
    const { bytes } = this.#line;
    if (bytes[from] !== OPEN_BRACE) return UNSURE;
    if (bytes[from + 1] === CLOSE_BRACE) return from + 2;
    for (let at = from + 1; ; at++) {
      const keyEnd = this.#keyEnd(at);
      if (keyEnd === UNSURE) return UNSURE;
      at = this.#value(keyEnd, fields.get(bytes.toString('latin1', at + 1, keyEnd - 2)));
      if (at === UNSURE) return UNSURE;
      if (bytes[at] !== COMMA) return bytes[at] === CLOSE_BRACE ? at + 1 : UNSURE;
    }
  }

  /** A key of printable ASCII, and the colon. */
  #keyEnd(at: number): number {
    const line = this.#line;
    if (line.bytes[at] !== QUOTE) return UNSURE;
    const quote = line.plainEnd(at + 1);
    if (quote - at > MAX_KEY_BYTES || line.bytes[quote] !== QUOTE || line.bytes[quote + 1] !== COLON) return UNSURE;
    return line.bytes.subarray(at, quote).includes(0x7f) ? UNSURE : quote + 2;
  }

  #value(at: number, field: Field | undefined): number {
    if (field === undefined) return this.#unneeded(at);
    // Which of two counts is a matter of the dialect and the place.
    if (this.#met.has(field.slot)) return UNSURE;
    this.#met.add(field.slot);
    this.#dialects &= field.dialects;
    const { bytes } = this.#line;
    // `null` stands for a value that is not there.
    if (bytes[at] === NULL) return this.#line.skipValue(at);
    const { kind, slot } = field;
    const isQuoted = bytes[at] === QUOTE;
    switch (kind) {
      case 'task':
      case 'uint32':
      case 'integer':
        return isQuoted ? UNSURE : this.#add(kind, slot, at);
      case 'text':
        return isQuoted ? this.#add('text', slot, at) : UNSURE;
      case 'time':
        return this.#add(isQuoted ? 'quotedTime' : 'time', slot, at);
      case 'uint64':
        return this.#add(isQuoted ? 'quotedUint64' : 'uint64', slot, at);
      case 'mode':
        // Tracee can be told to write it out, as in "-rwxr-xr-x".
        return isQuoted ? this.#add('string', SLOT.none, at) : this.#add('uint32', slot, at);
      case 'boolean':
        return this.#boolean(at);
      case 'list':
        return bytes[at] === OPEN_BRACKET ? this.#add('list', slot, at) : UNSURE;
      case 'eventName':
        return isQuoted ? this.#eventName(at, slot) : UNSURE;
      case 'ancestors':
        return this.#ancestors(at, field.fields);
      case 'legacyArgs':
        return this.#arguments(at, LEGACY_ARGUMENT);
      case 'v1beta1Args':
        return this.#arguments(at, V1BETA1_ARGUMENT);
      default:
        return field.fields === undefined ? UNSURE : this.#object(at, field.fields);
    }
  }

  #add(kind: StepKind, slot: number, from: number): number {
    const end = this.#line.skipValue(from);
    if (end === UNSURE) return UNSURE;
    const quote = this.#line.bytes[from] === QUOTE ? 1 : 0;
    this.values.push({ kind, slot, from: from + quote, end: end - quote });
    this.#slots[slot] = 1;
    return end;
  }

  #unneeded(at: number): number {
    const { bytes } = this.#line;
    switch (bytes[at]) {
      case QUOTE:
        return this.#add('string', SLOT.none, at);
      case OPEN_BRACE:
        return this.#unneededObject(at);
      case OPEN_BRACKET:
        return this.#add('any', SLOT.none, at);
      case 0x74:
      case 0x66:
      case NULL:
        return this.#line.skipValue(at);
      default:
        return this.#add(/^-?\d+[,}\]]/.test(bytes.toString('latin1', at, at + 32)) ? 'number' : 'any', SLOT.none, at);
    }
  }

  /** The keys of an object of plain values are part of the shape. What goes deeper (labels, perhaps) differs too much. */
  #unneededObject(from: number): number {
    const before = this.values.length;
    const end = this.#flatObject(from);
    if (end !== UNSURE) return end;
    this.values.length = before;
    return this.#add('any', SLOT.none, from);
  }

  #flatObject(from: number): number {
    const { bytes } = this.#line;
    if (bytes[from + 1] === CLOSE_BRACE) return from + 2;
    for (let at = from + 1; ; at++) {
      const valueAt = this.#keyEnd(at);
      if (valueAt === UNSURE || bytes[valueAt] === OPEN_BRACE || bytes[valueAt] === OPEN_BRACKET) return UNSURE;
      at = this.#unneeded(valueAt);
      if (at === UNSURE) return UNSURE;
      if (bytes[at] !== COMMA) return bytes[at] === CLOSE_BRACE ? at + 1 : UNSURE;
    }
  }

  #boolean(at: number): number {
    const first = this.#line.bytes[at];
    if (first !== 0x74 && first !== 0x66) return UNSURE;
    this.#isGroupDead = first === 0x74;
    return this.#line.skipValue(at);
  }

  #eventName(at: number, slot: number): number {
    if (this.#met.has(SLOT.eventName) && this.#met.has(SLOT.name)) return UNSURE;
    const end = this.#add('eventName', slot, at);
    if (end === UNSURE) return UNSURE;
    this.#isOther = !this.#isNeeded(JSON.parse(this.#line.bytes.toString('utf8', at, end)) as string);
    return this.#isOther ? UNSURE : end;
  }

  /** The first is the parent. */
  #ancestors(from: number, fields: Fields | undefined): number {
    const { bytes } = this.#line;
    if (bytes[from] !== OPEN_BRACKET || fields === undefined) return UNSURE;
    if (bytes[from + 1] === CLOSE_BRACKET) return from + 2;
    const before = this.values.length;
    let at = this.#object(from + 1, fields);
    if (!this.values.slice(before).some(({ kind }) => kind === 'task')) return UNSURE;
    while (bytes[at] === COMMA) at = this.#add('any', SLOT.none, at + 1);
    return bytes[at] === CLOSE_BRACKET ? at + 1 : UNSURE;
  }

  /** `[{"name": …, "type": …, "value": …}, …]`, or `[{"name": …, "<type>": …}, …]` */
  #arguments(from: number, form: RegExp): number {
    const { bytes } = this.#line;
    if (bytes[from] !== OPEN_BRACKET) return UNSURE;
    if (bytes[from + 1] === CLOSE_BRACKET) return from + 2;
    for (let at = from + 1; ; at++) {
      const [key, name = '', type] = form.exec(bytes.toString('latin1', at, at + MAX_KEY_BYTES)) ?? [];
      if (key === undefined || type === 'name') return UNSURE;
      const field = ARGUMENTS.get(name);
      const isWrapped = type === 'str_array' && field?.kind === 'list' && bytes[at + key.length] === OPEN_BRACE;
      at = isWrapped ? this.#wrappedList(at + key.length, field) : this.#value(at + key.length, field);
      if (at === UNSURE || bytes[at] !== CLOSE_BRACE) return UNSURE;
      at++;
      if (bytes[at] !== COMMA) return bytes[at] === CLOSE_BRACKET ? at + 1 : UNSURE;
    }
  }

  /** `{"value": […]}`. An empty one is `{}`, which is rare. */
  #wrappedList(at: number, field: Field): number {
    const { bytes } = this.#line;
    const key = '{"value":';
    if (!bytes.toString('latin1', at, at + key.length + 1).startsWith(`${key}[`)) return UNSURE;
    const end = this.#value(at + key.length, field);
    return end !== UNSURE && bytes[end] === CLOSE_BRACE ? end + 1 : UNSURE;
  }
}
