import type { EventNs } from '@dendro/protocol';
import type { TaskIndex } from './ids.ts';
import type { TemporalTree } from './temporal-tree.ts';

/** Why a lineage goes no further up [LI2]. */
export type LineageEnd = 'root' | 'unknown' | 'evicted' | 'trimmed';

/** Init (1) and kthreadd (2) have no parent, said or not. */
const KTHREADD_PID = 2;

/** Why a task has no parent at `at`; to be asked of one that has none. */
export function lineageEnd(tree: TemporalTree, oldest: TaskIndex, at: EventNs): LineageEnd {
  if (tree.isTrimmedAt(oldest, 'parent', at)) return 'trimmed';
  const isSaid = tree.authorityAt(oldest, 'parent', at) !== undefined;
  if (isSaid || tree.pidOf(oldest) <= KTHREADD_PID) return 'root';
  return tree.isStub(oldest) ? 'evicted' : 'unknown';
}
