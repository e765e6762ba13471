// The kernel's own description of what it writes.
//
// Ids, offsets and even the kinds of fields differ between kernels: a name that
// is a fixed array on one is `__data_loc` on the next. So nothing of this is
// ever written down in code; it is read from the `format` file of each event
// and from `header_page`, live or beside a recording.

/** How a field's bytes are to be read. */
export type FieldKind =
  /** An integer of 1, 2, 4 or 8 bytes. */
  | 'int'
  /** Characters in place, up to a NUL. */
  | 'chars'
  /** A u32: offset from the start of the record (low half) and length (high half) of the text. */
  | 'data-loc'
  /** The same, with the offset counted from the end of the field itself. */
  | 'rel-data-loc';

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** Bytes from the start of the record. */
  readonly offset: number;
  readonly sizeBytes: number;
  readonly isSigned: boolean;
}

export interface EventFormat {
  readonly name: string;
  readonly id: number;
  readonly fields: ReadonlyMap<string, Field>;
}

/** Layout of a ring buffer page. */
export interface PageLayout {
  readonly timestampOffset: number;
  readonly commitOffset: number;
  readonly dataOffset: number;
  /** Of the whole page: what one read returns. */
  readonly sizeBytes: number;
}

const MAX_ID = 0xffff;
/** A record's length and a `__data_loc` offset are 16 bits or less. */
const MAX_OFFSET = 0xffff;
const MAX_PAGE_BYTES = 1 << 20;
const FIELD = /^\s*field:\s*([^;]+);\s*offset:(\d{1,9});\s*size:(\d{1,9});(?:\s*signed:([01]);)?/;
const DECLARATION = /^(.*?)\s*(?<!\w)(\w+)\s*(\[[^\]]*\])?$/;

/** @throws Error with a clause that says why, when the text is not a format file */
export function parseEventFormat(text: string): EventFormat {
  const name = /^name:[ \t]*(\S+)/m.exec(text)?.[1];
  const id = Number(/^ID:[ \t]*(\d{1,9})[ \t]*$/m.exec(text)?.[1] ?? Number.NaN);
  if (name === undefined || !(id <= MAX_ID)) throw new Error('a format file has no name or no valid ID');
  const fields = parseFields(text);
  for (const field of fields.values()) {
    if (field.offset + field.sizeBytes > MAX_OFFSET) {
      throw new Error(`the format of ${name} puts ${field.name} outside any record`);
    }
  }
  return { name, id, fields };
}

/** @throws Error with a clause that says why, when the text is not a usable `header_page` */
export function parsePageLayout(text: string): PageLayout {
  const fields = parseFields(text);
  const timestamp = fields.get('timestamp');
  const commit = fields.get('commit');
  const data = fields.get('data');
  if (timestamp === undefined || commit === undefined || data === undefined) {
    throw new Error('the header_page file does not name timestamp, commit and data');
  }
  const sizeBytes = data.offset + data.sizeBytes;
  const headerBytes = Math.max(timestamp.offset + timestamp.sizeBytes, commit.offset + commit.sizeBytes);
  if (timestamp.sizeBytes !== 8 || commit.sizeBytes < 4 || data.offset < headerBytes || sizeBytes > MAX_PAGE_BYTES) {
    throw new Error('the header_page file describes a page that cannot be');
  }
  return { timestampOffset: timestamp.offset, commitOffset: commit.offset, dataOffset: data.offset, sizeBytes };
}

/**
 * Checks that records have the header that page.ts reads. The numbers have been the same in every kernel so far.
 * @throws Error with a clause that says why, when they are not
 */
export function checkRecordHeader(text: string): void {
  const expected: readonly [RegExp, string][] = [
    [/type_len\s*:\s*(\d+) bits/, '5'],
    [/time_delta\s*:\s*(\d+) bits/, '27'],
    [/padding\s*:\s*type == (\d+)/, '29'],
    [/time_extend\s*:\s*type == (\d+)/, '30'],
    [/data max type_len\s*== (\d+)/, '28'],
  ];
  const timeStamp = /time_stamp\s*:\s*type == (\d+)/.exec(text)?.[1] ?? '31'; // old kernels have none
  if (timeStamp !== '31' || !expected.every(([line, number]) => line.exec(text)?.[1] === number)) {
    throw new Error('this kernel writes trace records with a header that dendro does not know');
  }
}

/** @throws Error with a clause that says why, when the event has no such field of such a kind */
export function requireField(format: EventFormat, name: string, kind: 'int' | 'text'): Field {
  const field = optionalField(format, name, kind);
  if (field === undefined) throw new Error(`the event ${format.name} of this kernel has no field ${name}`);
  return field;
}

/** The field when the event has it and it is of this kind. */
export function optionalField(format: EventFormat, name: string, kind: 'int' | 'text'): Field | undefined {
  const field = format.fields.get(name);
  return field !== undefined && (field.kind === 'int') === (kind === 'int') ? field : undefined;
}

/** Lines that are not plain fields (function pointers, say) are passed over: an event that needs one says so later. */
function parseFields(text: string): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const line of text.split('\n')) {
    const [, declaration, offset, size, signed] = FIELD.exec(line) ?? [];
    const [, type, name, array] = DECLARATION.exec(declaration?.trim() ?? '') ?? [];
    if (type === undefined || name === undefined) continue;
    const kind = kindOf(type, array !== undefined, Number(size));
    if (kind === undefined) continue;
    fields.set(name, { name, kind, offset: Number(offset), sizeBytes: Number(size), isSigned: signed === '1' });
  }
  return fields;
}

function kindOf(type: string, isArray: boolean, sizeBytes: number): FieldKind | undefined {
  if (/^__data_loc\b/.test(type)) return sizeBytes === 4 ? 'data-loc' : undefined;
  if (/^__rel_loc\b/.test(type)) return sizeBytes === 4 ? 'rel-data-loc' : undefined;
  if (isArray || (type === 'char' && sizeBytes > 8)) return 'chars';
  return sizeBytes === 1 || sizeBytes === 2 || sizeBytes === 4 || sizeBytes === 8 ? 'int' : undefined;
}
