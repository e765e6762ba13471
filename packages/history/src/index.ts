export { HistoryClient, type HistoryClientOptions } from './client.ts';
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
export type { FactsAnswer, Question, QuestionAnswers } from './questions.ts';
export { SqliteHistory, type SqliteHistoryOptions } from './sqlite/store.ts';
