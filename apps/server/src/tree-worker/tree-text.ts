// The tree as of an instant as text, for a terminal:
//
//   init(1)
//   ├─sshd(812)
//   │ └─bash(901) -c "sleep 5" {3}      (three threads)
//
// Names are hostile: what a terminal would act on is written out.

import { NO_TASK, orderTree, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';

const MAX_COMMAND = 160;

/** One line for each living process. Kernel threads are left out, and counted in the last line. */
export function treeText(tree: TemporalTree, at: EventNs): string {
  const order = orderTree(tree, { at, keepExitedNs: 0, threads: () => false, kernelThreads: false });
  const lines: string[] = [];
  /** By depth: does another sibling follow below? */
  const goesOn: boolean[] = [];
  for (let position = 0; position < order.length; position++) {
    const depth = order.depths[position] as number;
    const next = order.subtreeEnds[position] as number;
    goesOn[depth] = next < order.length && order.depths[next] === depth;
    let prefix = '';
    for (let above = 1; above < depth; above++) prefix += goesOn[above] ? '│ ' : '  ';
    if (depth > 0) prefix += goesOn[depth] ? '├─' : '└─';
    lines.push(prefix + describe(tree, order.tasks[position] as TaskIndex, at, order.threadCounts[position] as number));
  }
  if (lines.length === 0) lines.push('(no process is known to have lived then)');
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

/** Control characters, bidi controls and the like as `\u{…}`. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (unseen) => `\\u{${(unseen.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
