export {
  type BatchOutcome,
  BatchSequence,
  type BatchSequenceOptions,
  type SequencedBatch,
} from './batch-sequence.ts';
export {
  type Answers,
  type LineageKey,
  type ProcessLineage,
  ProcessTreeDataSource,
  type ProcKey,
  type ResolvingTree,
  type ThreadInfo,
  type ThreadKey,
  type TimeRelevant,
  type TreeKey,
} from './data-source.ts';
export type { EnrichmentRequest } from './enrichment-queue.ts';
export { EntityIds } from './entity-id.ts';
export { NO_TASK, type TaskIndex } from './ids.ts';
export { processJson, threadJson } from './info-json.ts';
export type { OrderOptions } from './laid-out-tree.ts';
export { type LineageEnd, lineageEnd } from './lineage-end.ts';
export { type KnownFrom, ProcessInfo, type RelatedTask } from './process-info.ts';
export { ProcessTree, type ProcessTreeCounts, type ProcessTreeOptions } from './process-tree.ts';
export type { Batch } from './recorder.ts';
export { TaskChanges } from './task-changes.ts';
export { AmbiguousTaskError, DataNotFoundError, KeyNotSupportedError, type TaskRef } from './task-ref.ts';
export {
  type ChangelogEntry,
  CopiedTexts,
  type FactWriter,
  type Gap,
  type NumberField,
  TemporalTree,
  type TemporalTreeOptions,
  type TextField,
} from './temporal-tree.ts';
export {
  type ChangedField,
  type DifferenceOptions,
  type DifferentTask,
  differenceOf,
  type ParentThen,
  type RememberedTree,
  rememberTree,
  type TreeDifference,
  type TreeMoment,
} from './tree-difference.ts';
export { orderTree, type TreeOrder, TreeOrders } from './tree-order.ts';
export { instantOf, orderUnion, type UnionOptions } from './union-order.ts';
