// Columns grow by doubling; a new part is filled with the column's "nothing".

export function grown<A extends Float64Array | Int32Array | Uint32Array | Int16Array | Uint8Array>(
  column: A,
  capacity: number,
  fill: number,
): A {
  const bigger = new (column.constructor as new (length: number) => A)(capacity);
  bigger.set(column);
  bigger.fill(fill, column.length);
  return bigger;
}
