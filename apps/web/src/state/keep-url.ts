// Keeps address and view in step. What names a task or an instant can be read
// only once the host has said which run of the server this is, and what its
// time base is.

import { type EventNs, epochOf, eventTimeOf, type TimeBase } from '@dendro/protocol';
import type { Replica } from '../replica/replica.ts';
import { treeView, useTree } from './tree-store.ts';
import { readTreeUrl, readUrl, writeUrl } from './url-state.ts';
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
      useView.setState(rest);
    } else startAfresh(base, next);
    base = next;
  });
  const write = (): void => {
    if (base === undefined) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const url = writeUrl({ ...useView.getState(), ...useTree.getState() }, base);
      history.replaceState(null, '', `${location.pathname}${url}`);
    }, SETTLE_MS);
  };
  useView.subscribe(write);
  useTree.subscribe(write);
}

/** Another run of the server gives its own task ids: what named a task of the last one would name a stranger. */
function startAfresh(last: TimeBase, next: TimeBase): void {
  const { pausedAt, comparison, timeWindow } = useView.getState();
  const moved = (at: EventNs) => eventTimeOf(next, epochOf(last, at));
  treeView.leaveTree();
  useView.setState({
    selected: undefined,
    collapsed: new Set(),
    withThreads: new Set(),
    scope: undefined,
    lineage: undefined,
    pausedAt: pausedAt === undefined ? undefined : moved(pausedAt),
    comparison: comparison && { ...comparison, a: moved(comparison.a) },
    timeWindow: timeWindow && { from: moved(timeWindow.from), to: moved(timeWindow.to) },
  });
}
