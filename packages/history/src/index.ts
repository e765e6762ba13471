export { HistoryClient, type HistoryClientOptions, type ReadStretch } from './client.ts';
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
  RecordedPart,
  RecordedStretch,
  Resumption,
  TreeAsOf,
  TreeWindow,
} from './history.ts';
export type { Ancestor, FactsAnswer, KnownLife, Question, QuestionAnswers, WindowAnswer } from './questions.ts';
export { SqliteHistory, type SqliteHistoryOptions } from './sqlite/store.ts';
