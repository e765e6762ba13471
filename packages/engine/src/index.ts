export { NO_TASK, type TaskIndex } from './ids.ts';
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
