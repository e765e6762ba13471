// Who started the task, eldest first: each as it was when it started the next
// one, how long after, and what changed on the way.

import { epochMsOf } from '@dendro/protocol';
import { Box, ShieldAlert, Unlink, UserRound } from 'lucide-react';
import { useMemo } from 'react';
import { useApp } from '../../app-context.ts';
import { clockTime, count, dateTime, millisecondsOf } from '../../layout/format.ts';
import { ancestorsOf } from '../../layout/lineage-family.ts';
import { END_TEXT, type LineageNodeModel, lineageNodeModel } from '../../layout/lineage-node.ts';
import { processOf } from '../../layout/process-of.ts';
import { view } from '../../state/view-store.ts';
import type { TaskProps } from './field.tsx';
import { OpenLineage } from './open-lineage.tsx';
import { useSteps } from './use-steps.ts';

const STEP = 50;

export function LineageTab({ tree, task, at, base, users }: TaskProps) {
  const process = processOf(tree, task);
  const { facts } = useApp().replica;
  const { ancestors, end } = useMemo(() => {
    void facts; // a late one can have changed who they are
    return ancestorsOf(tree, process, tree.startOf(process));
  }, [tree, process, facts]);
  const { shown, more, showMore } = useSteps(ancestors, STEP);
  const context = { tree, at, base, users };
  const chain = [{ task: process, at: undefined }, ...shown].map((link, i) =>
    lineageNodeModel(context, link, ancestors[i]?.task),
  );
  const clock = ({ id, started }: LineageNodeModel): string => {
    const start = tree.startOf(tree.indexOf(id));
    const mark = started.startsWith('≤') ? '≤ ' : '';
    return `${mark}${clockTime(base, start, epochMsOf(base, at))}${millisecondsOf(base, start)}`;
  };
  return (
    <>
      <OpenLineage task={tree.taskIdOf(process)} />
      <ol className="crumbs" aria-label="Lineage, eldest first">
        {more > 0 ? (
          <li className="crumb-end">
            <button type="button" className="link" onClick={showMore}>
              {count(more)} further up: show
            </button>
          </li>
        ) : (
          end !== 'root' && (
            <li className="crumb-end" title={END_TEXT[end].long}>
              <Unlink size={12} aria-hidden="true" /> {END_TEXT[end].short}
            </li>
          )
        )}
        {chain.toReversed().map((model, i) => (
          <Crumb key={model.id} model={model} started={clock(model)} isSelf={i === chain.length - 1} />
        ))}
      </ol>
      <p className="hint">
        Names and users are those of the moment when each started the next one; of the last one, of {dateTime(base, at)}
        .
      </p>
    </>
  );
}

interface CrumbProps {
  readonly model: LineageNodeModel;
  /** As a clock says it. */
  readonly started: string;
  readonly isSelf: boolean;
}

function Crumb({ model, started, isSelf }: CrumbProps) {
  const { id, name, pid, user, userChange, isRaised, container, sinceParent, isEvicted } = model;
  return (
    <li className="crumb" aria-current={isSelf || undefined}>
      {sinceParent !== undefined && (
        <span className="crumb-since" title="From the start of its parent to its own">
          {sinceParent}
        </span>
      )}
      <button
        type="button"
        className="crumb-button"
        disabled={isSelf || isEvicted}
        title={isEvicted ? 'Not in memory any more' : isSelf ? undefined : 'Select it'}
        onClick={() => view.reveal(id)}
      >
        <span className="crumb-name">
          {name} <small>{pid}</small>
        </span>
        <span className="crumb-state">{model.isAlive ? '' : model.stateText}</span>
      </button>
      <span className="crumb-facts">
        <span className={isRaised ? 'crumb-user is-raised' : 'crumb-user'}>
          {isRaised ? (
            <ShieldAlert size={12} aria-label="More rights than its parent" role="img" />
          ) : (
            userChange && <UserRound size={12} aria-label="Another user than its parent" role="img" />
          )}
          {userChange ?? user}
        </span>
        <time title={`Started ${model.started}`}>{started}</time>
        {container !== undefined && (
          <span className="crumb-container">
            <Box size={12} aria-label="Another container than its parent:" role="img" /> {container}
          </span>
        )}
      </span>
    </li>
  );
}
