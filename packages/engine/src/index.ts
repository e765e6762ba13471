export type { EnrichmentRequest } from './enrichment-queue.ts';
export { NO_TASK, type TaskIndex } from './ids.ts';
export { ProcessTree, type ProcessTreeCounts, type ProcessTreeOptions } from './process-tree.ts';
export type { Batch } from './recorder.ts';
export {
  type ChangelogEntry,
  type FactWriter,
  type Gap,
  type NumberField,
  TemporalTree,
  type TemporalTreeOptions,
  type TextField,
} from './temporal-tree.ts';
export { type OrderOptions, orderTree, type TreeOrder } from './tree-order.ts';
