// How long a life matters, in classes of four times the length. Blocks hold lives of one class: then
// a block that reaches over an instant is full of lives that do, and reading the instant
// reads little else.

const FIRST_NS = 1_000_000_000;
const STEP = 4;
/** The last one is of everything longer: eight days and more. */
export const DURATION_CLASSES = 11;

export function durationClass(from: number, to: number): number {
  let index = 0;
  for (let most = FIRST_NS; to - from > most && index < DURATION_CLASSES - 1; most *= STEP) index++;
  return index;
}
