// The rows that are in the page.

import { useApp } from '../../app-context.ts';
import { rowChange } from '../../layout/change-words.ts';
import type { ColumnId } from '../../layout/columns.ts';
import type { RowWindow } from '../../layout/row-window.ts';
import { useLinked } from '../../state/linked.ts';
import { useTree } from '../../state/tree-store.ts';
import { useView } from '../../state/view-store.ts';
import { GroupRow } from './group-row.tsx';
import { TreeRow } from './tree-row.tsx';
import type { TreeRows } from './tree-rows.ts';
import type { ModelOf } from './use-row-model.ts';

interface GridRowsProps {
  readonly treeRows: TreeRows;
  readonly window: RowWindow;
  /** Drawn wherever it is; -1 when there is none. */
  readonly selectedRow: number;
  readonly columns: readonly ColumnId[];
  readonly model: ModelOf;
  readonly rowHeight: number;
}

export function GridRows({ treeRows, window, selectedRow, columns, model, rowHeight }: GridRowsProps) {
  const collapsed = useView((state) => state.collapsed);
  const openGroups = useTree((state) => state.openGroups);
  const followed = useTree((state) => state.followed?.task);
  const { host } = useApp().replica;
  const stretch = useLinked((state) => state.stretch);
  const isInStretch = (time: number) => stretch !== undefined && time >= stretch.from && time < stretch.to;
  const onlyChanged = useView((state) => state.comparison?.onlyChanged ?? false);
  const { tree, rows, order, asked, found, isFiltered, taskAt, groupAt, groups, rollups, own, changes } = treeRows;
  const base = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
  const isFolding = !isFiltered;
  const drawn: number[] = [];
  for (let row = window.first; row < Math.min(window.end, rows.length); row++) drawn.push(row);
  if (selectedRow >= 0 && !drawn.includes(selectedRow)) drawn.push(selectedRow);
  return drawn.map((row) => {
    const { name, user, ...rest } = model(taskAt(row));
    const position = rows.positions[row] as number;
    const parent = rows.parents[row] as number;
    const place = {
      row,
      rowHeight,
      depth: rows.depths[row] as number,
      place: rows.places[row] as number,
      siblings: parent < 0 ? rows.rootCount : (rows.childCounts[parent] as number),
    };
    const isSelected = row === selectedRow;
    const group = groupAt(row);
    if (group !== undefined) {
      const members = groups.membersOf(rows.groups[row] as number);
      return (
        <GroupRow
          key={group}
          {...place}
          {...{ group, user, columns, isSelected }}
          name={name ?? ''}
          size={rows.sizes[row] as number}
          isOpen={openGroups.has(group)}
          rollup={rollups.group(members)}
          changes={changes?.inAll(members.map((member) => [member, order.subtreeEnds[member] as number]))}
        />
      );
    }
    const end = order.subtreeEnds[position] as number;
    const hasBelow = end > position + 1;
    const isFound = found?.has(position) ?? false;
    const isOpen = hasBelow && !(isFolding && collapsed.has(rest.id));
    const isFolded = hasBelow && !isOpen;
    const change = changes && rowChange(changes, tree, taskAt(row), position, base);
    return (
      <TreeRow
        key={rest.id}
        {...{ name, user, ...rest, ...place, columns, hasBelow, isOpen, isSelected }}
        threads={order.threadCounts[position] as number}
        canFold={isFolding}
        rollup={isFolded && changes === undefined ? rollups.below(position) : undefined}
        changesBelow={isFolded ? changes?.below(position, end) : undefined}
        change={change}
        isLinked={isInStretch(rest.bornAt) || isInStretch(rest.endedAt)}
        isFollowed={rest.id === followed}
        isOwn={own.includes(position)}
        isDimmed={(isFiltered && !isFound) || (changes !== undefined && onlyChanged && change === undefined)}
        foundBelow={isOpen || found === undefined ? 0 : found.countIn(position + 1, end)}
        marks={isFound ? asked?.marks : undefined}
      />
    );
  });
}
