// Comparing bytes eight at a time, as doubles. Of printable ASCII no eight bytes
// are the bits of NaN or of a zero, so two of them are equal as numbers when
// they are equal as bytes, whatever the other side is. The last word overlaps
// the one before, so no byte beyond the text is read.

export const WORD_BYTES = 8;

/** Words of a text of 8 bytes or more. */
export function wordCount(length: number): number {
  return (length + 7) >> 3;
}

/** Are the `length` bytes at `at` those that were kept in `words` from `from` on? The caller sees to the bounds. */
// hot: runs a hundred times per line
export function isSame(view: DataView, at: number, length: number, words: Float64Array, from: number): boolean {
  const last = at + length - 8;
  let word = from;
  for (let i = at; i < last; i += 8) if (view.getFloat64(i, true) !== words[word++]) return false;
  return view.getFloat64(last, true) === words[word];
}

export function keep(view: DataView, at: number, length: number, words: Float64Array, from: number): void {
  const last = at + length - 8;
  let word = from;
  for (let i = at; i < last; i += 8) words[word++] = view.getFloat64(i, true);
  words[word] = view.getFloat64(last, true);
}
