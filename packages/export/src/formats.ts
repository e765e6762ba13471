// Records and lines of a tree as files. Each begins with what it is an extract
// of. All are generators of pieces: a large tree is written with pauses.

import { Branches } from './branches.ts';
import { csvCell, dotText, xmlText } from './escape.ts';
import { printable } from './printable.ts';

export type LineTone = 'usual' | 'ended' | 'dim';

/** A line of a tree, or a node, in preorder. */
export interface TreeLine {
  /** Letters and digits; names the node. */
  readonly key: string;
  /** Key of the parent; undefined where it is not drawn. */
  readonly parent: string | undefined;
  /** Roots are at depth 0. */
  readonly depth: number;
  /** Is no other line of the same parent to come? */
  readonly isLast: boolean;
  readonly label: string;
  readonly tone?: LineTone;
}

/** Lines of a picture. */
export const MAX_DRAWN_LINES = 5000;
const MAX_LABEL = 120;
const MAX_TEXT_LABEL = 2000;
const MAX_DRAWN_DEPTH = 100;
const ROW_PX = 18;
const STEP_PX = 16;

export function* jsonText(about: object, tasks: Iterable<object>): Generator<string> {
  yield `{"about":${JSON.stringify(about)},"tasks":[`;
  let comma = '';
  for (const task of tasks) {
    yield comma + JSON.stringify(task);
    comma = ',';
  }
  yield ']}\n';
}

export function* ndjsonText(about: object, tasks: Iterable<object>): Generator<string> {
  yield `${JSON.stringify({ about })}\n`;
  for (const task of tasks) yield `${JSON.stringify(task)}\n`;
}

/** RFC 4180; what it is an extract of stands in a comment before it. */
export function* csvText<T extends object>(
  about: object,
  columns: readonly (keyof T & string)[],
  tasks: Iterable<T>,
): Generator<string> {
  yield `# ${JSON.stringify(about)}\r\n${columns.join(',')}\r\n`;
  for (const task of tasks) yield `${columns.map((column) => csvCell(task[column])).join(',')}\r\n`;
}

/** A tree of lines. @param head what it is of, in lines */
export function* textTree(head: readonly string[], lines: Iterable<TreeLine>): Generator<string> {
  for (const line of head) yield `# ${printable(line)}\n`;
  const branches = new Branches({ maxDepth: MAX_DRAWN_DEPTH, gap: ' ', deep: (depth) => `(${depth}) ` });
  for (const { depth, isLast, label } of lines) {
    yield `${branches.next(depth, isLast)}${shortened(label, MAX_TEXT_LABEL)}\n`;
  }
}

/** For Graphviz. */
export function* dotTree(about: object, lines: Iterable<TreeLine>): Generator<string> {
  yield [
    'digraph dendro {',
    `  label="${dotText(printable(JSON.stringify(about)))}";`,
    '  rankdir=LR;',
    '  node [shape=box, fontname=monospace];\n',
  ].join('\n');
  for (const { key, parent, label, tone } of lines) {
    const style = tone === 'ended' ? ', style=dashed' : tone === 'dim' ? ', fontcolor=gray40' : '';
    yield `  ${key} [label="${dotText(shortened(label, MAX_LABEL))}"${style}];\n`;
    if (parent !== undefined) yield `  ${parent} -> ${key};\n`;
  }
  yield '}\n';
}

/**
 * A picture that stands alone: no script, nothing that is loaded.
 * @param title its first line
 * @param total how many lines there are; those that are too many are counted at the end
 */
export function* svgTree(about: object, title: string, lines: Iterable<TreeLine>, total: number): Generator<string> {
  const drawn = Math.min(total, MAX_DRAWN_LINES);
  yield [
    `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="${(drawn + 3) * ROW_PX}">`,
    `<desc>${xmlText(printable(JSON.stringify({ ...about, drawn })))}</desc>`,
    '<style>text{font:13px monospace}path{fill:none;stroke:#888}.ended{fill:#666}.dim{fill:#999}</style>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="10" y="${ROW_PX}">${xmlText(printable(title))}</text>\n`,
  ].join('\n');
  /** By depth: where the last line is that was drawn there. */
  const lastAt: number[] = [];
  let row = 0;
  for (const { depth: deep, label, tone = 'usual' } of lines) {
    if (row === drawn) break;
    const depth = Math.min(MAX_DRAWN_DEPTH, deep);
    const y = (row + 2) * ROW_PX;
    const above = depth > 0 ? lastAt[depth - 1] : undefined;
    if (above !== undefined) {
      const x = 8 + (depth - 0.6) * STEP_PX;
      yield `<path d="M${x} ${above + 4}V${y - 4}h${STEP_PX * 0.4}"/>\n`;
    }
    lastAt[depth] = y;
    const kind = tone === 'usual' ? '' : ` class="${tone}"`;
    yield `<text x="${10 + depth * STEP_PX}" y="${y}"${kind}>${xmlText(shortened(label, MAX_LABEL))}</text>\n`;
    row++;
  }
  const rest = total - drawn;
  if (rest > 0) yield `<text x="10" y="${(drawn + 2) * ROW_PX}">(${rest} more processes are not drawn)</text>\n`;
  yield '</svg>\n';
}

/** With its true length where it is cut. */
function shortened(label: string, most: number): string {
  if (label.length <= most) return printable(label);
  return printable(`${label.slice(0, most)}… (${label.length} characters)`);
}
