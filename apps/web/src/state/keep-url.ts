// Keeps address and view in step. What names a task or an instant can be read
// only once the host has said which run of the server this is, and what its
// time base is.

import { NO_TASK } from '@dendro/engine';
import { type EventNs, epochOf, eventTimeOf, type TimeBase } from '@dendro/protocol';
import type { Replica } from '../replica/replica.ts';
import { treeView, useTree } from './tree-store.ts';
import { readTarget, readTreeUrl, readUrl, type UrlOptions, writeUrl } from './url-state.ts';
import { useView, view } from './view-store.ts';

/** Browsers refuse to have the address changed some hundred times in half a minute; a held arrow key would. */
const SETTLE_MS = 300;

export function keepUrl(replica: Replica): void {
  const first = location.search;
  let base: TimeBase | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const { query = '', ...rest } = readUrl(first, undefined);
  useView.setState(rest);
  view.setQuery(query);
  useTree.setState(readTreeUrl(first));

  replica.subscribe(() => {
    const next = replica.host && { epochNs: BigInt(replica.host.baseEpochNs) };
    if (next === undefined || next.epochNs === base?.epochNs) return;
    if (base === undefined) {
      const { query: _, ...rest } = readUrl(first, next);
      useView.setState({ ...rest, linkTarget: first.length > 1 ? readTarget(first, next) : undefined });
    } else startAfresh(base, next);
    base = next;
  });
  const write = (): void => {
    if (base === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      history.replaceState(null, '', `${location.pathname}${addressNow(replica)}`);
    }, SETTLE_MS);
  };
  useView.subscribe(write);
  useTree.subscribe(write);
}

/** The address of what is shown, or of what would be with some of it changed. */
export function addressNow(
  replica: Replica,
  change: Partial<Parameters<typeof writeUrl>[0]> = {},
  options: Pick<UrlOptions, 'isWhole'> = {},
): string {
  const { tree, host } = replica;
  const state = { ...useView.getState(), ...useTree.getState(), ...change };
  const task = state.selected === undefined ? NO_TASK : tree.indexOf(state.selected);
  const base = host && { epochNs: BigInt(host.baseEpochNs) };
  return writeUrl(state, base, { ...options, pid: task === NO_TASK ? undefined : tree.pidOf(task) });
}

/** Another run of the server gives its own task ids: what named a task of the last one would name a stranger. */
function startAfresh(last: TimeBase, next: TimeBase): void {
  const { pausedAt, comparison, timeWindow } = useView.getState();
  const moved = (at: EventNs): EventNs => eventTimeOf(next, epochOf(last, at));
  treeView.leaveTree();
  useView.setState({
    selected: undefined,
    collapsed: new Set(),
    withThreads: new Set(),
    scope: undefined,
    lineage: undefined,
    livesShown: 'all',
    pausedAt: pausedAt === undefined ? undefined : moved(pausedAt),
    comparison: comparison && { ...comparison, a: moved(comparison.a) },
    timeWindow: timeWindow && { from: moved(timeWindow.from), to: moved(timeWindow.to) },
  });
}
