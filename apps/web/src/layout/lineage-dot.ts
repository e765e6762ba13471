import { dotText } from '@dendro/export';
import { END_TEXT, groupSentence, moreText, nodeSentence } from './lineage-node.ts';
import type { LineageSheet, SheetNode } from './lineage-sheet.ts';

/** A lineage for Graphviz. */
export function lineageDot({ head, nodes }: LineageSheet): string {
  const lines = [
    ...head.map((line) => `// ${line}`),
    'digraph lineage {',
    `  graph [rankdir=LR, labelloc=t, labeljust=l, fontname="sans-serif", label="${head.map(dotText).join('\\l')}\\l"];`,
    '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
    '  edge [fontname="sans-serif", fontsize=9, arrowsize=0.6];',
  ];
  nodes.forEach((entry, i) => {
    lines.push(`  n${i} [${attributesOf(entry).join(', ')}];`);
    if (entry.parent < 0) return;
    const label = entry.model?.sinceParent;
    lines.push(`  n${entry.parent} -> n${i}${label === undefined ? '' : ` [label="${dotText(label)}"]`};`);
  });
  return `${lines.join('\n')}\n}\n`;
}

function attributesOf({ node, model, isSubject }: SheetNode): string[] {
  if (node.kind === 'more') return [`label="${dotText(moreText(node.count))}"`, 'style="rounded,dotted"'];
  if (node.kind === 'end') {
    const { short, long } = END_TEXT[node.reason];
    return [`label="${dotText(short)}"`, `tooltip="${dotText(long)}"`, 'style="rounded,dotted"'];
  }
  if (model === undefined) return [];
  const label = [
    node.kind === 'group' ? `${model.name} ×${node.count}` : `${model.name} [${model.pid}]`,
    `${model.user}, ${model.stateText}`,
    model.userChange,
    model.container && `container ${model.container}`,
  ];
  return [
    `label="${label
      .filter((line) => line !== undefined)
      .map(dotText)
      .join('\\n')}"`,
    `tooltip="${dotText(node.kind === 'group' ? groupSentence(model, node.count) : nodeSentence(model))}"`,
    ...(model.isAlive ? [] : ['style="rounded,dashed"', 'fontcolor="#596860"']),
    ...(isSubject ? ['penwidth=2'] : []),
  ];
}
