// The tree as of an instant as text, for a terminal:
//
//   init(1)
//   ├─sshd(812)
//   │ └─bash(901) -c "sleep 5" {3}      (three threads)
//
// A fork chain can be thousands deep: what is deeper than MAX_DEPTH stands at
// one place, with its depth before it, or each line would be as long as its
// process is deep. Names are hostile: what a terminal would act on is written
// out.

import { NO_TASK, orderTree, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { Branches, printable } from '@dendro/export';
import type { EventNs } from '@dendro/protocol';

/** Roots are at depth 0. */
const MAX_DEPTH = 32;
const MAX_COMMAND = 160;

/** One line for each living process. Kernel threads are left out, and counted in the last line. */
export function treeText(tree: TemporalTree, at: EventNs): string {
  const order = orderTree(tree, { at, keepExitedNs: 0, threads: () => false, kernelThreads: false });
  const lines: string[] = [];
  /** Where the subtrees of the ancestors end, the root's first. */
  const ends: number[] = [];
  const branches = new Branches({ maxDepth: MAX_DEPTH, gap: '', deep: (depth) => `…${depth} ` });
  let tooDeep = 0;
  for (let position = 0; position < order.length; position++) {
    while ((ends.at(-1) ?? order.length) <= position) ends.pop();
    const depth = ends.length;
    const end = order.subtreeEnds[position] as number;
    const isLast = end === (ends.at(-1) ?? order.length);
    ends.push(end);
    if (depth > MAX_DEPTH) tooDeep++;
    const prefix = branches.next(depth, isLast);
    lines.push(prefix + describe(tree, order.tasks[position] as TaskIndex, at, order.threadCounts[position] as number));
  }
  if (lines.length === 0) lines.push('(no process is known to have lived then)');
  if (tooDeep > 0) lines.push(`(${tooDeep} processes deeper than ${MAX_DEPTH} are not drawn: …N is their depth)`);
  if (order.hiddenKernelThreads > 0) lines.push(`(${order.hiddenKernelThreads} kernel threads not shown)`);
  return `${lines.join('\n')}\n`;
}

function describe(tree: TemporalTree, task: TaskIndex, at: EventNs, threads: number): string {
  const name = printable(tree.textAt(task, 'comm', at) ?? '?');
  const argv = (tree.valueAt(task, 'argv', at) as readonly string[] | undefined) ?? [];
  const command = printable(argv.slice(1).join(' '));
  const cut = command.length > MAX_COMMAND ? `${command.slice(0, MAX_COMMAND)}…` : command;
  return [
    `${name}(${tree.pidOf(task)})`,
    ...(cut === '' ? [] : [cut]),
    ...(threads > 1 ? [`{${threads}}`] : []),
    ...(tree.isPlaceholder(task) ? ['[only mentioned]'] : []),
    ...(tree.parentAt(task, at) === NO_TASK && tree.pidOf(task) > 2 ? ['[parent not known]'] : []),
  ].join(' ');
}
