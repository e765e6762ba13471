// From one birth, exec or end to the next, of those processes that can be seen.

import { orderTree, type TaskIndex } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { changeBeside } from '../../layout/histogram.ts';
import { positionOf } from '../../layout/scope.ts';
import { movedTo } from '../../layout/time-window.ts';
import { Columns } from '../../query/columns.ts';
import { matchQuery } from '../../query/match-query.ts';
import type { Replica } from '../../replica/replica.ts';
import { isFiltered, useView, view } from '../../state/view-store.ts';

/** At the instant of a birth the process is there; at that of an end it still is, so the step goes just past it. */
const PAST_NS = 1;

/** @param step 1 to the next one, -1 to the one before */
export function stepToChange(replica: Replica, step: 1 | -1): void {
  const { pausedAt, timeWindow } = useView.getState();
  const now = replica.now();
  const at = pausedAt ?? now;
  const from = (step < 0 ? at - PAST_NS : at) as EventNs;
  const change = changeBeside(replica.tree, from, step, shownEver(replica));
  if (change === undefined || change > now) {
    if (step > 0) view.goLive();
    return;
  }
  const next = (change + PAST_NS) as EventNs;
  view.pause(next);
  if (timeWindow !== undefined) view.showTime(movedTo(timeWindow, next));
}

/**
 * Which processes the filter and the scope let through. They are asked as of the end: most that a step can lead to have
 * not begun, or have ended, at the instant that is shown.
 */
function shownEver(replica: Replica): (task: TaskIndex) => boolean {
  const { tree, host } = replica;
  const state = useView.getState();
  const isOfKind = (task: TaskIndex) => state.showKernelThreads || !tree.isKernelThread(task);
  if (state.scope === undefined && !isFiltered(state)) return isOfKind;
  const order = orderTree(tree, {
    at: replica.now(),
    keepExitedNs: Number.POSITIVE_INFINITY,
    threads: () => false,
    kernelThreads: state.showKernelThreads,
  });
  const users = host?.users ?? {};
  const base = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
  const found =
    state.asked && isFiltered(state)
      ? matchQuery(state.asked.query, { columns: new Columns(tree, order), base, users })
      : undefined;
  const top = state.scope === undefined ? -1 : positionOf(order, tree.indexOf(state.scope));
  const end = top < 0 ? order.length : (order.subtreeEnds[top] as number);
  const shown = new Set<TaskIndex>();
  for (let position = Math.max(0, top); position < end; position++) {
    if (found === undefined || found[position] === 1) shown.add(order.tasks[position] as TaskIndex);
  }
  return (task) => shown.has(task);
}
