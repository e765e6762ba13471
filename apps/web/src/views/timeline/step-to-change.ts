// From one birth, exec or end to the next, of those processes that can be seen.

import { orderTree, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs, HostInfo } from '@dendro/protocol';
import type { App } from '../../app-context.ts';
import { isOfChip } from '../../layout/chips.ts';
import { type ChangeKind, changeBeside } from '../../layout/histogram.ts';
import { positionOf } from '../../layout/scope.ts';
import { movedTo } from '../../layout/time-window.ts';
import { Columns } from '../../query/columns.ts';
import { matchQuery } from '../../query/match-query.ts';
import type { PastWindow } from '../../replica/past.ts';
import { useTree } from '../../state/tree-store.ts';
import { isFiltered, useView, view } from '../../state/view-store.ts';
import { knownFrom, shownWindow } from './strip-window.ts';

/** At the instant of a birth the process is there; at that of an end it still is, so the step goes just past it. */
const PAST_NS = 1;
/** Where only single instants of the past can be had. */
const SAMPLE_NS = 1e9;
/** Windows of the past that are gone through for one step. */
const MAX_WINDOWS = 5;

type StepApp = Pick<App, 'replica' | 'past'>;

/** @param step 1 to the next one, -1 to the one before */
export function stepToChange(app: StepApp, step: 1 | -1, windows = MAX_WINDOWS): void {
  const { replica, past } = app;
  const { pausedAt } = useView.getState();
  const now = replica.now();
  const at = pausedAt ?? now;
  const window = past.isFor(at) ? past.holds(at) : undefined;
  const tree = window?.tree ?? replica.tree;
  const from = (step < 0 ? at - PAST_NS : at) as EventNs;
  const change = changeBeside(tree, from, step, shownIn(tree, replica.host, at));
  const edge = edgeOf(app, window, step);
  if (edge !== undefined && (change === undefined || (change - edge) * step > 0)) {
    goOverEdge(app, edge, step, windows);
    return;
  }
  if (change === undefined || change > now) {
    if (step > 0) view.goLive();
    return;
  }
  goTo((change + PAST_NS) as EventNs);
}

function goTo(at: EventNs): void {
  const { timeWindow } = useView.getState();
  view.pause(at);
  if (timeWindow !== undefined) view.showTime(movedTo(timeWindow, at));
}

/** The instant from which on, in this direction, the tree that is shown does not know all; undefined when there is none. */
function edgeOf({ replica, past }: StepApp, window: PastWindow | undefined, step: 1 | -1): EventNs | undefined {
  if (window === undefined) {
    const { wholeFrom } = replica;
    return step < 0 && past.isFor((wholeFrom - PAST_NS) as EventNs) ? ((wholeFrom - PAST_NS) as EventNs) : undefined;
  }
  if (step > 0) return (window.to + (window.from === window.to ? SAMPLE_NS : PAST_NS)) as EventNs;
  const oldest = knownFrom(replica.tree, replica.host);
  const next = (window.from - (window.from === window.to ? SAMPLE_NS : PAST_NS)) as EventNs;
  return next > oldest ? next : undefined;
}

/** What comes after it has to be fetched; then the step goes on from there. */
function goOverEdge(app: StepApp, edge: EventNs, step: 1 | -1, windows: number): void {
  const { past } = app;
  goTo(edge);
  if (!past.isFor(edge) || windows === 0) return;
  const end = past.subscribe(() => {
    if (useView.getState().pausedAt !== edge) end();
    const window = past.holds(edge);
    if (window === undefined || past.isLoading) return;
    if (window.from === window.to && !past.isSampled) return; // more of it is on its way
    end();
    if (!past.isSampled && useView.getState().pausedAt === edge) stepToChange(app, step, windows - 1);
  });
}

type IsShown = (task: TaskIndex, kind: ChangeKind, time: EventNs) => boolean;

/**
 * Which processes filter, scope, chip and the rest let through. Filter and scope are asked as of the end: most that a step
 * can lead to have not begun, or have ended, at the instant that is shown. The chip is asked as of just after what happens;
 * of an end as of just before it too, as then a row goes.
 */
function shownIn(tree: TemporalTree, host: HostInfo | undefined, at: EventNs): IsShown {
  const state = useView.getState();
  const { chip, hidesOwn } = useTree.getState();
  const ownPids = hidesOwn ? (host?.ownPids ?? []) : [];
  const isLive = host?.isLive ?? true;
  const { from: newSince } = shownWindow({
    chosen: state.timeWindow,
    now: at,
    knownFrom: knownFrom(tree, host),
    isLive,
    pausedAt: state.pausedAt,
  });
  const found = state.scope === undefined && !isFiltered(state) ? undefined : foundIn(tree, host, at);
  return (task, kind, time) => {
    if (!state.showKernelThreads && tree.isKernelThread(task)) return false;
    if (found !== undefined && !found.has(task)) return false;
    if (ownPids.includes(tree.tidOf(task)) && tree.exitOf(task) === Number.POSITIVE_INFINITY) return false;
    const isOf = (instant: number) => isOfChip(chip, tree, task, instant as EventNs, newSince);
    return chip === 'all' || isOf(time + PAST_NS) || (kind === 'exit' && isOf(time - PAST_NS));
  };
}

function foundIn(tree: TemporalTree, host: HostInfo | undefined, at: EventNs): ReadonlySet<TaskIndex> {
  const state = useView.getState();
  let newest = at as number;
  for (let slot = 0; slot < tree.slotCount; slot++) newest = Math.max(newest, tree.startOf(slot as TaskIndex) || 0);
  const order = orderTree(tree, {
    at: newest as EventNs,
    keepExitedNs: Number.POSITIVE_INFINITY,
    threads: () => false,
    kernelThreads: state.showKernelThreads,
  });
  const users = host?.users ?? {};
  const base = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
  const matching =
    state.asked && isFiltered(state)
      ? matchQuery(state.asked.query, { columns: new Columns(tree, order), base, users })
      : undefined;
  const top = state.scope === undefined ? -1 : positionOf(order, tree.indexOf(state.scope));
  const end = top < 0 ? order.length : (order.subtreeEnds[top] as number);
  const found = new Set<TaskIndex>();
  for (let position = Math.max(0, top); position < end; position++) {
    if (matching === undefined || matching[position] === 1) found.add(order.tasks[position] as TaskIndex);
  }
  return found;
}
