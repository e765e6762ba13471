// Where an arrow key leads in a lineage: along the edges, and up and down within
// a generation.

import type { LineageLayout, LineageNode } from './lineage-layout.ts';

/** @returns position of the node that the key leads to, `from` where it leads nowhere; undefined for other keys */
export function walk({ nodes, subject }: LineageLayout, from: number, key: string): number | undefined {
  const node = nodes[from] as LineageNode;
  switch (key) {
    case 'ArrowLeft':
      return node.parent < 0 ? from : node.parent;
    case 'ArrowRight':
      return nearest(nodes, from, (other) => (other.parent === from ? Math.abs(other.y - node.y) : undefined));
    case 'ArrowUp':
      return nearest(nodes, from, (other) => (other.x === node.x && other.y < node.y ? node.y - other.y : undefined));
    case 'ArrowDown':
      return nearest(nodes, from, (other) => (other.x === node.x && other.y > node.y ? other.y - node.y : undefined));
    case 'Home':
      return 0;
    case 'End':
      return subject;
    default:
      return undefined;
  }
}

function nearest(
  nodes: readonly LineageNode[],
  from: number,
  distanceTo: (node: LineageNode) => number | undefined,
): number {
  let best = from;
  let least = Number.POSITIVE_INFINITY;
  nodes.forEach((node, i) => {
    const distance = distanceTo(node);
    if (distance === undefined || distance >= least) return;
    best = i;
    least = distance;
  });
  return best;
}
