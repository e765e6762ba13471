// From one birth, exec or end to the next, of those processes that can be seen.

import type { EventNs } from '@dendro/protocol';
import { matcher } from '../../layout/filter.ts';
import { changeBeside } from '../../layout/histogram.ts';
import { movedTo } from '../../layout/time-window.ts';
import type { Replica } from '../../replica/replica.ts';
import { useView, view } from '../../state/view-store.ts';

/** At the instant of a birth the process is there; at that of an end it still is, so the step goes just past it. */
const PAST_NS = 1;

/** @param step 1 to the next one, -1 to the one before */
export function stepToChange(replica: Replica, step: 1 | -1): void {
  const { pausedAt, filter, showKernelThreads, timeWindow } = useView.getState();
  const { tree, host } = replica;
  const now = replica.now();
  const at = pausedAt ?? now;
  const matches = matcher(filter, tree, at, host?.users ?? {});
  const isShown = (task: Parameters<typeof tree.startOf>[0]) =>
    (showKernelThreads || !tree.isKernelThread(task)) && (matches === undefined || matches(task));
  const from = (step < 0 ? at - PAST_NS : at) as EventNs;
  const change = changeBeside(tree, from, step, isShown);
  if (change === undefined || change > now) {
    if (step > 0) view.goLive();
    return;
  }
  const next = (change + PAST_NS) as EventNs;
  view.pause(next);
  if (timeWindow !== undefined) view.showTime(movedTo(timeWindow, next));
}
