export { parseTraceText, type TraceText } from './trace-text.ts';
export { TraceeServer } from './tracee-server.ts';
export { describeTree, drawTree } from './tree-text.ts';
