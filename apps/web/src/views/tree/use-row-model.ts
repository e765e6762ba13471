import { instantOf, type TaskIndex } from '@dendro/engine';
import { useApp } from '../../app-context.ts';
import type { ColumnId } from '../../layout/columns.ts';
import { type RowContext, type RowModel, rowModel } from '../../layout/row-model.ts';
import { useMovedFrom } from '../../state/moved-from.ts';
import type { TreeRows } from './tree-rows.ts';

export type ModelOf = (task: TaskIndex) => RowModel;

/** What the row of a task says at the instant that is shown. */
export function useRowModel({ tree, order, changes }: TreeRows, columns: readonly ColumnId[]): ModelOf {
  const { host } = useApp().replica;
  const movedFrom = useMovedFrom((state) => state.from);
  const context: RowContext = {
    tree,
    at: order.at,
    base: { epochNs: BigInt(host?.baseEpochNs ?? '0') },
    users: host?.users ?? {},
    columns,
    movedFrom: changes === undefined ? movedFrom : undefined,
  };
  return (task) => {
    const at = instantOf(tree, order, task);
    return rowModel(at === order.at ? context : { ...context, at }, task);
  };
}
