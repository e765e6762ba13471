import type { TaskId } from '@dendro/protocol';
import { ChevronRight } from 'lucide-react';
import { type CSSProperties, type MouseEvent, memo } from 'react';
import type { Badge } from '../../layout/badges.ts';
import type { RowChange } from '../../layout/change-words.ts';
import type { ChangeCounts } from '../../layout/compare.ts';
import { count } from '../../layout/format.ts';
import type { OrphanNote } from '../../layout/orphan.ts';
import type { Rollup } from '../../layout/rollups.ts';
import type { Marks } from '../../query/asked.ts';
import { useView, view } from '../../state/view-store.ts';
import { ChangeGlyph, ChangeNote, ChangesBelow } from './change-marks.tsx';
import { RollupMarks } from './rollup-marks.tsx';
import { Badges, Cells, type CellsProps, Marked } from './row-cells.tsx';

/** Deeper rows are not indented further... */
const MAX_INDENT = 24;
/** ...and from here on their depth is written out: in a narrow grid they are not indented further already. */
const WRITTEN_DEPTH = 12;

interface RowStyle extends CSSProperties {
  readonly '--depth': number;
}

export interface PlaceProps {
  readonly row: number;
  readonly rowHeight: number;
  readonly depth: number;
  /** Place among the rows with the same parent, from 1, and how many these are. */
  readonly place: number;
  readonly siblings: number;
}

export interface TreeRowProps extends CellsProps, PlaceProps {
  /** Are there rows below it in the tree, shown or not? */
  readonly hasBelow: boolean;
  readonly isOpen: boolean;
  readonly canFold: boolean;
  /** What is below it while it is folded. */
  readonly rollup: Rollup | undefined;
  /** The same while two instants are compared. */
  readonly changesBelow: ChangeCounts | undefined;
  /** What of it differs from the other instant. */
  readonly change: RowChange | undefined;
  readonly isSelected: boolean;
  readonly isFollowed: boolean;
  /** Began or ended where the pointer is on the strip. */
  readonly isLinked: boolean;
  /** A process of Dendro itself. */
  readonly isOwn: boolean;
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

export function rowStyle({ depth, row, rowHeight }: PlaceProps): RowStyle {
  return { '--depth': Math.min(depth, MAX_INDENT), transform: `translateY(${row * rowHeight}px)` };
}

export const TreeRow = memo(function TreeRow(props: TreeRowProps) {
  const { id, row, depth, isThread, isSelected, hasBelow } = props;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys for all rows
    <div
      id={rowId(id)}
      className={rowClass(props)}
      role="row"
      aria-rowindex={row + 2}
      aria-level={depth + 1}
      aria-posinset={props.place}
      aria-setsize={props.siblings}
      aria-selected={isSelected}
      aria-expanded={hasBelow ? props.isOpen : undefined}
      data-testid="tree-row"
      data-task-id={id}
      data-pid={isThread ? undefined : props.pid}
      data-tid={props.tid}
      data-state={props.state}
      data-new={props.isNew || undefined}
      data-ending={props.isEnding || undefined}
      data-change={props.change?.kind}
      style={rowStyle(props)}
      onClick={() => selectOrOpen(id)}
    >
      {props.change && <ChangeGlyph {...props.change} />}
      <NameCell {...props} />
      <Cells {...props} />
    </div>
  );
}, saysTheSame);

export function rowClass(props: TreeRowProps): string {
  const { state, isNew, isThread, isSelected } = props;
  const classes = [
    'tree-row tree-columns',
    isSelected && 'is-selected',
    props.isFollowed && 'is-followed',
    props.isLinked && 'is-linked',
    props.isDimmed && 'is-dimmed',
    state === 'exited' && 'is-exited',
    isNew && 'is-new',
    props.isEnding && 'is-ending',
    isThread && 'is-thread',
    props.change !== undefined && `differs is-${props.change.kind}`,
  ];
  return classes.filter(Boolean).join(' ');
}

/** The first click selects a row, another one on it looks closer: so does a finger, which cannot press Enter. */
function selectOrOpen(id: TaskId): void {
  if (useView.getState().selected === id) view.openDetails(id);
  else view.select(id);
}

export function NameCell(props: TreeRowProps) {
  const { id, depth, name, command, hasBelow, isOpen, canFold, rollup, changesBelow, foundBelow, marks } = props;
  const toggle = (): void => {
    if (isOpen) view.collapse([id]);
    else view.expand([id]);
  };
  return (
    <div role="gridcell" className="cell-process" title={command ?? name}>
      <span className="guides" aria-hidden="true" />
      {depth > WRITTEN_DEPTH && <span className="depth">{depth}</span>}
      {hasBelow ? <Chevron isOpen={isOpen} canFold={canFold} onToggle={toggle} /> : <span className="chevron-space" />}
      <span className={name === undefined ? 'name is-unknown' : 'name'}>
        <Marked text={name ?? '(no name known)'} patterns={marks?.name} />
      </span>
      {rollup !== undefined && <RollupMarks {...rollup} />}
      {changesBelow !== undefined && <ChangesBelow {...changesBelow} />}
      {foundBelow > 0 && <span className="below is-found">{`${count(foundBelow)} found`}</span>}
      <Tags {...props} />
      <Badges badges={props.badges} />
      {command !== undefined && (
        <span className="command">
          <Marked text={command} patterns={marks?.command} />
        </span>
      )}
    </div>
  );
}

interface ChevronProps {
  readonly isOpen: boolean;
  readonly canFold: boolean;
  readonly onToggle: () => void;
}

export function Chevron({ isOpen, canFold, onToggle }: ChevronProps) {
  return (
    <button
      type="button"
      className={isOpen ? 'chevron is-open' : 'chevron'}
      tabIndex={-1}
      aria-label={isOpen ? 'Collapse' : 'Expand'}
      disabled={!canFold}
      title={canFold ? undefined : 'The filter opens whatever leads to a match'}
      onClick={(event: MouseEvent) => {
        event.stopPropagation();
        onToggle();
      }}
    >
      <ChevronRight size={14} aria-hidden="true" />
    </button>
  );
}

function Tags({ isNew, isEnding, isPlaceholder, isOwn, orphan, change }: TreeRowProps) {
  return (
    <>
      {change !== undefined && <ChangeNote {...change} />}
      {isNew && <span className="visually-hidden">new</span>}
      {isEnding && <span className="visually-hidden">ended on the way here</span>}
      {isPlaceholder && (
        <span className="tag" title="Known only because another event mentioned it">
          mentioned
        </span>
      )}
      {isOwn && (
        <span className="tag" title="A process of Dendro itself: View hides them">
          Dendro
        </span>
      )}
      {orphan !== undefined && change?.kind !== 'moved' && (
        <span className="tag is-orphan" title={orphan.title}>
          {orphan.text}
        </span>
      )}
    </>
  );
}

/** Plain values are compared as they are, what is made of several by its parts. */
function saysTheSame(before: TreeRowProps, after: TreeRowProps): boolean {
  const keys = Object.keys(after) as (keyof TreeRowProps)[];
  return keys.every((key) => {
    if (before[key] === after[key]) return true;
    switch (key) {
      case 'badges':
        return sameList(before.badges, after.badges);
      case 'orphan':
        return sameParts<OrphanNote>(before.orphan, after.orphan);
      case 'rollup':
        return sameParts<Rollup>(before.rollup, after.rollup);
      case 'change':
        return sameParts<RowChange>(before.change, after.change);
      case 'changesBelow':
        return sameParts<ChangeCounts>(before.changesBelow, after.changesBelow);
      default:
        return false;
    }
  });
}

function sameList(before: readonly Badge[], after: readonly Badge[]): boolean {
  return before.length === after.length && after.every((badge, i) => sameParts<Badge>(before[i], badge));
}

function sameParts<T extends object>(before: T | undefined, after: T | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  return (Object.keys(after) as (keyof T)[]).every((key) => before[key] === after[key]);
}
