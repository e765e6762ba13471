// Where the playhead has just come from: for a moment the rows that began and
// ended on the way are marked. Nothing else sets it: not a filter, not a fold.

import type { EventNs } from '@dendro/protocol';
import { create } from 'zustand';
import type { Past } from '../replica/past.ts';
import { useView } from './view-store.ts';

/** Undefined while it stands still. */
export const useMovedFrom = create<{ readonly from: EventNs | undefined }>()(() => ({ from: undefined }));

/** Somebody who drags sees what has happened over as long as this. */
const MOMENT_MS = 1500;

/** @param clock milliseconds that only rise @returns ends it */
export function keepMovedFrom(past: Pick<Past, 'isLoading'>, clock = () => performance.now()): () => void {
  /** Where the playhead was, and when it left; oldest first. */
  const way: { readonly at: EventNs; readonly until: number }[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const settle = (): void => {
    const now = clock();
    while (way.length > 0 && (way[0]?.until ?? 0) + MOMENT_MS <= now && !past.isLoading) way.shift();
    const from = way[0]?.at;
    if (from !== useMovedFrom.getState().from) useMovedFrom.setState({ from });
    clearTimeout(timer);
    if (way.length > 0) timer = setTimeout(settle, Math.max(50, (way[0]?.until ?? 0) + MOMENT_MS - now));
  };
  const unsubscribe = useView.subscribe(({ pausedAt, host }, before) => {
    if (pausedAt === before.pausedAt && host === before.host) return;
    if (pausedAt === undefined || before.pausedAt === undefined || host !== before.host) way.length = 0;
    else way.push({ at: before.pausedAt, until: clock() });
    settle();
  });
  return () => {
    unsubscribe();
    clearTimeout(timer);
  };
}
