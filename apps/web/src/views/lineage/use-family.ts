// The family that is shown, asked for again only when a fact or the question has
// changed: a live tree changes twenty times a second, mostly elsewhere. Where the
// answer is the same as before, so is the object, and nothing is laid out again.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import { useMemo, useRef } from 'react';
import { useApp } from '../../app-context.ts';
import { type Births, birthsOf } from '../../layout/births.ts';
import { isSameFamily, type LineageFamily, lineageFamily } from '../../layout/lineage-family.ts';
import { useView } from '../../state/view-store.ts';

/** Descendants shown at first; so many more each time that more are asked for, up to the most. */
export const STEP_OF_DESCENDANTS = 500;
export const MOST_DESCENDANTS = 5000;

export type Wanted = (tree: TemporalTree, task: TaskIndex, at: number) => boolean;

function useBirths(tree: TemporalTree): Births {
  const { replica } = useApp();
  const { facts } = replica;
  return useMemo(() => {
    void facts; // rises when the tree has changed
    return birthsOf(tree);
  }, [tree, facts]);
}

export type Groups = (tree: TemporalTree, parent: TaskIndex) => boolean;

interface Question {
  readonly limit: number;
  /** The same functions as long as the question is the same. */
  readonly wanted: Wanted;
  readonly groups: Groups;
}

export function useFamily(tree: TemporalTree, subject: TaskIndex, { limit, wanted, groups }: Question): LineageFamily {
  const { replica } = useApp();
  const births = useBirths(tree);
  const pausedAt = useView((state) => state.pausedAt);
  const last = useRef<{ readonly tree: TemporalTree; readonly family: LineageFamily }>(undefined);
  return useMemo(() => {
    const at = pausedAt ?? replica.now();
    const family = lineageFamily(tree, births, subject, {
      at,
      limit,
      wanted: (task) => wanted(tree, task, at),
      groups: (parent) => groups(tree, parent),
    });
    const before = last.current;
    const isSame = before !== undefined && before.tree === tree && isSameFamily(before.family, family);
    if (isSame && before.family.unwanted === family.unwanted) return before.family;
    last.current = { tree, family };
    return family;
  }, [replica, tree, births, subject, limit, wanted, groups, pausedAt]);
}

/** The process that is meant: that of a thread when a thread is. NO_TASK where it is not here. */
export function processOf(tree: TemporalTree, id: TaskId): TaskIndex {
  const task = tree.indexOf(id);
  const process = task !== NO_TASK && tree.isThread(task) ? tree.leaderOf(task) : task;
  return process !== NO_TASK && (tree.isPresent(process) || tree.isStub(process)) ? process : NO_TASK;
}
