// The ancestors of what is at the top, held there. Each is a copy of a row that
// is further up: it is for the eye and the pointer, and a screen reader does not
// hear it a second time.

import { ChevronRight } from 'lucide-react';
import type { CSSProperties } from 'react';
import type { ColumnId } from '../../layout/columns.ts';
import { count, plural } from '../../layout/format.ts';
import type { StickyLine } from '../../layout/sticky-rows.ts';
import { Badges, Cells } from './row-cells.tsx';
import { rowStyle } from './tree-row.tsx';
import type { TreeRows } from './tree-rows.ts';
import type { ModelOf } from './use-row-model.ts';

interface StickyLinesProps {
  readonly lines: readonly StickyLine[];
  readonly treeRows: TreeRows;
  readonly rowHeight: number;
  readonly columns: readonly ColumnId[];
  readonly model: ModelOf;
  readonly onChoose: (row: number) => void;
}

export function StickyLines({ lines, onChoose, ...props }: StickyLinesProps) {
  if (lines.length === 0) return null;
  return (
    <div className="sticky-lines" aria-hidden="true" data-testid="sticky-lines" style={{ top: props.rowHeight }}>
      {lines.map((line, i) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: what it is a copy of can be reached by keys
        // biome-ignore lint/a11y/useKeyWithClickEvents: as above
        <div
          key={props.treeRows.idAt(line.row)}
          className={
            i === lines.length - 1 ? 'tree-row tree-columns is-sticky is-last' : 'tree-row tree-columns is-sticky'
          }
          style={styleOf(line, i, props)}
          onClick={() => onChoose(line.row)}
        >
          <Line {...props} line={line} />
        </div>
      ))}
    </div>
  );
}

/** The last one is pushed out below those above it. */
function styleOf({ row, top }: StickyLine, i: number, { treeRows, rowHeight }: LineProps): CSSProperties {
  const depth = treeRows.rows.depths[row] as number;
  return {
    ...rowStyle({ row: 0, rowHeight, depth, place: 0, siblings: 0 }),
    transform: `translateY(${top}px)`,
    zIndex: 9 - i,
  };
}

type LineProps = Omit<StickyLinesProps, 'lines' | 'onChoose'>;

function Line({ line, treeRows, columns, model }: LineProps & { readonly line: StickyLine }) {
  const { rows, order, taskAt } = treeRows;
  const { row, skipped } = line;
  const { name = '(no name known)', command, badges, ...rest } = model(taskAt(row));
  const size = rows.sizes[row] as number;
  return (
    <>
      <div className="cell-process" title={command ?? name}>
        <span className="guides" />
        <span className="chevron is-open">
          <ChevronRight size={14} />
        </span>
        {skipped > 0 && (
          <span className="skipped" title={`${plural(skipped, 'ancestor')} between`}>
            … {count(skipped)}
          </span>
        )}
        <span className="name">{name}</span>
        {size > 0 && <span className="group-size">×{count(size)}</span>}
        {size === 0 && <Badges badges={badges} />}
        {size === 0 && command !== undefined && <span className="command">{command}</span>}
      </div>
      {size === 0 && (
        <Cells
          {...{ name, command, badges, ...rest }}
          columns={columns}
          threads={order.threadCounts[rows.positions[row] as number] as number}
        />
      )}
    </>
  );
}
