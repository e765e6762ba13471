// Answers of the data source as the API writes them. Times are epoch nanoseconds
// in decimal, what is not known is null: JSON would leave undefined out.

import { type EventNs, epochOf, type TimeBase } from '@dendro/protocol';
import type { ThreadInfo, TimeRelevant } from './data-source.ts';
import type { ProcessInfo } from './process-info.ts';

export function processJson(base: TimeBase, { timestamp, info }: TimeRelevant<ProcessInfo>): object {
  const { startTime, execTime, exitTime, parentSince, isPlaceholder, ...rest } = info;
  return {
    timestamp: String(epochOf(base, timestamp)),
    info: {
      ...withNulls(rest),
      parentSince: epochOrNull(base, parentSince),
      startTime: String(epochOf(base, startTime)),
      execTime: epochOrNull(base, execTime),
      exitTime: epochOrNull(base, exitTime),
      threadIds: info.threadIds,
      childProcessIds: info.childProcessIds,
      placeholder: isPlaceholder,
    },
  };
}

export function threadJson(base: TimeBase, { timestamp, info }: TimeRelevant<ThreadInfo>): object {
  const { startTime, exitTime, isPlaceholder, ...rest } = info;
  return {
    timestamp: String(epochOf(base, timestamp)),
    info: {
      ...withNulls(rest),
      startTime: String(epochOf(base, startTime)),
      exitTime: epochOrNull(base, exitTime),
      placeholder: isPlaceholder,
    },
  };
}

function epochOrNull(base: TimeBase, time: EventNs | undefined): string | null {
  return time === undefined ? null : String(epochOf(base, time));
}

function withNulls(info: object): object {
  return Object.fromEntries(Object.entries(info).map(([key, value]) => [key, value ?? null]));
}
