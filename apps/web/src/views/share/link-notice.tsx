// A link can be of an instant, a process or a run of the server that this one
// does not have: why, and what is nearest.

import { NO_TASK, type TaskIndex } from '@dendro/engine';
import type { EventNs, TimeBase } from '@dendro/protocol';
import { X } from 'lucide-react';
import { useEffect } from 'react';
import { type App, useApp } from '../../app-context.ts';
import { dateTime } from '../../layout/format.ts';
import { printableName } from '../../layout/printable.ts';
import { type LinkTarget, useView, view } from '../../state/view-store.ts';
import { IconButton } from '../common/icon-button.tsx';
import { revealTask, taskOfTid } from '../omnibox/reveal-task.ts';
import { goToTime } from '../timeline/go-to-time.ts';
import { knownFrom } from '../timeline/strip-window.ts';
import type { TreeRows } from '../tree/tree-rows.ts';

interface Missing {
  readonly why: string;
  readonly offers: readonly { readonly label: string; readonly take: () => void }[];
}

export function LinkNotice({ treeRows }: { readonly treeRows: TreeRows }) {
  const app = useApp();
  const target = useView((state) => state.linkTarget);
  const selected = useView((state) => state.selected);
  const pausedAt = useView((state) => state.pausedAt);
  const isLoading = target === undefined || isOnItsWay(app, pausedAt);
  const missing = isLoading
    ? undefined
    : (unreadInstant(target) ?? missingInstant(app, pausedAt) ?? missingTask(app, treeRows, target, selected));
  const isFound = !isLoading && missing === undefined;
  const toReveal = isFound && target.isOfSearch && selected !== undefined ? treeRows.tree.indexOf(selected) : NO_TASK;
  useEffect(() => {
    if (!isFound) return;
    if (toReveal !== NO_TASK) revealTask(treeRows, toReveal);
    view.forgetLink();
  });
  if (missing === undefined) return null;
  return (
    <div className="link-notice" role="alert">
      <p>{missing.why}</p>
      {missing.offers.map(({ label, take }) => (
        <button
          key={label}
          type="button"
          className="link"
          onClick={() => {
            take();
            view.forgetLink();
          }}
        >
          {label}
        </button>
      ))}
      <IconButton label="Close" onClick={() => view.forgetLink()}>
        <X size={14} aria-hidden="true" />
      </IconButton>
    </div>
  );
}

function isOnItsWay({ replica, past }: App, pausedAt: EventNs | undefined): boolean {
  if (replica.version === undefined) return true;
  return (
    pausedAt !== undefined && past.isFor(pausedAt) && past.problem === undefined && past.treeAt(pausedAt) === undefined
  );
}

function baseOf({ replica }: App): TimeBase {
  return { epochNs: BigInt(replica.host?.baseEpochNs ?? '0') };
}

function unreadInstant({ isInstantLost }: LinkTarget): Missing | undefined {
  const why = 'The link names an instant that cannot be read, perhaps because it was cut: this is the present.';
  return isInstantLost ? { why, offers: [] } : undefined;
}

function missingInstant(app: App, at: EventNs | undefined): Missing | undefined {
  const { replica } = app;
  const base = baseOf(app);
  const [from, now] = [knownFrom(replica.tree, replica.host), replica.now()];
  if (at === undefined || (at >= from && at <= now)) return undefined;
  const nearest = at < from ? from : now;
  return {
    why: `The link is of ${dateTime(base, at)}. This host is known from ${dateTime(base, from)} to ${dateTime(base, now)}.`,
    offers: [
      {
        label: `Show ${dateTime(base, nearest)}, the nearest`,
        take: () => goToTime({ kind: 'instant', at: nearest, base }, replica),
      },
      { label: 'Go to the present', take: view.goLive },
    ],
  };
}

function missingTask(
  app: App,
  treeRows: TreeRows,
  { pid, isOfOtherRun, isOfSearch }: LinkTarget,
  selected: ReturnType<typeof useView.getState>['selected'],
): Missing | undefined {
  const { tree, columns } = treeRows;
  const { at } = columns.order;
  if (isOfOtherRun) {
    const why = 'The link is of another run of dendro: its ids mean nothing in this one.';
    if (pid === undefined) return { why, offers: [] };
    return { why: `${why} It was about process ${pid}.`, offers: byPid(treeRows, pid, at) };
  }
  if (selected === undefined) return undefined;
  const task = tree.indexOf(selected);
  if (task === NO_TASK || !tree.isPresent(task)) {
    const name = pid === undefined ? 'The process' : `Process ${pid}`;
    return {
      why: `${name}${isOfSearch ? '' : ' of the link'} is not known at this instant: it ended long ago, or nobody has told of it.`,
      offers: pid === undefined ? [] : byPid(treeRows, pid, at),
    };
  }
  if (tree.startOf(task) > at) {
    const base = baseOf(app);
    const start = tree.startOf(task);
    return {
      why: `${nameOf(treeRows, task, start)} of the link had not started at this instant.`,
      offers: [{ label: `Show its start, ${dateTime(base, start)}`, take: () => view.pause(start) }],
    };
  }
  const position = treeRows.positionOf(selected);
  if (isOfSearch || (position >= 0 && treeRows.kept?.[position] !== 0)) return undefined;
  return {
    why: `${nameOf(treeRows, task, at)} of the link is left out of what is shown.`,
    offers: [{ label: 'Show it', take: () => revealTask(treeRows, task) }],
  };
}

/** The one that has the pid here and now: perhaps the same, perhaps a stranger. */
function byPid(treeRows: TreeRows, pid: number, at: EventNs): Missing['offers'] {
  const task = taskOfTid(treeRows.tree, pid, at);
  if (task === NO_TASK) return [];
  return [
    { label: `Show ${nameOf(treeRows, task, at)}, which has that pid here`, take: () => revealTask(treeRows, task) },
  ];
}

function nameOf({ tree }: TreeRows, task: TaskIndex, at: EventNs): string {
  return `${printableName(tree.textAt(task, 'comm', at) ?? 'a process')} [${tree.tidOf(task)}]`;
}
