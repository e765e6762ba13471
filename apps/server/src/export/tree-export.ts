// The tree as of an instant as a file. What it is an extract of is written into it: of which host and time, by which version, and
// what is left out.

import { NO_TASK, orderTree, type TaskIndex, type TemporalTree } from '@dendro/engine';
import {
  csvText,
  dotTree,
  type ExportedTask,
  exportedTask,
  jsonText,
  ndjsonText,
  printable,
  svgTree,
  TASK_COLUMNS,
  type TreeLine,
} from '@dendro/export';
import { type EventNs, formatRfc3339Ns, type TaskId } from '@dendro/protocol';
import type { TreeAnswer } from '../tree-worker/tree-json.ts';
import { treeText } from '../tree-worker/tree-text.ts';

export const TREE_FORMATS = ['json', 'ndjson', 'csv', 'dot', 'svg', 'text'] as const;
export type TreeFormat = (typeof TREE_FORMATS)[number];

export interface ExportedTree {
  readonly tree: TemporalTree;
  readonly at: EventNs;
  /** As `GET …/tree` gives it. */
  readonly answer: TreeAnswer;
  /** Version of dendro. */
  readonly dendro: string;
  /** Are those in it that had ended by then? */
  readonly withExited: boolean;
}

export function exportTree(format: TreeFormat, exported: ExportedTree): string {
  return [...piecesOf(format, exported)].join('');
}

function piecesOf(format: TreeFormat, exported: ExportedTree): Iterable<string> {
  const about = aboutOf(exported);
  switch (format) {
    case 'json':
      return jsonText(about, tasksOf(exported));
    case 'ndjson':
      return ndjsonText(about, tasksOf(exported));
    case 'csv':
      return csvText(about, TASK_COLUMNS, tasksOf(exported));
    case 'dot':
      return dotTree({ ...about, filter: { exited: exported.withExited, threads: false } }, nodesOf(exported));
    case 'svg':
      return svgOf(exported, { ...about, ...DRAWN });
    case 'text':
      return [`# ${printable(JSON.stringify({ ...about, ...DRAWN }))}\n`, treeText(exported.tree, exported.at)];
  }
}

/** What the file is an extract of; `version` is that of the tree. */
function aboutOf({ answer, dendro, withExited }: ExportedTree) {
  const { host, at, version, returned, total, reason, lacks } = answer;
  const filter: Readonly<Record<string, boolean>> = { exited: withExited };
  return { dendro, host, at, time: formatRfc3339Ns(BigInt(at)), version, filter, returned, total, reason, lacks };
}

/** Of who had ended a drawing has nothing, nor of threads by themselves. */
const DRAWN = { filter: { exited: false, threads: false, kernelThreads: false } };

function tasksOf({ tree, at, answer }: ExportedTree): ExportedTask[] {
  return answer.tasks.map((record) => exportedTask(tree, record, tree.indexOf(record.taskId as TaskId), at));
}

/** Processes alone, as the answer lists them. */
function nodesOf({ answer }: ExportedTree): TreeLine[] {
  const processes = answer.tasks.filter(({ kind }) => kind === 'process');
  const known = new Set(processes.map(({ taskId }) => taskId));
  return processes.map(({ taskId, parentTaskId, comm, pid }) => ({
    key: `t${taskId}`,
    parent: parentTaskId !== null && known.has(parentTaskId) ? `t${parentTaskId}` : undefined,
    depth: 0,
    isLast: false,
    label: `${comm ?? '?'}(${pid})`,
  }));
}

/** Processes alone, a line each; kernel threads are left out. */
function svgOf({ tree, at, dendro }: ExportedTree, about: ReturnType<typeof aboutOf>): Iterable<string> {
  const order = orderTree(tree, { at, keepExitedNs: 0, threads: () => false, kernelThreads: false });
  const lines = Array.from({ length: order.length }, (_, position): TreeLine => {
    const task = order.tasks[position] as TaskIndex;
    const depth = order.depths[position] as number;
    return { key: `t${task}`, parent: undefined, depth, isLast: false, label: labelOf(tree, task, at) };
  });
  const { host, time } = about;
  const whole = { ...about, kernelThreadsLeftOut: order.hiddenKernelThreads };
  return svgTree(whole, `${host} at ${time}, dendro ${dendro}`, lines, lines.length);
}

function labelOf(tree: TemporalTree, task: TaskIndex, at: EventNs): string {
  const argv = (tree.valueAt(task, 'argv', at) as readonly string[] | undefined) ?? [];
  const label = `${tree.textAt(task, 'comm', at) ?? '?'}(${tree.pidOf(task)}) ${argv.slice(1).join(' ')}`.trimEnd();
  return tree.parentAt(task, at) === NO_TASK && tree.pidOf(task) > 2 ? `${label} [parent not known]` : label;
}
