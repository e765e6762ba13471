// From replica and view state to rows. Each step is done again only when what
// it depends on has changed: a key press costs no new order of the tree.

import { NO_TASK, orderUnion, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs, TimeBase } from '@dendro/protocol';
import { startTransition, useEffect, useMemo, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { keptByChip } from '../../layout/chips.ts';
import { Changes } from '../../layout/compare.ts';
import { Found } from '../../layout/found.ts';
import { keptTree } from '../../layout/kept-tree.ts';
import { ownPositions, withoutOwn } from '../../layout/own.ts';
import { type PartOfOrder, partOf } from '../../layout/scope.ts';
import { groupsOfTree, NO_GROUPS, type SiblingGroups } from '../../layout/sibling-groups.ts';
import { visibleRows } from '../../layout/visible-rows.ts';
import { type Asked, isAlike } from '../../query/asked.ts';
import { Columns } from '../../query/columns.ts';
import { matchQuery } from '../../query/match-query.ts';
import { useMovedFrom } from '../../state/moved-from.ts';
import { useTree } from '../../state/tree-store.ts';
import { isFiltered, useView } from '../../state/view-store.ts';
import { useStripWindow } from '../timeline/use-strip-window.ts';
import { type TreeRows, treeRowsOf } from './tree-rows.ts';
import { type ShownTree, useShownTree } from './use-shown-tree.ts';

const NOBODY: readonly number[] = [];
const NOT_ONE = () => false;

/** A step, and what it cost. */
interface Step<T> {
  readonly made: T;
  readonly ms: number;
}

export function useTreeRows(frame: number): TreeRows {
  const { pace } = useApp();
  const shown = useShownTree();
  const { tree } = shown;
  const asked = useAsked();
  const onlyFound = useView((state) => state.onlyFound);
  const filters = isFiltered({ asked, onlyFound });
  const columns = useOrder(shown, frame, asked);

  const scope = useView((state) => state.scope);
  const part = useMemo(
    () => partOf(columns.order, scope === undefined ? undefined : tree.indexOf(scope)),
    [columns, tree, scope],
  );
  const { own, kept, changes, groups } = useChosen(columns, part, filters, shown.comparedWith);
  const apart = useApart(tree, part, groups);
  const found = useFound(columns, part, asked);

  const collapsed = useView((state) => state.collapsed);
  const openGroups = useTree((state) => state.openGroups);
  return useMemo(() => {
    const { order, isScopeLost } = part;
    const { made: rows, ms } = timed(() =>
      visibleRows(order, {
        isCollapsed:
          collapsed.size === 0
            ? NOT_ONE
            : (position) => collapsed.has(tree.taskIdOf(order.tasks[position] as TaskIndex)),
        matches: filters ? found.made : undefined,
        kept,
        groups,
        isGroupOpen: openGroups.size === 0 ? NOT_ONE : (group) => openGroups.has(groups.keyOf(group)),
        isApart: (member) => apart.some((p) => p >= member && p < (order.subtreeEnds[member] as number)),
      }),
    );
    if (asked !== undefined) pace.found(found.ms + ms);
    const what = {
      tree,
      order,
      rows,
      groups,
      kept,
      own,
      asked,
      found: found.made,
      isFiltered: filters,
      isScopeLost,
      columns,
      changes,
    };
    return treeRowsOf(what);
  }, [tree, columns, part, own, kept, changes, groups, apart, found, asked, filters, collapsed, openGroups, pace]);
}

/**
 * A key that is typed shows at once, however long finding takes; where that is short, its rows are there in the same
 * frame.
 */
function useAsked(): Asked | undefined {
  const { pace } = useApp();
  const wanted = useView((state) => state.asked);
  const [asked, setAsked] = useState(wanted);
  const isAtOnce = asked === wanted || (pace.findsAtOnce && isAlike(asked, wanted));
  if (asked !== wanted && isAtOnce) setAsked(wanted);
  useEffect(() => {
    if (!isAtOnce) startTransition(() => setAsked(wanted));
  }, [wanted, isAtOnce]);
  return isAtOnce ? wanted : asked;
}

/** The order of the whole tree, with what queries read of the tasks in it. */
function useOrder({ tree, at, comparedWith }: ShownTree, frame: number, asked: Asked | undefined): Columns {
  const { replica } = useApp();
  const wayFrom = useWayFrom(at);
  const alsoAt = comparedWith ?? wayFrom;
  const showThreads = useView((state) => state.showThreads);
  const withThreads = useView((state) => state.withThreads);
  const kernelThreads = useView((state) => state.showKernelThreads);
  const showExited = useView((state) => state.showExited);
  const showsExited = useTree((state) => state.chip === 'exited');
  const tombstoneSeconds = useView((state) => state.tombstoneSeconds);
  const isEveryEnd = showExited || showsExited || (asked?.needsExited ?? false);
  const isEveryThread = showThreads || (asked?.needsThreads ?? false);
  // Of the ended a comparison shows those who lived at the other instant.
  const keepExitedNs = comparedWith !== undefined ? 0 : isEveryEnd ? Number.POSITIVE_INFINITY : tombstoneSeconds * 1e9;
  const ended = useEndedLongAgo(tree, at ?? replica.now(), keepExitedNs);
  const alsoKeep = comparedWith === undefined ? ended : undefined;
  // Live, time passes with each frame. Paused, only late facts can change what was.
  const moment = at === undefined ? frame : replica.facts;
  return useMemo(() => {
    void moment;
    const threads = (process: TaskIndex) => isEveryThread || withThreads.has(tree.taskIdOf(process));
    const options = { at: at ?? replica.now(), keepExitedNs, alsoKeep, threads, kernelThreads };
    if (alsoAt !== undefined) return new Columns(tree, orderUnion(tree, { ...options, alsoAt }));
    const { orders, columns } = keptTree(tree);
    const order = orders.order(options);
    columns.moveTo(options.at);
    return new Columns(tree, order, columns);
  }, [moment, tree, replica, at, alsoAt, isEveryThread, withThreads, kernelThreads, keepExitedNs, alsoKeep]);
}

/** Who is selected stays where it is seen, also when the query that brought it back is gone. Undefined where it stays anyway. */
function useEndedLongAgo(tree: TemporalTree, at: EventNs, keepExitedNs: number): TaskIndex | undefined {
  const selected = useView((state) => state.selected);
  const task = selected === undefined ? NO_TASK : tree.indexOf(selected);
  return task !== NO_TASK && tree.exitOf(task) < at - keepExitedNs ? task : undefined;
}

/** Who ended on the way here stays for a moment, however far the way was. The past that is played goes on as the present does. */
function useWayFrom(at: EventNs | undefined): EventNs | undefined {
  const movedFrom = useMovedFrom((state) => state.from);
  const isPlaying = useView((state) => state.playing !== undefined);
  return isPlaying || at === undefined || movedFrom === undefined || movedFrom > at ? undefined : movedFrom;
}

/** Who of the order is shown, and who together with others. */
function useChosen(
  { tree, tasks }: Columns,
  { order }: PartOfOrder,
  filters: boolean,
  comparedWith: EventNs | undefined,
) {
  const onlyChanged = useView((state) => state.comparison?.onlyChanged ?? false);
  const ownPids = useApp().replica.host?.ownPids ?? NOBODY;
  const chip = useTree((state) => state.chip);
  const groupsAlike = useTree((state) => state.groupsAlike);
  const hidesOwn = useTree((state) => state.hidesOwn);
  const { window } = useStripWindow();
  const newSince: EventNs | undefined = chip === 'new' ? window.from : undefined;
  return useMemo(() => {
    const own = ownPositions(tasks, order, ownPids);
    const ofChip = keptByChip(chip, tasks, order, newSince ?? order.at);
    const wanted = hidesOwn ? withoutOwn(tree, order, own, ofChip) : ofChip;
    const changes = comparedWith === undefined ? undefined : new Changes(tree, order, comparedWith, wanted);
    const kept = changes !== undefined && onlyChanged ? changes.only() : wanted;
    return { own, kept, changes, groups: groupsAlike && !filters ? groupsOfTree(tasks, order, kept) : NO_GROUPS };
  }, [tree, tasks, order, ownPids, chip, newSince, hidesOwn, comparedWith, onlyChanged, groupsAlike, filters]);
}

/** Positions of who is selected or followed: whoever is one of them, or has one below, is not put into a closed group. */
function useApart(tree: TemporalTree, { order }: PartOfOrder, groups: SiblingGroups): readonly number[] {
  const selected = useView((state) => state.selected);
  const followed = useTree((state) => state.followed?.task);
  return useMemo(() => {
    if (groups.length === 0) return NOBODY;
    const tasks = [selected, followed].map((id) => (id === undefined ? NO_TASK : tree.indexOf(id)));
    return tasks.filter((task) => task !== NO_TASK).map((task) => order.tasks.indexOf(task));
  }, [tree, order, groups, selected, followed]);
}

function useFound(columns: Columns, { from, order }: PartOfOrder, asked: Asked | undefined): Step<Found | undefined> {
  const { host } = useApp().replica;
  return useMemo(
    () =>
      timed(() => {
        if (asked === undefined) return undefined;
        const base: TimeBase = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
        const inAll = matchQuery(asked.query, { columns, base, users: host?.users ?? {} });
        return new Found(inAll.subarray(from, from + order.length));
      }),
    [columns, from, order, asked, host],
  );
}

function timed<T>(make: () => T): Step<T> {
  const from = performance.now();
  const made = make();
  return { made, ms: performance.now() - from };
}
