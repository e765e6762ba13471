import { Branches } from '@dendro/export';
import { END_TEXT, moreText } from './lineage-node.ts';
import type { LineageSheet, SheetNode } from './lineage-sheet.ts';

/** From this depth on lines are not indented further: their depth is written. */
const MAX_INDENT = 100;
const MAX_COMMAND = 300;

/** A lineage as a tree of lines, one for each node. */
export function lineageText({ head, nodes }: LineageSheet): string {
  const isLast = lastOnes(nodes);
  const branches = new Branches({ maxDepth: MAX_INDENT, gap: ' ', deep: (depth) => `(${depth}) ` });
  const depths: number[] = [];
  const lines = head.map((line) => `# ${line}`);
  nodes.forEach((entry, i) => {
    const depth = entry.parent < 0 ? 0 : (depths[entry.parent] as number) + 1;
    depths.push(depth);
    lines.push(`${branches.next(depth, isLast[i] ?? true)}${textOf(entry)}`);
  });
  return `${lines.join('\n')}\n`;
}

function textOf({ node, model, isSubject }: SheetNode): string {
  if (node.kind === 'more') return `${moreText(node.count)}, not in this file`;
  if (node.kind === 'end') return `(${END_TEXT[node.reason].short}: ${END_TEXT[node.reason].long})`;
  if (model === undefined) return '';
  if (node.kind === 'group') {
    return `${model.name} ×${node.count}  from ${model.sinceParent ?? '?'}  ${model.user}  all ${model.stateText}`;
  }
  const words = [
    `${model.name} [${model.pid}]`,
    model.sinceParent,
    model.user,
    model.stateText,
    model.userChange && `user ${model.userChange}`,
    model.container && `container ${model.container}`,
    model.movedTo && `parent now ${model.movedTo}`,
    model.isPlaceholder && 'mentioned only',
    model.isEvicted && 'not in memory any more',
    isSubject && '<- this one',
    model.command && `| ${shortened(model.command)}`,
  ];
  return words.filter(Boolean).join('  ');
}

function shortened(command: string): string {
  return command.length > MAX_COMMAND ? `${command.slice(0, MAX_COMMAND)}… (${command.length} characters)` : command;
}

/** Is a node the last one below its parent? */
function lastOnes(nodes: readonly SheetNode[]): boolean[] {
  const lastBelow = new Map<number, number>();
  nodes.forEach(({ parent }, i) => {
    lastBelow.set(parent, i);
  });
  return nodes.map(({ parent }, i) => lastBelow.get(parent) === i);
}
