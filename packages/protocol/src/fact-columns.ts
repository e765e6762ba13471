// The columns of one kind of fact while a batch is being collected: each kind of
// number in one array, column after column.

const FIRST_CAPACITY = 256;

export class FactColumns {
  /** Row `r` of column `c` is at `c * capacity + r`, here and in the others. */
  doubles: Float64Array<ArrayBuffer>;
  integers: Int32Array<ArrayBuffer>;
  bytes: Uint8Array<ArrayBuffer>;
  capacity = FIRST_CAPACITY;
  count = 0;
  readonly #widths: { readonly doubles: number; readonly integers: number; readonly bytes: number };

  /** @param widths columns of each kind of number */
  constructor(widths: { readonly doubles: number; readonly integers: number; readonly bytes: number }) {
    this.#widths = widths;
    this.doubles = new Float64Array(widths.doubles * this.capacity);
    this.integers = new Int32Array(widths.integers * this.capacity);
    this.bytes = new Uint8Array(widths.bytes * this.capacity);
  }

  /** Bytes of all rows. */
  get byteLength(): number {
    const { doubles, integers, bytes } = this.#widths;
    return this.count * (8 * doubles + 4 * integers + bytes);
  }

  /** @returns the row that the caller fills next */
  next(): number {
    if (this.count === this.capacity) this.#grow();
    return this.count++;
  }

  clear(): void {
    this.count = 0;
  }

  /** Each writes its columns, packed, and returns the offset after them. */
  writeDoubles(to: ArrayBuffer, offset: number): number {
    const { count, capacity } = this;
    const out = new Float64Array(to, offset, count * this.#widths.doubles);
    for (let column = 0; column < this.#widths.doubles; column++) {
      out.set(this.doubles.subarray(column * capacity, column * capacity + count), column * count);
    }
    return offset + out.byteLength;
  }

  writeIntegers(to: ArrayBuffer, offset: number): number {
    const { count, capacity } = this;
    const out = new Int32Array(to, offset, count * this.#widths.integers);
    for (let column = 0; column < this.#widths.integers; column++) {
      out.set(this.integers.subarray(column * capacity, column * capacity + count), column * count);
    }
    return offset + out.byteLength;
  }

  writeBytes(to: ArrayBuffer, offset: number): number {
    const { count, capacity } = this;
    const out = new Uint8Array(to, offset, count * this.#widths.bytes);
    for (let column = 0; column < this.#widths.bytes; column++) {
      out.set(this.bytes.subarray(column * capacity, column * capacity + count), column * count);
    }
    return offset + out.byteLength;
  }

  #grow(): void {
    const { doubles, integers, bytes, capacity } = this;
    const widths = this.#widths;
    this.capacity = 2 * capacity;
    this.doubles = new Float64Array(widths.doubles * this.capacity);
    this.integers = new Int32Array(widths.integers * this.capacity);
    this.bytes = new Uint8Array(widths.bytes * this.capacity);
    spread(doubles, this.doubles, capacity);
    spread(integers, this.integers, capacity);
    spread(bytes, this.bytes, capacity);
  }
}

/** Copies columns into columns of twice the length. */
function spread<A extends Float64Array | Int32Array | Uint8Array>(from: A, to: A, capacity: number): void {
  for (let at = 0; at < from.length; at += capacity) to.set(from.subarray(at, at + capacity), 2 * at);
}
