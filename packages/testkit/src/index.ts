export { parseTraceText, type TraceText } from './trace-text.ts';
export { describeTree, drawTree } from './tree-text.ts';
