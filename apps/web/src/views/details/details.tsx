// The panel of the selected task: everything known of it as of the instant that
// is shown, and who said it. At the right, in a narrow window a drawer at the
// bottom, on a phone a sheet over all.

import { instantOf, NO_TASK, type TaskIndex, type TemporalTree, type TreeOrder } from '@dendro/engine';
import { type EventNs, epochMsOf, type TimeBase } from '@dendro/protocol';
import { X } from 'lucide-react';
import { type CSSProperties, Suspense } from 'react';
import { useApp } from '../../app-context.ts';
import { clockTime, exactTime, millisecondsOf } from '../../layout/format.ts';
import { printable, printableName } from '../../layout/printable.ts';
import { processOf } from '../../layout/process-of.ts';
import { usePanelSize } from '../../state/panel-size.ts';
import { useView, view } from '../../state/view-store.ts';
import '../../styles/details.css';
import { CopyButton } from '../common/copy-button.tsx';
import { IconButton } from '../common/icon-button.tsx';
import { lazyPart } from '../common/lazy-part.tsx';
import { useMedia } from '../common/use-media.ts';
import type { TaskProps } from './field.tsx';
import { Resizer } from './resizer.tsx';
import { TAB_CONTENTS, TAB_PANEL, TabList, tabId } from './tabs.tsx';

/** As in details.css. */
const NARROW = '(max-width: 1099.98px)';

interface PanelStyle extends CSSProperties {
  readonly '--panel': string;
}

/** Fetched with the first comparison. */
const ComparedFacts = lazyPart(() =>
  import('../compare/compared-facts.tsx').then(({ ComparedFacts }) => ComparedFacts),
);

interface DetailsProps {
  readonly tree: TemporalTree;
  readonly order: TreeOrder;
  /** A of a comparison. */
  readonly comparedWith: EventNs | undefined;
}

export function Details({ tree, order, comparedWith }: DetailsProps) {
  const { replica, past } = useApp();
  const selected = useView((state) => state.selected);
  const tab = useView((state) => state.tab);
  const pausedAt = useView((state) => state.pausedAt);
  const side = useMedia(NARROW) ? 'bottom' : 'right';
  const panel = usePanelSize(side);
  const { host, stats } = replica;
  const index = selected === undefined ? NO_TASK : tree.indexOf(selected);
  // While two instants are compared it can be there at the other one alone.
  const at = index === NO_TASK ? order.at : instantOf(tree, order, index);
  const task = index !== NO_TASK && tree.isPresent(index) && tree.startOf(index) <= at ? index : NO_TASK;
  const isPast = pausedAt !== undefined && past.isFor(pausedAt);
  const isRefetching = isPast && past.isLoading;
  const base = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
  const style: PanelStyle = { '--panel': `${panel.size}px` };
  const props: TaskProps = {
    tree,
    task,
    at,
    base,
    users: host?.users ?? {},
    isLive: host?.isLive ?? true,
    source: isPast || stats === undefined ? undefined : printable(stats.source.name),
  };
  const Content = TAB_CONTENTS[tab];
  return (
    <aside
      className={isRefetching ? 'details is-refetching' : 'details'}
      data-testid="details"
      aria-label="Details"
      aria-busy={isRefetching}
      style={style}
    >
      <Resizer side={side} panel={panel} />
      <header>
        <Title tree={tree} task={task} at={at} />
        <AsOf at={at} base={base} isRefetching={isRefetching} />
        <IconButton label="Close (Esc, q)" onClick={() => view.closeDetails()}>
          <X size={16} aria-hidden="true" />
        </IconButton>
      </header>
      <TabList />
      <div
        id={TAB_PANEL}
        className="details-body"
        role="tabpanel"
        aria-labelledby={tabId(tab)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also where nothing in it can be chosen
        tabIndex={0}
      >
        {task === NO_TASK ? (
          <Absent
            isSelected={selected !== undefined}
            startsAt={index !== NO_TASK && tree.isPresent(index) ? tree.startOf(index) : undefined}
          />
        ) : (
          <Suspense fallback={<p className="hint">Loading …</p>}>
            {comparedWith !== undefined && (
              <ComparedFacts {...{ tree, task, base }} a={comparedWith} b={order.at} users={props.users} />
            )}
            <Content key={tree.taskIdOf(processOf(tree, task))} {...props} />
          </Suspense>
        )}
      </div>
    </aside>
  );
}

interface TitleProps {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;
  readonly at: EventNs;
}

function Title({ tree, task, at }: TitleProps) {
  if (task === NO_TASK) return <h2>Details</h2>;
  const name = tree.textAt(task, 'comm', at);
  const id = tree.tidOf(task);
  return (
    <>
      <h2 title={`${printableName(name ?? '(no name known)')} ${id}`}>
        {printableName(name ?? '(no name known)')}
        <span className="details-id">{id}</span>
      </h2>
      <CopyButton label="Copy: name and id" text={`${name ?? '?'} [${id}]`} isBare />
    </>
  );
}

interface AsOfProps {
  readonly at: EventNs;
  readonly base: TimeBase;
  readonly isRefetching: boolean;
}

/** Of which instant all of it is. */
function AsOf({ at, base, isRefetching }: AsOfProps) {
  const { replica } = useApp();
  const now = replica.now();
  return (
    <p className="as-of" data-testid="as-of">
      <span role="status">{isRefetching ? 'fetching what was at ' : 'as of '}</span>
      <time title={exactTime(base, at)}>
        {clockTime(base, at, epochMsOf(base, now))}
        <small>{millisecondsOf(base, at)}</small>
      </time>
    </p>
  );
}

interface AbsentProps {
  readonly isSelected: boolean;
  /** Of a task that is to come. */
  readonly startsAt: EventNs | undefined;
}

function Absent({ isSelected, startsAt }: AbsentProps) {
  if (!isSelected) return <p className="hint">Select a row to see what is known of it.</p>;
  if (startsAt === undefined) return <p className="hint">This task is not in memory any more: it ended long ago.</p>;
  return (
    <p className="hint">
      This task had not started at this instant.{' '}
      <button type="button" className="link" onClick={() => view.pause(startsAt)}>
        Go to its start
      </button>
    </p>
  );
}
