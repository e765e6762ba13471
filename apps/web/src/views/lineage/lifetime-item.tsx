import type { TaskId } from '@dendro/protocol';
import type { CSSProperties } from 'react';
import { elapsed, exactTime } from '../../layout/format.ts';
import type { Bar, LifeRow, LifetimeRow } from '../../layout/lifetime-layout.ts';
import { lineageNodeModel, moreText, nodeRemarks, nodeSentence } from '../../layout/lineage-node.ts';
import type { RowContext } from '../../layout/row-model.ts';
import { ROW_HEIGHTS } from '../../layout/row-window.ts';
import { useView, view } from '../../state/view-store.ts';

interface LifetimeItemProps {
  readonly row: number;
  readonly rows: readonly LifetimeRow[];
  readonly context: RowContext;
  readonly isCursor: boolean;
}

interface ItemStyle extends CSSProperties {
  readonly '--depth': number;
}

/** Deeper rows are not indented further. */
const MAX_INDENT = 16;
/** A label stands right of its bar, unless that ends here or further right. */
const LABEL_INSIDE = 0.8;

export function lifetimeId(task: TaskId): string {
  return `life-${task}`;
}

export function LifetimeItem({ row, rows, context, isCursor }: LifetimeItemProps) {
  const item = rows[row] as LifetimeRow;
  const style: ItemStyle = {
    '--depth': Math.min(item.depth, MAX_INDENT),
    transform: `translateY(${row * ROW_HEIGHTS.comfortable}px)`,
  };
  if (item.kind === 'more') {
    const text = `${moreText(item.count)}, not shown`;
    return (
      <div className="lifetime lifetimes-columns is-more" role="treeitem" aria-level={item.depth + 1} style={style}>
        <div className="lifetime-name" aria-hidden="true">
          {text}
        </div>
      </div>
    );
  }
  return <Life row={row} item={item} rows={rows} context={context} isCursor={isCursor} style={style} />;
}

interface LifeProps extends LifetimeItemProps {
  readonly item: LifeRow;
  readonly style: ItemStyle;
}

function Life({ item, rows, context, isCursor, style }: LifeProps) {
  const { tree, base, at } = context;
  const { task, bar } = item;
  const above = rows[item.parent];
  const parent = above?.kind === 'life' ? above.task : undefined;
  const model = lineageNodeModel(context, { task, at: undefined }, parent);
  const exit = tree.exitOf(task);
  const lived = elapsed(Math.min(exit, at) - tree.startOf(task));
  const life = `from ${model.started} ${model.isAlive ? 'on' : `to ${exactTime(base, exit)}`}, ${lived}`;
  // It is called by what is to be seen, in that order; whoever speaks to the page says it.
  const end = model.isAlive ? '' : ` ${model.stateText}`;
  const seen = `${model.name} ${model.pid}${bar === undefined ? '' : ` ${lived}${end}`}`;
  const onClick = (): void => {
    if (useView.getState().selected === model.id) view.openDetails(model.id);
    else view.select(model.id);
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list handles the keys for all rows
    <div
      id={lifetimeId(model.id)}
      className={`lifetime lifetimes-columns${isCursor ? ' is-cursor' : ''}${model.isAlive ? '' : ' is-ended'}`}
      role="treeitem"
      aria-level={item.depth + 1}
      aria-selected={isCursor}
      aria-label={[seen, model.user, ...nodeRemarks(model), life].join(', ')}
      title={`${nodeSentence(model)}\n${model.command ?? ''}\n${life}`}
      data-testid="lifetime"
      data-pid={model.pid}
      data-task-id={model.id}
      style={style}
      onClick={onClick}
    >
      <div className="lifetime-name">
        <span className={model.isNameKnown ? 'node-name' : 'node-name is-unknown'}>{model.name}</span>{' '}
        <span className="node-pid">{model.pid}</span>
      </div>{' '}
      <div className="lane">
        {bar !== undefined && <LifeBar bar={bar} tone={model.stateTone} />}
        {bar !== undefined && (
          <Label bar={bar} text={lived} state={model.isAlive ? '' : model.stateText} tone={model.stateTone} />
        )}
      </div>
    </div>
  );
}

function LifeBar({ bar, tone }: { readonly bar: Bar; readonly tone: string }) {
  const classes = [
    'bar',
    `is-${tone}`,
    bar.isCutLeft && 'is-cut-left',
    bar.isCutRight && 'is-cut-right',
    bar.isOpen && 'is-open',
  ];
  return (
    <span
      className={classes.filter(Boolean).join(' ')}
      style={{ left: `${bar.left * 100}%`, width: `${Math.max(0, bar.right - bar.left) * 100}%` }}
    />
  );
}

interface LabelProps {
  readonly bar: Bar;
  readonly text: string;
  readonly state: string;
  readonly tone: string;
}

function Label({ bar, text, state, tone }: LabelProps) {
  const isLeft = bar.right > LABEL_INSIDE && bar.left > 1 - LABEL_INSIDE;
  const isInside = bar.right > LABEL_INSIDE && !isLeft;
  const style: CSSProperties = isLeft
    ? { right: `${(1 - bar.left) * 100}%` }
    : isInside
      ? { left: `${bar.left * 100}%` }
      : { left: `${bar.right * 100}%` };
  return (
    <span className={isInside ? 'bar-label is-inside' : 'bar-label'} style={style}>
      {text} {state !== '' && <span className={`state-${tone}`}>{state}</span>}
    </span>
  );
}
