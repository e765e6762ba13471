// A lineage written down: what every form of export says, in the same words.
// The instant and whatever is left out stand in it: a file is read by somebody
// who did not see the page.

import type { TaskIndex } from '@dendro/engine';
import { count, exactTime, plural } from './format.ts';
import type { LineageFamily } from './lineage-family.ts';
import type { LineageLayout, LineageNode } from './lineage-layout.ts';
import { END_TEXT, type LineageNodeModel, lineageNodeModel } from './lineage-node.ts';
import { printable } from './printable.ts';
import type { RowContext } from './row-model.ts';

export interface SheetNode {
  readonly node: LineageNode;
  /** Position of the parent among the nodes of the sheet, -1 of the first. */
  readonly parent: number;
  /** Of a task. */
  readonly model: LineageNodeModel | undefined;
  readonly isSubject: boolean;
}

export interface LineageSheet {
  /** What it is of, as of when, and what is not in it. */
  readonly head: readonly string[];
  /** Parents before their children. */
  readonly nodes: readonly SheetNode[];
  readonly fileName: string;
}

/** Ancestors that are written out: the nearest ones. */
const MAX_ANCESTORS = 1000;

export interface SheetOptions {
  readonly hostName: string;
  /** What is left out when processes are that were not asked for. */
  readonly unwantedAre: string;
  /** Further lines of the head. */
  readonly about?: readonly string[];
}

export function lineageSheet(
  context: RowContext,
  family: LineageFamily,
  layout: LineageLayout,
  { hostName, unwantedAre, about = [] }: SheetOptions,
): LineageSheet {
  const first = Math.max(0, layout.subject - MAX_ANCESTORS);
  const nodes = layout.nodes.slice(first).map((node, i): SheetNode => {
    const above = layout.nodes[node.parent];
    const parent: TaskIndex | undefined = above?.kind === 'task' ? above.task : undefined;
    return {
      node,
      parent: Math.max(-1, node.parent - first),
      model: node.kind === 'task' || node.kind === 'group' ? lineageNodeModel(context, node, parent) : undefined,
      isSubject: first + i === layout.subject,
    };
  });
  const subject = nodes[layout.subject - first]?.model as LineageNodeModel;
  const instant = exactTime(context.base, context.at);
  return {
    head: [
      `Lineage of ${subject.name} [${subject.pid}] on ${printable(hostName)}`,
      `As of ${instant}`,
      ...about,
      ...familySentences(family, unwantedAre),
      ...(first > 0
        ? [`Not in this file: ${plural(family.ancestors.length - MAX_ANCESTORS, 'ancestor')} further up`]
        : []),
    ],
    nodes,
    fileName: `lineage-${fileWord(subject.name)}-${subject.pid}-${instant.replaceAll(/[^\dTZ]/g, '').slice(0, 15)}Z`,
  };
}

/** How complete it is: above and below. */
export function familySentences(
  { ancestors, end, members, grouped, more, unwanted }: LineageFamily,
  unwantedAre: string,
): string[] {
  const above = ancestors.length === 0 ? 'no ancestor' : plural(ancestors.length, 'ancestor');
  const complete = ancestors.length === 0 ? ': nothing started it' : ', complete';
  const shown = members.length - 1 + grouped;
  const below =
    shown === 0 && more === 0
      ? 'no descendant'
      : more === 0
        ? `${plural(shown, 'descendant')} shown`
        : `${count(shown)} of ${plural(shown + more, 'descendant')} shown`;
  return [
    `${above}${end === 'root' ? complete : `; it goes no further up: ${END_TEXT[end].long.replace(/\.$/, '')}`}`,
    `${below}${unwanted > 0 ? `, ${count(unwanted)} ${unwantedAre} left out` : ''}`,
  ];
}

function fileWord(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, '_').slice(0, 32) || 'process';
}
