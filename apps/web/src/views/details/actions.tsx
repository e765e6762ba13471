// What can be done with the task that the panel is of, for whoever has a pointer:
// the keys of the tree do the same.

import type { TaskId } from '@dendro/protocol';
import { Crosshair, ListTree } from 'lucide-react';
import { treeView, useTree } from '../../state/tree-store.ts';
import { useView, view } from '../../state/view-store.ts';
import { OpenLineage } from './open-lineage.tsx';

interface ActionsProps {
  readonly of: TaskId;
  /** Of a thread, the one that it belongs to. */
  readonly task: TaskId;
}

export function Actions({ of, task }: ActionsProps) {
  const isInTree = useView((state) => state.lineage === undefined);
  const isScope = useView((state) => state.scope === task);
  const isFollowed = useTree((state) => state.followed?.task === of);
  return (
    <div className="task-actions">
      <OpenLineage task={of} />
      {isInTree && (
        <>
          <button type="button" aria-pressed={isScope} onClick={() => view.setScope(isScope ? undefined : task)}>
            <ListTree size={14} aria-hidden="true" />
            Subtree alone <kbd>s</kbd>
          </button>
          <button
            type="button"
            aria-pressed={isFollowed}
            onClick={() => (isFollowed ? treeView.stopFollowing() : treeView.follow(of))}
          >
            <Crosshair size={14} aria-hidden="true" />
            Follow <kbd>F</kbd>
          </button>
        </>
      )}
    </div>
  );
}
