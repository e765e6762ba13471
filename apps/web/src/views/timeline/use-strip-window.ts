import type { EventNs } from '@dendro/protocol';
import { useMemo } from 'react';
import { useApp } from '../../app-context.ts';
import type { TimeWindow } from '../../layout/time-window.ts';
import { useView } from '../../state/view-store.ts';
import { knownFrom, shownWindow } from './strip-window.ts';

export interface StripWindow {
  readonly window: TimeWindow;
  readonly known: EventNs;
}

/** What the strip shows at this moment. */
export function useStripWindow(): StripWindow {
  const { replica } = useApp();
  const { tree, facts, host } = replica;
  const isLive = host?.isLive ?? true;
  const pausedAt = useView((state) => state.pausedAt);
  const chosen = useView((state) => state.timeWindow);
  const known = useMemo(() => {
    void facts;
    return knownFrom(tree, host);
  }, [tree, facts, host]);
  return { known, window: shownWindow({ chosen, now: replica.now(), knownFrom: known, isLive, pausedAt }) };
}
