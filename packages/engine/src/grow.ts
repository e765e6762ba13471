// Columns grow by a sixteenth: what is kept in them is bounded, and memory that
// stands empty costs as much as memory that is used.

const FIRST_CAPACITY = 1024;

/** @returns capacity, in rows, that holds `rows` */
export function roomFor(rows: number): number {
  return Math.max(FIRST_CAPACITY, rows + (rows >> 4));
}

/** A copy with room for `length` elements, the new ones filled with the column's "nothing". */
export function grown<A extends Float64Array | Int32Array | Uint32Array | Uint8Array>(
  column: A,
  length: number,
  fill: number,
): A {
  const bigger = new (column.constructor as new (length: number) => A)(length);
  bigger.set(column);
  if (fill !== 0) bigger.fill(fill, column.length);
  return bigger;
}
