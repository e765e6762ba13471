// Which tree is shown, and as of when: the live one, or one of the past as soon as
// it has come. Until then the one before stays, at the instant at which it was.

import type { TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { useRef } from 'react';
import { useApp } from '../../app-context.ts';
import { useView } from '../../state/view-store.ts';

export interface ShownTree {
  readonly tree: TemporalTree;
  /** Undefined: the present. */
  readonly at: EventNs | undefined;
  /** The instant A of a comparison; undefined while nothing is compared, or what was then has not come yet. */
  readonly comparedWith: EventNs | undefined;
}

export function useShownTree(): ShownTree {
  const { replica, past, pinned } = useApp();
  const pausedAt = useView((state) => state.pausedAt);
  const a = useView((state) => state.comparison?.a);
  const run = `${replica.host?.id} ${replica.host?.baseEpochNs}`;
  const last = useRef<{ readonly run: string; readonly tree: TemporalTree; readonly at: EventNs }>(undefined);

  let shown: Pick<ShownTree, 'tree' | 'at'> = { tree: replica.tree, at: pausedAt };
  if (pausedAt === undefined || !past.isFor(pausedAt)) past.leave();
  else {
    const tree = past.treeAt(pausedAt);
    if (tree !== undefined) shown = { tree, at: pausedAt };
    else if (last.current?.run === run) shown = last.current;
  }
  last.current = { run, tree: shown.tree, at: shown.at ?? replica.now() };

  if (a === undefined) {
    pinned.leave();
    return { ...shown, comparedWith: undefined };
  }
  const both = pinned.treeFor(a, shown.tree);
  return both === undefined ? { ...shown, comparedWith: undefined } : { tree: both, at: shown.at, comparedWith: a };
}
