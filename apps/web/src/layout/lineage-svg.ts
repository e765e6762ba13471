// A lineage as a picture that stands alone: no script, nothing that is loaded,
// one light theme for paper and for documents.

import { xmlText } from '@dendro/export';
import { NODE_HEIGHT, NODE_WIDTH } from './lineage-layout.ts';
import { END_TEXT, groupSentence, moreText, nodeSentence } from './lineage-node.ts';
import type { LineageSheet, SheetNode } from './lineage-sheet.ts';

const MARGIN = 24;
const LINE = 18;

const STYLE = [
  'text{font:12px system-ui,sans-serif;fill:#17211c}',
  '.name{font-weight:600}.dim{fill:#55645c;font-size:11px}.head{font-size:13px}',
  '.box{fill:#fff;stroke:#9fb0a7}.ended .box{fill:#f1f4f2;stroke-dasharray:4 3}.ended .name{fill:#596860;font-weight:400}',
  '.subject .box{stroke:#14694a;stroke-width:2}.left .box{fill:none;stroke-dasharray:2 3}',
  '.raised{fill:#a5281f}.edge{fill:none;stroke:#9fb0a7}',
].join('');

export function lineageSvg({ head, nodes }: LineageSheet): string {
  const xs = nodes.map(({ node }) => node.x);
  const ys = nodes.map(({ node }) => node.y);
  const left = least(xs) - MARGIN;
  const top = least(ys) - NODE_HEIGHT / 2 - MARGIN * 2 - head.length * LINE;
  const width = Math.max(most(xs) + NODE_WIDTH + MARGIN - left, 560);
  const height = most(ys) + NODE_HEIGHT / 2 + MARGIN - top;
  const x = left + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${left} ${top} ${width} ${height}" role="img">`,
    `<title>${xmlText(head[0] ?? '')}</title>`,
    `<desc>${head.map(xmlText).join('\n')}</desc>`,
    `<style>${STYLE}</style>`,
    `<clipPath id="text"><rect x="10" y="${-NODE_HEIGHT / 2}" width="${NODE_WIDTH - 20}" height="${NODE_HEIGHT}"/></clipPath>`,
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="#fbfcfb"/>`,
    ...head.map(
      (line, i) => `<text class="head" x="${x}" y="${top + MARGIN + (i + 0.7) * LINE}">${xmlText(line)}</text>`,
    ),
    ...nodes.flatMap((entry) => edgeOf(entry, nodes[entry.parent])),
    ...nodes.map(boxOf),
    '</svg>',
    '',
  ].join('\n');
}

function edgeOf({ node, model }: SheetNode, parent: SheetNode | undefined): string[] {
  if (parent === undefined) return [];
  const label = model?.sinceParent;
  const path = `<path class="edge" d="${edgePath(parent.node, node)}"/>`;
  if (label === undefined) return [path];
  return [path, `<text class="dim" text-anchor="end" x="${node.x - 8}" y="${node.y - 5}">${xmlText(label)}</text>`];
}

/** How far right of its parent a family's edges part, and how round they are there. */
const TRUNK = 22;
const CORNER = 10;

/**
 * From the right edge of the parent to the left edge of the child. Siblings share the upright part, so that however many
 * they are it is one line; on the last part stands a label.
 */
export function edgePath(from: { x: number; y: number }, to: { x: number; y: number }): string {
  const begin = from.x + NODE_WIDTH;
  const trunk = begin + TRUNK;
  const down = to.y - from.y;
  if (Math.abs(down) < 1) return `M${begin} ${from.y}H${to.x}`;
  const r = Math.sign(down) * Math.min(CORNER, Math.abs(down) / 2);
  const before = `M${begin} ${from.y}H${trunk - CORNER}Q${trunk} ${from.y} ${trunk} ${from.y + r}`;
  return `${before}V${to.y - r}Q${trunk} ${to.y} ${trunk + CORNER} ${to.y}H${to.x}`;
}

function boxOf({ node, model, isSubject }: SheetNode): string {
  const at = `transform="translate(${node.x} ${node.y})"`;
  const box = `<rect class="box" y="${-NODE_HEIGHT / 2}" width="${NODE_WIDTH}" height="${NODE_HEIGHT}" rx="8"/>`;
  if (node.kind === 'more' || node.kind === 'end' || model === undefined) {
    const [short, long] =
      node.kind === 'more'
        ? [moreText(node.count), 'Not in this picture']
        : node.kind === 'end'
          ? [END_TEXT[node.reason].short, END_TEXT[node.reason].long]
          : ['', ''];
    return `<g class="left" ${at}><title>${xmlText(long)}</title>${box}<text x="10" y="4">${xmlText(short)}</text></g>`;
  }
  const isGroup = node.kind === 'group';
  const classes = ['task', !model.isAlive && 'ended', isSubject && 'subject'].filter(Boolean).join(' ');
  const below = [model.userChange ?? model.user, model.stateText, model.container && `⬚ ${model.container}`];
  return [
    `<g class="${classes}" ${at}><title>${xmlText(isGroup ? groupSentence(model, node.count) : nodeSentence(model))}</title>${box}<g clip-path="url(#text)">`,
    `<text x="10" y="-4"><tspan class="name">${xmlText(model.name)}</tspan> <tspan class="dim">${isGroup ? `×${node.count}` : model.pid}</tspan></text>`,
    `<text x="10" y="13" class="dim${model.isRaised ? ' raised' : ''}">${xmlText(below.filter(Boolean).join(' · '))}</text>`,
    '</g></g>',
  ].join('');
}

// As arguments of Math.min they would overflow the stack where there are many.
function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}
