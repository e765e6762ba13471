// The lineage of a process in place of the tree: who started it and what it has
// started, as a graph or on an axis of time.

import { NO_TASK, type TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { useApp } from '../../app-context.ts';
import { dateTime } from '../../layout/format.ts';
import type { RowContext } from '../../layout/row-model.ts';
import { type LineageView, view } from '../../state/view-store.ts';
import '../../styles/lineage.css';
import { GraphPicture } from './graph-picture.tsx';
import { LifetimesPicture } from './lifetimes-picture.tsx';
import { processOf } from './use-family.ts';

interface LineagePageProps {
  readonly tree: TemporalTree;
  readonly view: LineageView;
  /** The instant that is shown. */
  readonly at: EventNs;
}

export function LineagePage({ tree, view: { of, picture }, at }: LineagePageProps) {
  const { host } = useApp().replica;
  const subject = processOf(tree, of);
  if (subject === NO_TASK) return <NoSubject />;
  const base = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
  if (tree.startOf(subject) > at) return <NotStarted at={dateTime(base, tree.startOf(subject))} />;
  const context: RowContext = { tree, at, base, users: host?.users ?? {} };
  return picture === 'graph' ? (
    <GraphPicture key={of} subject={subject} context={context} />
  ) : (
    <LifetimesPicture key={of} subject={subject} context={context} />
  );
}

function NoSubject() {
  return (
    <div className="page" role="alert">
      <h2>This process is not in memory any more</h2>
      <p>It ended long ago and was let go of to keep memory bounded, or the address is of another run of dendro.</p>
      <button type="button" className="button" onClick={() => view.closeLineage()}>
        Back to the tree
      </button>
    </div>
  );
}

function NotStarted({ at }: { readonly at: string }) {
  return (
    <div className="page" role="alert">
      <h2>This process had not started at this instant</h2>
      <p>It started {at}, later than what is shown.</p>
      <button type="button" className="button" onClick={() => view.goLive()}>
        Go to the present
      </button>{' '}
      <button type="button" className="button" onClick={() => view.closeLineage()}>
        Back to the tree
      </button>
    </div>
  );
}
