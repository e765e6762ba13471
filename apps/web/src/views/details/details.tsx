// Everything known of the selected task as of the instant that is shown, and
// who said it.

import { instantOf, NO_TASK, type TemporalTree, type TreeOrder } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { Network, X } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { useApp } from '../../app-context.ts';
import { printable } from '../../layout/printable.ts';
import { useView, view } from '../../state/view-store.ts';
import { IconButton } from '../common/icon-button.tsx';
import { Lineage } from './lineage.tsx';
import { TaskFacts } from './task-facts.tsx';

/** Fetched with the first comparison. */
const ComparedFacts = lazy(() =>
  import('../compare/compared-facts.tsx').then(
    ({ ComparedFacts }) => ({ default: ComparedFacts }),
    () => ({ default: () => <p className="hint">The comparison could not be loaded: reload the page.</p> }),
  ),
);

interface DetailsProps {
  readonly tree: TemporalTree;
  readonly order: TreeOrder;
  /** A of a comparison. */
  readonly comparedWith: EventNs | undefined;
}

export function Details({ tree, order, comparedWith }: DetailsProps) {
  const { replica } = useApp();
  const selected = useView((state) => state.selected);
  const { host } = replica;
  const index = selected === undefined ? NO_TASK : tree.indexOf(selected);
  // While two instants are compared it can be there at the other one alone.
  const at = index === NO_TASK ? order.at : instantOf(tree, order, index);
  const task = index !== NO_TASK && tree.isPresent(index) && tree.startOf(index) <= at ? index : NO_TASK;
  return (
    <aside className="details" data-testid="details" aria-label="Details">
      <header>
        <h2>
          {task === NO_TASK ? 'Details' : printable(tree.textAt(task, 'comm', at) ?? '(no name known)')}
          {task !== NO_TASK && <span className="details-id">{tree.tidOf(task)}</span>}
        </h2>
        <IconButton label="Close (Esc)" onClick={() => view.closeDetails()}>
          <X size={16} aria-hidden="true" />
        </IconButton>
      </header>
      {task === NO_TASK ? (
        <p className="hint">
          {selected === undefined
            ? 'Select a row to see what is known of it.'
            : index !== NO_TASK && tree.isPresent(index)
              ? 'This task had not started at this instant.'
              : 'This task is not in memory any more: it ended long ago.'}
        </p>
      ) : (
        <div className="details-body">
          {comparedWith !== undefined && (
            <Suspense>
              <ComparedFacts
                {...{ tree, task }}
                a={comparedWith}
                b={order.at}
                base={{ epochNs: BigInt(host?.baseEpochNs ?? '0') }}
                users={host?.users ?? {}}
              />
            </Suspense>
          )}
          <Lineage tree={tree} task={task} at={at} />
          <OpenLineage task={tree.taskIdOf(task)} />
          <TaskFacts
            tree={tree}
            task={task}
            at={at}
            base={{ epochNs: BigInt(host?.baseEpochNs ?? '0') }}
            users={host?.users ?? {}}
            isLive={host?.isLive ?? true}
          />
        </div>
      )}
    </aside>
  );
}

function OpenLineage({ task }: { readonly task: TaskId }) {
  const of = useView((state) => state.lineage?.of);
  if (of === task) return null;
  return (
    <button type="button" className="open-lineage" data-testid="open-lineage" onClick={() => view.openLineage(task)}>
      <Network size={14} aria-hidden="true" />
      {of === undefined ? 'Open lineage' : 'Lineage of this one'}
      <kbd>{of === undefined ? 'l' : 'r'}</kbd>
    </button>
  );
}
