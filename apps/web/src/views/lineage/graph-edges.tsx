import { type LineageLayout, type LineageNode, STEP_X } from '../../layout/lineage-layout.ts';
import { sinceParent } from '../../layout/lineage-node.ts';
import { edgePath } from '../../layout/lineage-svg.ts';
import type { RowContext } from '../../layout/row-model.ts';

interface GraphEdgesProps {
  readonly layout: LineageLayout;
  /** Of the nodes that the edges lead to. */
  readonly positions: readonly number[];
  readonly context: RowContext;
}

/** Edges, and on each how long after its parent a process started. */
export function GraphEdges({ layout, positions, context: { tree } }: GraphEdgesProps) {
  return (
    <svg className="graph-edges" width={STEP_X} height="1" aria-hidden="true">
      {positions.map((position) => {
        const node = layout.nodes[position] as LineageNode;
        const parent = layout.nodes[node.parent] as LineageNode;
        const isOfTasks = node.kind === 'task' && parent.kind === 'task';
        return (
          <g key={node.key}>
            <path
              className={node.kind === 'more' || parent.kind === 'end' ? 'edge is-open' : 'edge'}
              d={edgePath(parent, node)}
            />
            {isOfTasks && (
              <text x={node.x - 8} y={node.y - 5}>
                {sinceParent(tree, node.task, parent.task)}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}
