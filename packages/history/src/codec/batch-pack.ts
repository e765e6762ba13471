// A batch in some fifth of its bytes, and back: byte for byte. Columns become differences
// from the row before, entity ids vanish where they follow from tid and start, as
// they always do in batches of a tree. What cannot be packed so is kept as it is.

import { EntityIds } from '@dendro/engine';
import type { EventNs, TimeBase } from '@dendro/protocol';
import { type ByteReader, type ByteWriter, damaged, isDelta } from './bytes.ts';

const MAGIC = 0x32424e44; // "DNB2", packages/protocol/src/batch-codec.ts
const HEADER_BYTES = 32;
const PLAIN = 0;
const PACKED = 1;
const FIELD_IDS = 256;

interface Shape {
  readonly strings: number;
  readonly textBytes: number;
  readonly tasks: number;
  readonly sets: number;
  readonly exits: number;
  readonly gaps: number;
  readonly evictions: number;
}

/** Where the columns of a batch are. */
interface Layout {
  readonly f64: Float64Array;
  readonly i32: Int32Array;
  readonly lengths: Uint32Array;
  readonly u8: Uint8Array;
  readonly text: Uint8Array;
}

export class BatchPacker {
  readonly #entityIds: EntityIds;

  constructor(base: TimeBase) {
    this.#entityIds = new EntityIds(base);
  }

  pack(batch: Uint8Array, out: ByteWriter): void {
    const bytes = batch.byteOffset % 8 === 0 ? batch : new Uint8Array(batch);
    const shape = shapeOf(bytes);
    if (shape === undefined || !hasPlainNumbers(layoutOf(bytes, shape), shape)) {
      out.u8(PLAIN);
      out.block(bytes);
      return;
    }
    out.u8(PACKED);
    for (const count of countsOf(shape)) out.uint(count);
    const layout = layoutOf(bytes, shape);
    this.#packTasks(layout, shape, out);
    packSets(layout, shape, out);
    packExits(layout, shape, out);
    const { tasks, sets, exits, gaps, evictions } = shape;
    const gapAt = 4 * tasks + 3 * sets + 2 * exits;
    for (let column = 0; column < 3; column++) packColumn(layout.f64, gapAt + column * gaps, gaps, out);
    packColumn(layout.f64, gapAt + 3 * gaps, evictions, out);
    for (const length of layout.lengths) out.uint(length);
    out.raw(layout.text);
  }

  /** @throws DendroError DENDRO_HISTORY_DAMAGED */
  unpack(from: ByteReader): Uint8Array<ArrayBuffer> {
    const kind = from.u8();
    if (kind === PLAIN) return new Uint8Array(from.block());
    if (kind !== PACKED) throw damaged();
    const [strings = 0, textBytes = 0, tasks = 0, sets = 0, exits = 0, gaps = 0, evictions = 0] = Array.from(
      { length: 7 },
      () => from.uint(),
    );
    const shape: Shape = { strings, textBytes, tasks, sets, exits, gaps, evictions };
    const size = sizeOf(shape);
    // A row takes a byte at least: what says that it is much longer than it came is no batch.
    if (size > 256 * 1024 * 1024) throw damaged();
    const bytes = new Uint8Array(size);
    new Uint32Array(bytes.buffer, 0, HEADER_BYTES / 4).set([MAGIC, ...countsOf(shape)]);
    const layout = layoutOf(bytes, shape);
    this.#unpackTasks(layout, shape, from);
    unpackSets(layout, shape, from);
    unpackExits(layout, shape, from);
    const gapAt = 4 * tasks + 3 * sets + 2 * exits;
    for (let column = 0; column < 3; column++) unpackColumn(layout.f64, gapAt + column * gaps, gaps, from);
    unpackColumn(layout.f64, gapAt + 3 * gaps, evictions, from);
    for (let i = 0; i < strings; i++) layout.lengths[i] = from.uint();
    layout.text.set(from.raw(textBytes));
    return bytes;
  }

  #packTasks({ f64, i32, u8 }: Layout, { tasks }: Shape, out: ByteWriter): void {
    packColumn(f64, 0, tasks, out);
    for (let i = 0; i < tasks; i++) out.delta(f64[tasks + i] as number, f64[i] as number);
    for (let i = 0; i < tasks; i++) out.delta(f64[2 * tasks + i] as number, f64[i] as number);
    packColumn(f64, 3 * tasks, tasks, out);
    let before = 0;
    for (let i = 0; i < tasks; i++) before = out.delta(i32[i] as number, before);
    for (let i = 0; i < tasks; i++) out.int((i32[tasks + i] as number) - (i32[i] as number));
    for (let i = 0; i < tasks; i++) {
      const entity = i32[2 * tasks + i] as number;
      const follows = this.#entityOf(i32[i] as number, f64[3 * tasks + i] as number) === entity;
      out.uint(follows ? 0 : 1);
      if (!follows) out.int(entity);
    }
    out.raw(u8.subarray(0, 2 * tasks));
  }

  #unpackTasks({ f64, i32, u8 }: Layout, { tasks }: Shape, from: ByteReader): void {
    unpackColumn(f64, 0, tasks, from);
    for (let i = 0; i < tasks; i++) f64[tasks + i] = from.delta(f64[i] as number);
    for (let i = 0; i < tasks; i++) f64[2 * tasks + i] = from.delta(f64[i] as number);
    unpackColumn(f64, 3 * tasks, tasks, from);
    let before = 0;
    for (let i = 0; i < tasks; i++) {
      before = from.delta(before);
      i32[i] = before;
    }
    for (let i = 0; i < tasks; i++) i32[tasks + i] = (i32[i] as number) + from.int();
    for (let i = 0; i < tasks; i++) {
      const follows = from.uint() === 0;
      i32[2 * tasks + i] = follows ? this.#entityOf(i32[i] as number, f64[3 * tasks + i] as number) : from.int();
    }
    u8.set(from.raw(2 * tasks));
  }

  #entityOf(tid: number, start: number): number {
    return this.#entityIds.of(tid, start as EventNs) | 0;
  }
}

// The value of a field mostly is near the last one of that field.

function packSets({ f64, u8 }: Layout, { tasks, sets }: Shape, out: ByteWriter): void {
  const at = 4 * tasks;
  const fields = u8.subarray(2 * tasks, 2 * tasks + 2 * sets);
  out.raw(fields);
  packColumn(f64, at, sets, out);
  packColumn(f64, at + sets, sets, out);
  const last = new Float64Array(FIELD_IDS);
  for (let i = 0; i < sets; i++) {
    const field = fields[i] as number;
    last[field] = out.delta(f64[at + 2 * sets + i] as number, last[field] as number);
  }
}

function unpackSets({ f64, u8 }: Layout, { tasks, sets }: Shape, from: ByteReader): void {
  const at = 4 * tasks;
  const fields = u8.subarray(2 * tasks, 2 * tasks + 2 * sets);
  fields.set(from.raw(2 * sets));
  unpackColumn(f64, at, sets, from);
  unpackColumn(f64, at + sets, sets, from);
  const last = new Float64Array(FIELD_IDS);
  for (let i = 0; i < sets; i++) {
    const field = fields[i] as number;
    const value = from.delta(last[field] as number);
    f64[at + 2 * sets + i] = value;
    if (isDelta(value)) last[field] = value;
  }
}

function packExits({ f64, i32, u8 }: Layout, { tasks, sets, exits }: Shape, out: ByteWriter): void {
  const at = 4 * tasks + 3 * sets;
  packColumn(f64, at, exits, out);
  packColumn(f64, at + exits, exits, out);
  for (let i = 0; i < 2 * exits; i++) out.int(i32[3 * tasks + i] as number);
  out.raw(u8.subarray(2 * tasks + 2 * sets));
}

function unpackExits({ f64, i32, u8 }: Layout, { tasks, sets, exits }: Shape, from: ByteReader): void {
  const at = 4 * tasks + 3 * sets;
  unpackColumn(f64, at, exits, from);
  unpackColumn(f64, at + exits, exits, from);
  for (let i = 0; i < 2 * exits; i++) i32[3 * tasks + i] = from.int();
  u8.subarray(2 * tasks + 2 * sets).set(from.raw(exits));
}

function packColumn(f64: Float64Array, at: number, count: number, out: ByteWriter): void {
  let before = 0;
  for (let i = at; i < at + count; i++) before = out.delta(f64[i] as number, before);
}

function unpackColumn(f64: Float64Array, at: number, count: number, from: ByteReader): void {
  let before = 0;
  for (let i = at; i < at + count; i++) {
    const value = from.delta(before);
    f64[i] = value;
    if (isDelta(value)) before = value;
  }
}

/** Undefined when this is no batch as this file knows it. */
function shapeOf(bytes: Uint8Array): Shape | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const header = new Uint32Array(bytes.buffer, bytes.byteOffset, HEADER_BYTES / 4);
  const [magic, strings = 0, textBytes = 0, tasks = 0, sets = 0, exits = 0, gaps = 0, evictions = 0] = header;
  const shape = { strings, textBytes, tasks, sets, exits, gaps, evictions };
  return magic === MAGIC && sizeOf(shape) === bytes.length ? shape : undefined;
}

/** Ids are references for others, and a NaN has more forms than one: neither may be lost on the way. */
function hasPlainNumbers({ f64 }: Layout, { tasks }: Shape): boolean {
  for (let i = 0; i < tasks; i++) if (!isDelta(f64[i] as number)) return false;
  const words = new Uint32Array(f64.buffer, f64.byteOffset, 2 * f64.length);
  for (let i = 0; i < f64.length; i++) {
    if (Number.isNaN(f64[i]) && (words[2 * i] !== 0 || words[2 * i + 1] !== 0x7ff8_0000)) return false;
  }
  return true;
}

function countsOf({ strings, textBytes, tasks, sets, exits, gaps, evictions }: Shape): number[] {
  return [strings, textBytes, tasks, sets, exits, gaps, evictions];
}

function sizeOf({ strings, textBytes, tasks, sets, exits, gaps, evictions }: Shape): number {
  const f64 = 4 * tasks + 3 * sets + 2 * exits + 3 * gaps + evictions;
  const i32 = 3 * tasks + 2 * exits + strings;
  return HEADER_BYTES + 8 * f64 + 4 * i32 + 2 * tasks + 2 * sets + exits + textBytes;
}

function layoutOf(bytes: Uint8Array, { strings, tasks, sets, exits, gaps, evictions }: Shape): Layout {
  const { buffer } = bytes;
  let at = bytes.byteOffset + HEADER_BYTES;
  const nF64 = 4 * tasks + 3 * sets + 2 * exits + 3 * gaps + evictions;
  const nI32 = 3 * tasks + 2 * exits;
  const nU8 = 2 * tasks + 2 * sets + exits;
  const f64 = new Float64Array(buffer, at, nF64);
  at += 8 * nF64;
  const i32 = new Int32Array(buffer, at, nI32);
  at += 4 * nI32;
  const lengths = new Uint32Array(buffer, at, strings);
  at += 4 * strings;
  const u8 = new Uint8Array(buffer, at, nU8);
  at += nU8;
  return { f64, i32, lengths, u8, text: new Uint8Array(buffer, at, bytes.byteOffset + bytes.length - at) };
}
