import type { TaskId } from '@dendro/protocol';
import { ChevronRight } from 'lucide-react';
import { type CSSProperties, type MouseEvent, memo } from 'react';
import { count, plural } from '../../layout/format.ts';
import type { RowModel } from '../../layout/row-model.ts';
import { ROW_HEIGHT } from '../../layout/row-window.ts';
import type { Marks } from '../../query/asked.ts';
import type { Pattern } from '../../query/ast.ts';
import { markedParts } from '../../query/marks.ts';
import { useView, view } from '../../state/view-store.ts';

/** Deeper rows are not indented further... */
const MAX_INDENT = 24;
/** ...and from here on their depth is written out: in a narrow grid they are not indented further already. */
const WRITTEN_DEPTH = 12;

interface RowStyle extends CSSProperties {
  readonly '--depth': number;
}

export interface TreeRowProps extends RowModel {
  readonly row: number;
  readonly depth: number;
  /** Place among the rows with the same parent, from 1, and how many these are. */
  readonly place: number;
  readonly siblings: number;
  /** Living threads of the process. */
  readonly threads: number;
  /** Rows below it in the tree, shown or not. */
  readonly below: number;
  readonly isOpen: boolean;
  readonly canFold: boolean;
  readonly isSelected: boolean;
  /** Leads to a match of a filter, and is none itself. */
  readonly isDimmed: boolean;
  /** Rows below it that were found, in a row that is folded. */
  readonly foundBelow: number;
  /** What to mark in a row that was found. */
  readonly marks: Marks | undefined;
}

export function rowId(task: TaskId): string {
  return `task-${task}`;
}

export const TreeRow = memo(function TreeRow(props: TreeRowProps) {
  const { id, row, depth, state, isNew, isThread, isSelected } = props;
  const style: RowStyle = {
    '--depth': Math.min(depth, MAX_INDENT),
    transform: `translateY(${row * ROW_HEIGHT}px)`,
  };
  const classes = [
    'tree-row tree-columns',
    isSelected && 'is-selected',
    props.marks !== undefined && 'is-found',
    props.isDimmed && 'is-dimmed',
    state === 'exited' && 'is-exited',
    isNew && 'is-new',
    isThread && 'is-thread',
  ];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys for all rows
    <div
      id={rowId(id)}
      className={classes.filter(Boolean).join(' ')}
      role="row"
      aria-rowindex={row + 2}
      aria-level={depth + 1}
      aria-posinset={props.place}
      aria-setsize={props.siblings}
      aria-selected={isSelected}
      aria-expanded={props.below > 0 ? props.isOpen : undefined}
      data-testid="tree-row"
      data-task-id={id}
      data-pid={isThread ? undefined : props.pid}
      data-tid={props.tid}
      data-state={state}
      data-new={isNew || undefined}
      style={style}
      onClick={() => selectOrOpen(id)}
    >
      <NameCell {...props} />
      <div role="gridcell" className="cell-pid">
        {props.tid}
      </div>
      <div role="gridcell" className="cell-threads">
        <Threads {...props} />
      </div>
      <div role="gridcell" className="cell-user" title={props.userTitle}>
        {props.user}
      </div>
      <div role="gridcell" className="cell-started" title={props.startedTitle}>
        {props.started}
      </div>
      <div role="gridcell" className="cell-state" title={props.stateTitle || undefined}>
        <span className={`state-${props.stateTone}`}>{props.stateText}</span>
        <span className="age">{props.stateAge}</span>
      </div>
    </div>
  );
});

/** The first click selects a row, another one on it looks closer: so does a finger, which cannot press Enter. */
function selectOrOpen(id: TaskId): void {
  if (useView.getState().selected === id) view.openDetails(id);
  else view.select(id);
}

function NameCell({
  id,
  depth,
  name,
  command,
  isPlaceholder,
  isNew,
  below,
  isOpen,
  canFold,
  foundBelow,
  marks,
}: TreeRowProps) {
  const toggle = (event: MouseEvent): void => {
    event.stopPropagation();
    if (isOpen) view.collapse([id]);
    else view.expand([id]);
  };
  return (
    <div role="gridcell" className="cell-process" title={command ?? name}>
      <span className="guides" aria-hidden="true" />
      {depth > WRITTEN_DEPTH && <span className="depth">{depth}</span>}
      {below > 0 ? (
        <button
          type="button"
          className={isOpen ? 'chevron is-open' : 'chevron'}
          tabIndex={-1}
          aria-label={isOpen ? 'Collapse' : 'Expand'}
          disabled={!canFold}
          title={canFold ? undefined : 'The filter opens whatever leads to a match'}
          onClick={toggle}
        >
          <ChevronRight size={14} aria-hidden="true" />
        </button>
      ) : (
        <span className="chevron-space" />
      )}
      <span className={name === undefined ? 'name is-unknown' : 'name'}>
        <Marked text={name ?? '(no name known)'} patterns={marks?.name} />
      </span>
      {below > 0 && !isOpen && <span className="below">{`+${count(below)}`}</span>}
      {foundBelow > 0 && <span className="below is-found">{`${count(foundBelow)} found`}</span>}
      {isNew && <span className="visually-hidden">new</span>}
      {isPlaceholder && (
        <span className="tag" title="Known only because another event mentioned it">
          mentioned
        </span>
      )}
      {command !== undefined && (
        <span className="command">
          <Marked text={command} patterns={marks?.command} />
        </span>
      )}
    </div>
  );
}

interface MarkedProps {
  readonly text: string;
  readonly patterns: readonly Pattern[] | undefined;
}

function Marked({ text, patterns }: MarkedProps) {
  if (patterns === undefined || patterns.length === 0) return text;
  return markedParts(text, patterns).map((part, i) => (part.isMarked ? <mark key={i}>{part.text}</mark> : part.text));
}

function Threads({ id, isThread, threads }: TreeRowProps) {
  if (isThread || threads === 0) return null;
  if (threads === 1) return 1;
  return (
    <button
      type="button"
      className="link"
      tabIndex={-1}
      title={`Show or hide the ${plural(threads, 'thread')} of this process`}
      onClick={(event) => {
        event.stopPropagation();
        view.toggleThreadsOf(id);
      }}
    >
      {threads}
    </button>
  );
}
