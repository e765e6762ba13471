// What the single writer of a tree keeps of each task besides what readers need,
// one row per slot: where it stands among the lives of its tid (lives-table.ts) and
// in order of touch (residents.ts). In one place, because an event needs both.

/** Columns of a row: the double first, then integers. */
export const WRITER_ROW = {
  /** EventNs of the newest event of the task. */
  touchedAt: 0,
  /** TaskIndex of the next older life of the same tid | NO_TASK */
  older: 2,
  /** Of the newest life of a tid: TaskIndex of the newest life of another tid in the bucket | NO_TASK */
  sameBucket: 3,
  /** TaskIndex of the next one in order of touch, towards the oldest | NO_TASK */
  touchedBefore: 4,
  /** The other way. */
  touchedAfter: 5,
  /** In which list; 0 in none, as in a new row. */
  list: 6,
  integers: 8,
  doubles: 4,
} as const;
