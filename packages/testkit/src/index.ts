export { describeTree, drawTree } from './tree-text.ts';
