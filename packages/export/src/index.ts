export { Branches, type BranchStyle } from './branches.ts';
export { csvCell, dotText, xmlText } from './escape.ts';
export {
  csvText,
  dotTree,
  jsonText,
  type LineTone,
  MAX_DRAWN_LINES,
  ndjsonText,
  svgTree,
  type TreeLine,
  textTree,
} from './formats.ts';
export { printable } from './printable.ts';
export { type ExportedTask, exportedTask, TASK_COLUMNS, type TaskRecord, taskRecord } from './task-record.ts';
