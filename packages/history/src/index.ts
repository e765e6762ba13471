export type {
  ClockReading,
  FoundLife,
  FoundLives,
  GapReason,
  Histogram,
  History,
  HistoryGap,
  HistoryOptions,
  HistoryState,
  HostStart,
  LifeQuery,
  Resumption,
  TreeAsOf,
} from './history.ts';
export { SqliteHistory, type SqliteHistoryOptions } from './sqlite/store.ts';
