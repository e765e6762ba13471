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
  /** By depth: what the lines begin with that are below the ancestor there. */
  const below: string[] = [];
  let tooDeep = 0;
  for (let position = 0; position < order.length; position++) {
    while ((ends.at(-1) ?? order.length) <= position) ends.pop();
    const depth = ends.length;
    const end = order.subtreeEnds[position] as number;
    const isLast = end === (ends.at(-1) ?? order.length);
    ends.push(end);
    let prefix = '';
    if (depth > MAX_DEPTH) {
      prefix = `${below[MAX_DEPTH]}…${depth} `;
      tooDeep++;
    } else if (depth > 0) {
      const before = below[depth - 1] as string;
      prefix = before + (isLast ? '└─' : '├─');
      below[depth] = before + (isLast ? '  ' : '│ ');
    } else below[0] = '';
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

/** Control characters, bidi controls and the like as `\u{…}`. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (unseen) => `\\u{${(unseen.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
