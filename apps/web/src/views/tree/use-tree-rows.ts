// From replica and view state to rows. Each step is done again only when what
// it depends on has changed: a key press costs no new order of the tree.

import { NO_TASK, orderTree, type TaskIndex } from '@dendro/engine';
import { useDeferredValue, useMemo, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { keptByChip } from '../../layout/chips.ts';
import { matcher } from '../../layout/filter.ts';
import { Likenesses } from '../../layout/likeness.ts';
import { ownPositions, withoutOwn } from '../../layout/own.ts';
import { groupsOfTree, NO_GROUPS } from '../../layout/sibling-groups.ts';
import { visibleRows } from '../../layout/visible-rows.ts';
import { useTree } from '../../state/tree-store.ts';
import { useView } from '../../state/view-store.ts';
import { useStripWindow } from '../timeline/use-strip-window.ts';
import { type TreeRows, treeRowsOf } from './tree-rows.ts';

const NOBODY: readonly number[] = [];

export function useTreeRows(frame: number): TreeRows {
  const { replica, pace } = useApp();
  const { tree, host, facts } = replica;
  const users = host?.users;
  const ownPids = host?.ownPids ?? NOBODY;
  const pausedAt = useView((state) => state.pausedAt);
  const showThreads = useView((state) => state.showThreads);
  const withThreads = useView((state) => state.withThreads);
  const showKernelThreads = useView((state) => state.showKernelThreads);
  const chip = useTree((state) => state.chip);
  const showExited = useView((state) => state.showExited) || chip === 'exited';
  const tombstoneSeconds = useView((state) => state.tombstoneSeconds);
  // A key that is typed shows at once, however long finding takes.
  const filter = useDeferredValue(useView((state) => state.filter));
  const collapsed = useView((state) => state.collapsed);
  const selected = useView((state) => state.selected);
  const groupsAlike = useTree((state) => state.groupsAlike);
  const openGroups = useTree((state) => state.openGroups);
  const hidesOwn = useTree((state) => state.hidesOwn);
  const followed = useTree((state) => state.followed?.task);
  const { window } = useStripWindow();
  const newSince = chip === 'new' ? window.from : undefined;

  // Live, time passes with each frame. Paused, only late facts can change what was.
  const moment = pausedAt === undefined ? frame : facts;
  const [order, orderCost] = useMemo(() => {
    void moment;
    const from = performance.now();
    const order = orderTree(tree, {
      at: pausedAt ?? replica.now(),
      keepExitedNs: showExited ? Number.POSITIVE_INFINITY : tombstoneSeconds * 1e9,
      threads: (process) => showThreads || withThreads.has(tree.taskIdOf(process)),
      kernelThreads: showKernelThreads,
    });
    return [order, performance.now() - from] as const;
  }, [moment, tree, replica, pausedAt, showThreads, withThreads, showKernelThreads, showExited, tombstoneSeconds]);

  const isFiltered = filter.trim() !== '';
  const [likenesses] = useState(() => new Likenesses());
  const [own, kept, groups, groupsCost] = useMemo(() => {
    const from = performance.now();
    const own = ownPositions(tree, order, ownPids);
    const ofChip = keptByChip(chip, tree, order, newSince ?? order.at);
    const kept = hidesOwn ? withoutOwn(tree, order, own, ofChip) : ofChip;
    const groups = groupsAlike && !isFiltered ? groupsOfTree(tree, order, kept, likenesses) : NO_GROUPS;
    return [own, kept, groups, performance.now() - from] as const;
  }, [tree, order, ownPids, chip, newSince, hidesOwn, groupsAlike, isFiltered, likenesses]);

  // Who is selected or followed, or has such a one below it, is not put into a closed group.
  const apart = useMemo(() => {
    if (groups.length === 0) return [];
    const tasks = [selected, followed].map((id) => (id === undefined ? NO_TASK : tree.indexOf(id)));
    return tasks.filter((task) => task !== NO_TASK).map((task) => order.tasks.indexOf(task));
  }, [tree, order, groups, selected, followed]);

  return useMemo(() => {
    const from = performance.now();
    const matches = matcher(filter, tree, order.at, users ?? {});
    const rows = visibleRows(order, {
      isCollapsed: (position) => collapsed.has(tree.taskIdOf(order.tasks[position] as TaskIndex)),
      matches: matches && ((position) => matches(order.tasks[position] as TaskIndex)),
      kept,
      groups,
      isGroupOpen: (group) => openGroups.has(groups.keyOf(group)),
      isApart: (member) => apart.some((p) => p >= member && p < (order.subtreeEnds[member] as number)),
    });
    const now = performance.now();
    pace.drew(orderCost + groupsCost + now - from, now);
    return treeRowsOf({ tree, order, rows, groups, own, filter });
  }, [order, orderCost, groupsCost, filter, collapsed, tree, users, pace, kept, groups, openGroups, apart, own]);
}
