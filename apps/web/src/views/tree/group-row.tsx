// Siblings that are alike, in one row.

import { CopyMinus } from 'lucide-react';
import type { ChangeCounts } from '../../layout/compare.ts';
import { count, plural } from '../../layout/format.ts';
import type { Rollup } from '../../layout/rollups.ts';
import type { GroupKey } from '../../layout/sibling-groups.ts';
import { treeView } from '../../state/tree-store.ts';
import { view } from '../../state/view-store.ts';
import { ChangesBelow } from './change-marks.tsx';
import { RollupMarks } from './rollup-marks.tsx';
import { Chevron, type PlaceProps, rowStyle } from './tree-row.tsx';

export interface GroupRowProps extends PlaceProps {
  readonly group: GroupKey;
  readonly name: string;
  readonly user: string;
  /** Members that stand in this row or below it. */
  readonly size: number;
  readonly isOpen: boolean;
  readonly isSelected: boolean;
  /** Of the members, with all below them. */
  readonly rollup: Rollup;
  /** In its place while two instants are compared. */
  readonly changes: ChangeCounts | undefined;
  readonly columns: readonly string[];
}

export function groupRowId(group: GroupKey): string {
  return `group-${encodeURIComponent(group)}`;
}

export function GroupRow(props: GroupRowProps) {
  const { group, row, depth, name, size, isOpen, isSelected, rollup, changes } = props;
  const toggle = (): void => treeView.toggleGroup(group);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys for all rows
    <div
      id={groupRowId(group)}
      className={isSelected ? 'tree-row tree-columns is-group is-selected' : 'tree-row tree-columns is-group'}
      role="row"
      aria-rowindex={row + 2}
      aria-level={depth + 1}
      aria-posinset={props.place}
      aria-setsize={props.siblings}
      aria-selected={isSelected}
      aria-expanded={isOpen}
      data-testid="group-row"
      style={rowStyle(props)}
      onClick={() => (isSelected ? toggle() : view.selectGroup(group))}
    >
      <div
        role="gridcell"
        className="cell-process"
        title={`${plural(size, 'process', 'processes')} ${name} of ${props.user}, alike: the same program and user`}
      >
        <span className="guides" aria-hidden="true" />
        <Chevron isOpen={isOpen} canFold onToggle={toggle} />
        <span className="name">{name}</span>
        <span className="group-size">
          <CopyMinus size={11} aria-hidden="true" />
          <span aria-hidden="true">×{count(size)}</span>
          <span className="visually-hidden">{plural(size, 'process', 'processes')} alike</span>
        </span>
        {!isOpen && (changes === undefined ? <RollupMarks {...rollup} /> : <ChangesBelow {...changes} />)}
      </div>
      {props.columns.map((column) => (
        <div key={column} role="gridcell" className={`cell-${column}`}>
          {column === 'user' ? props.user : null}
        </div>
      ))}
    </div>
  );
}
