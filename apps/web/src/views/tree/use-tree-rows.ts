// From replica and view state to rows. Each step is done again only when what
// it depends on has changed: a key press costs no new order of the tree.

import { NO_TASK, orderTree, orderUnion, type TaskIndex } from '@dendro/engine';
import type { TimeBase } from '@dendro/protocol';
import { useDeferredValue, useMemo, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { keptByChip } from '../../layout/chips.ts';
import { Changes } from '../../layout/compare.ts';
import { Found } from '../../layout/found.ts';
import { Likenesses } from '../../layout/likeness.ts';
import { ownPositions, withoutOwn } from '../../layout/own.ts';
import { partOf } from '../../layout/scope.ts';
import { groupsOfTree, NO_GROUPS } from '../../layout/sibling-groups.ts';
import { visibleRows } from '../../layout/visible-rows.ts';
import { Columns } from '../../query/columns.ts';
import { matchQuery } from '../../query/match-query.ts';
import { useMovedFrom } from '../../state/moved-from.ts';
import { useTree } from '../../state/tree-store.ts';
import { isFiltered, useView } from '../../state/view-store.ts';
import { useStripWindow } from '../timeline/use-strip-window.ts';
import { type TreeRows, treeRowsOf } from './tree-rows.ts';
import { useShownTree } from './use-shown-tree.ts';

const NOBODY: readonly number[] = [];

export function useTreeRows(frame: number): TreeRows {
  const { replica, pace } = useApp();
  const { host, facts } = replica;
  const ownPids = host?.ownPids ?? NOBODY;
  const { tree, at, comparedWith } = useShownTree();
  // Who ended on the way here stays for a moment, however far the way was. The past that is played goes on as the present does.
  const movedFrom = useMovedFrom((state) => state.from);
  const isPlaying = useView((state) => state.playing !== undefined);
  const wayFrom = isPlaying || at === undefined || movedFrom === undefined || movedFrom > at ? undefined : movedFrom;
  const alsoAt = comparedWith ?? wayFrom;
  const onlyChanged = useView((state) => state.comparison?.onlyChanged ?? false);
  const showThreads = useView((state) => state.showThreads);
  const withThreads = useView((state) => state.withThreads);
  const showKernelThreads = useView((state) => state.showKernelThreads);
  const chip = useTree((state) => state.chip);
  const showExited = useView((state) => state.showExited) || chip === 'exited';
  const tombstoneSeconds = useView((state) => state.tombstoneSeconds);
  // A key that is typed shows at once, however long finding takes.
  const asked = useDeferredValue(useView((state) => state.asked));
  const onlyFound = useView((state) => state.onlyFound);
  const scope = useView((state) => state.scope);
  const collapsed = useView((state) => state.collapsed);
  const selected = useView((state) => state.selected);
  const groupsAlike = useTree((state) => state.groupsAlike);
  const openGroups = useTree((state) => state.openGroups);
  const hidesOwn = useTree((state) => state.hidesOwn);
  const followed = useTree((state) => state.followed?.task);
  const { window } = useStripWindow();
  const newSince = chip === 'new' ? window.from : undefined;

  const isEveryEnd = showExited || (asked?.needsExited ?? false);
  const isEveryThread = showThreads || (asked?.needsThreads ?? false);
  // Live, time passes with each frame. Paused, only late facts can change what was.
  const moment = at === undefined ? frame : facts;
  const [whole, orderCost] = useMemo(() => {
    void moment;
    const from = performance.now();
    const options = {
      at: at ?? replica.now(),
      // Of the ended a comparison shows those who lived at the other instant.
      keepExitedNs: comparedWith !== undefined ? 0 : isEveryEnd ? Number.POSITIVE_INFINITY : tombstoneSeconds * 1e9,
      threads: (process: TaskIndex) => isEveryThread || withThreads.has(tree.taskIdOf(process)),
      kernelThreads: showKernelThreads,
    };
    const order = alsoAt === undefined ? orderTree(tree, options) : orderUnion(tree, { ...options, alsoAt });
    return [order, performance.now() - from] as const;
  }, [
    moment,
    tree,
    replica,
    at,
    alsoAt,
    comparedWith,
    isEveryThread,
    withThreads,
    showKernelThreads,
    isEveryEnd,
    tombstoneSeconds,
  ]);

  const columns = useMemo(() => {
    void facts; // what columns hold is void after the next fact
    return new Columns(tree, whole);
  }, [tree, whole, facts]);

  const part = useMemo(
    () => partOf(columns.order, scope === undefined ? undefined : tree.indexOf(scope)),
    [columns, tree, scope],
  );
  const { order } = part;
  const filters = isFiltered({ asked, onlyFound });
  const [likenesses] = useState(() => new Likenesses());
  const [own, kept, changes, groups, groupsCost] = useMemo(() => {
    const from = performance.now();
    const own = ownPositions(tree, order, ownPids);
    const ofChip = keptByChip(chip, tree, order, newSince ?? order.at);
    const wanted = hidesOwn ? withoutOwn(tree, order, own, ofChip) : ofChip;
    const changes = comparedWith === undefined ? undefined : new Changes(tree, order, comparedWith, wanted);
    const kept = changes !== undefined && onlyChanged ? changes.only() : wanted;
    const groups = groupsAlike && !filters ? groupsOfTree(tree, order, kept, likenesses) : NO_GROUPS;
    return [own, kept, changes, groups, performance.now() - from] as const;
  }, [tree, order, ownPids, chip, newSince, hidesOwn, comparedWith, onlyChanged, groupsAlike, filters, likenesses]);

  // Who is selected or followed, or has such a one below it, is not put into a closed group.
  const apart = useMemo(() => {
    if (groups.length === 0) return [];
    const tasks = [selected, followed].map((id) => (id === undefined ? NO_TASK : tree.indexOf(id)));
    return tasks.filter((task) => task !== NO_TASK).map((task) => order.tasks.indexOf(task));
  }, [tree, order, groups, selected, followed]);

  return useMemo(() => {
    const from = performance.now();
    const base: TimeBase = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
    const inAll = asked && matchQuery(asked.query, { columns, base, users: host?.users ?? {} });
    const found = inAll && new Found(inAll.subarray(part.from, part.from + order.length));
    const rows = visibleRows(order, {
      isCollapsed: (position) => collapsed.has(tree.taskIdOf(order.tasks[position] as TaskIndex)),
      matches: filters ? found : undefined,
      kept,
      groups,
      isGroupOpen: (group) => openGroups.has(groups.keyOf(group)),
      isApart: (member) => apart.some((p) => p >= member && p < (order.subtreeEnds[member] as number)),
    });
    const now = performance.now();
    pace.drew(orderCost + groupsCost + now - from, now);
    const { isScopeLost } = part;
    return treeRowsOf({
      ...{ tree, order, rows, groups, own, asked, found, changes },
      ...{ isFiltered: filters, isScopeLost, columns },
    });
  }, [
    columns,
    part,
    order,
    orderCost,
    groupsCost,
    asked,
    filters,
    collapsed,
    tree,
    host,
    pace,
    kept,
    changes,
    groups,
    openGroups,
    apart,
    own,
  ]);
}
