// Values of a record's fields, where the kernel's format says they are.

import { type EventFormat, type Field, requireField } from './format.ts';
import { CommCache, kernelText } from './kernel-text.ts';

const COMM_BYTES = 16;
const WORD = 2 ** 32;

/** Bytes that a record needs for these fields to be there. */
export function endOf(...fields: readonly (Field | undefined)[]): number {
  return Math.max(...fields.map((field) => (field === undefined ? 0 : field.offset + field.sizeBytes)));
}

/**
 * A field that must be at one place in all events: it is read before the event is known.
 * @throws Error with a clause that says why, when it is not
 */
export function commonField(name: string, formats: readonly EventFormat[]): Field {
  const fields = formats.map((format) => requireField(format, name, 'int'));
  const [first] = fields as [Field];
  if (fields.some(({ offset, sizeBytes }) => offset !== first.offset || sizeBytes !== first.sizeBytes)) {
    throw new Error(`the events of this kernel do not agree on where ${name} is`);
  }
  return first;
}

/** Eight bytes lose what is above 2^53; only clone flags have so many, and no such flag exists. */
export function readInt(page: DataView, start: number, field: Field): number {
  const at = start + field.offset;
  switch (field.sizeBytes) {
    case 1:
      return field.isSigned ? page.getInt8(at) : page.getUint8(at);
    case 2:
      return field.isSigned ? page.getInt16(at, true) : page.getUint16(at, true);
    case 4:
      return field.isSigned ? page.getInt32(at, true) : page.getUint32(at, true);
    default:
      return (
        page.getUint32(at, true) + WORD * (field.isSigned ? page.getInt32(at + 4, true) : page.getUint32(at + 4, true))
      );
  }
}

/** Bytes of a page, up to and with the NUL of a text. */
export interface TextPlace {
  readonly start: number;
  readonly end: number;
}

export class TextReader {
  readonly #comms = new CommCache();

  /** Undefined when a `__data_loc` points out of the record, which is `[start, end)` of the page. */
  text(page: DataView, bytes: Buffer, start: number, end: number, field: Field): string | undefined {
    const from = start + field.offset;
    if (field.kind === 'chars' && field.sizeBytes === COMM_BYTES) return this.#comms.text(page, bytes, from);
    const place = this.find(page, start, end, field);
    return place && kernelText(bytes, place.start, place.end);
  }

  /** The same text, unread. */
  find(page: DataView, start: number, end: number, field: Field): TextPlace | undefined {
    const from = start + field.offset;
    if (field.kind === 'chars') return { start: from, end: from + field.sizeBytes };
    const base = field.kind === 'data-loc' ? start : from + field.sizeBytes;
    const textStart = base + page.getUint16(from, true);
    const textEnd = textStart + page.getUint16(from + 2, true);
    return textEnd > end ? undefined : { start: textStart, end: textEnd };
  }
}
