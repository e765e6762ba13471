// The row of a task: everything that the tables keep of it, in 128 bytes. Two cache
// lines: what an event looks at first stands in the front one, what changes with
// births and evictions in the back one.

/** Columns: doubles by 8 bytes, integers by 4. */
export const TASK_ROW = {
  // The front, doubles.
  /** EventNs */
  start: 0,
  /** EventNs, Infinity while not ended */
  exit: 1,
  /** EventNs of the end that told exit code and signal */
  statusAt: 2,
  /** EventNs of the newest event of the task; the writer's (residents.ts) */
  touchedAt: 3,
  // The front, integers.
  tid: 8,
  /** Flags, state and authorities: task-table.ts; and, at `listAt`, in which list of residents.ts it stands. */
  bits: 9,
  /** TaskIndex | NO_TASK */
  leader: 10,
  /** Exit code in the high half, signal in the low one */
  status: 11,
  /** TaskIndex of the next older life of the same tid | NO_TASK; the writer's (lives-table.ts) */
  olderLife: 12,
  /** Of the newest life of a tid: TaskIndex of the newest life of another tid in the bucket | NO_TASK */
  sameTidBucket: 13,
  /** In its place, of an older life: TaskIndex of the next newer one. */
  newerLife: 13,
  /** TaskIndex of the next one in order of touch, towards the oldest | NO_TASK (residents.ts) */
  touchedBefore: 14,
  /** The other way. */
  touchedAfter: 15,
  // The back: a double, then integers.
  /** TaskId */
  id: 8,
  pid: 18,
  /** EntityId, as a signed integer */
  entity: 19,
  /** TaskIndex | NO_TASK */
  creator: 20,
  /** leader -> one of its threads | NO_TASK */
  firstThread: 21,
  /** thread -> next thread of the same leader | NO_TASK; then the previous one */
  nextThread: 22,
  /** task -> one that it created | NO_TASK */
  firstCreated: 24,
  /** task -> next one of the same creator | NO_TASK; then the previous one */
  nextCreated: 25,
  /** newest entry in ChangelogTable | -1 */
  entries: 27,
  /** bits of the fields that have entries there */
  fields: 28,
  /** newest link in ParentageTable that names it as child | -1 */
  parents: 29,
  /** some link there that names it as parent | -1 */
  children: 30,
  /** next task whose id falls into the same bucket | NO_TASK */
  sameIdBucket: 31,
  integers: 32,
  doubles: 16,
  /** Three bits of `bits`. */
  listAt: 19,
} as const;
