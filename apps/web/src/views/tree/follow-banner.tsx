// Keeps a task in view, and says so. Once it has ended its parent is followed.

import { NO_TASK, type TaskIndex } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import { Crosshair } from 'lucide-react';
import { useEffect } from 'react';
import { calledAt, endOf, followTarget } from '../../layout/follow.ts';
import { treeView, useTree } from '../../state/tree-store.ts';
import { useView, view } from '../../state/view-store.ts';
import type { TreeRows } from './tree-rows.ts';

interface FollowBannerProps {
  readonly treeRows: TreeRows;
  /** Brings a row into view, if it is not. */
  readonly onFollow: (row: number) => void;
}

export function FollowBanner({ treeRows, onFollow }: FollowBannerProps) {
  const followed = useTree((state) => state.followed);
  const isLive = useView((state) => state.pausedAt === undefined);
  const { tree, order } = treeRows;
  const target = followed && followTarget(tree, followed.task, order.at);
  const living = target?.kind === 'living' ? target : undefined;
  const because =
    living === undefined || living.ended === NO_TASK ? followed?.because : endOf(tree, living.ended, order.at);
  const id = living && tree.taskIdOf(living.task);
  // Of the past it is only shown whom it would have been: going on in time leads back.
  const hasMoved = isLive && id !== undefined && id !== followed?.task;
  useEffect(() => {
    if (hasMoved && id !== undefined) treeView.follow(id, because);
  }, [hasMoved, id, because]);
  useEffect(() => {
    if (id !== undefined) keepInView(treeRows, id, onFollow);
  });
  if (followed === undefined || target === undefined) return null;
  return (
    <div className="follow-banner">
      <Crosshair size={14} aria-hidden="true" />
      <p role="status">
        {living === undefined ? (
          <strong>
            {target.kind === 'lost'
              ? 'Whom you follow is gone, and nobody is known above'
              : 'Whom you follow has not begun yet'}
          </strong>
        ) : (
          <>
            <strong>Following {calledAt(tree, living.task, order.at)}</strong>
            {because !== undefined && `: ${because}, so its parent is followed`}
          </>
        )}
      </p>
      <button type="button" className="link" onClick={() => treeView.stopFollowing()}>
        Stop following <kbd>F</kbd>
      </button>
    </div>
  );
}

/** Opens what it is folded into. */
function keepInView(treeRows: TreeRows, id: TaskId, onFollow: (row: number) => void): void {
  const { tree, order } = treeRows;
  const row = treeRows.rowOf(id);
  if (row >= 0) {
    onFollow(row);
    return;
  }
  const { collapsed } = useView.getState();
  const folded: TaskId[] = [];
  const position = order.tasks.indexOf(tree.indexOf(id));
  for (let p = 0; p < position; p++) {
    if ((order.subtreeEnds[p] as number) <= position) continue;
    const above = tree.taskIdOf(order.tasks[p] as TaskIndex);
    if (collapsed.has(above)) folded.push(above);
  }
  if (folded.length > 0) view.expand(folded);
}
