// The tree as of an instant as a file, for other programs and for people who were not there. What it is an extract of is
// written into it: of which host and time, by which version, and what is left out. Names of processes are hostile: each format
// escapes them in its own way.

import { NO_TASK, orderTree, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { type EventNs, formatRfc3339Ns } from '@dendro/protocol';
import type { TreeAnswer, TreeJsonTask } from '../tree-worker/tree-json.ts';
import { printable, treeText } from '../tree-worker/tree-text.ts';

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

interface ExportedTask extends TreeJsonTask {
  readonly cmd: readonly string[] | null;
  readonly cwd: string | null;
  readonly containerId: string | null;
}

/** Lines of a drawing. */
const MAX_ROWS = 5000;
const MAX_LABEL = 120;
const MAX_DRAWN_DEPTH = 100;
const ROW_PX = 18;
const STEP_PX = 16;

export function exportTree(format: TreeFormat, exported: ExportedTree): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify({ about: aboutOf(exported), tasks: tasksOf(exported) })}\n`;
    case 'ndjson':
      return `${[{ about: aboutOf(exported) }, ...tasksOf(exported)].map((line) => JSON.stringify(line)).join('\n')}\n`;
    case 'csv':
      return csvOf(exported);
    case 'dot':
      return dotOf(exported);
    case 'svg':
      return svgOf(exported);
    case 'text':
      return `# ${printable(JSON.stringify({ ...aboutOf(exported), ...DRAWN }))}\n${treeText(exported.tree, exported.at)}`;
  }
}

/** What the file is an extract of; `version` is that of the tree. */
function aboutOf({ answer, dendro, withExited }: ExportedTree) {
  const { host, at, version, returned, total, reason, lacks } = answer;
  const filter = { exited: withExited };
  return { dendro, host, at, time: formatRfc3339Ns(BigInt(at)), version, filter, returned, total, reason, lacks };
}

/** Of who had ended a drawing has nothing, nor of threads by themselves. */
const DRAWN = { filter: { exited: false, threads: false, kernelThreads: false } };

function tasksOf({ tree, at, answer }: ExportedTree): ExportedTask[] {
  return answer.tasks.map((json) => {
    const task = tree.indexOf(json.taskId as Parameters<TemporalTree['indexOf']>[0]);
    return {
      ...json,
      cmd: (tree.valueAt(task, 'argv', at) as readonly string[] | undefined) ?? null,
      cwd: tree.textAt(task, 'cwd', at) ?? null,
      containerId: tree.textAt(task, 'container', at) ?? null,
    };
  });
}

const COLUMNS = [
  'taskId',
  'kind',
  'pid',
  'tid',
  'parentTaskId',
  'leaderTaskId',
  'comm',
  'path',
  'cmd',
  'cwd',
  'uid',
  'containerId',
  'startTime',
  'exitTime',
  'exitCode',
  'signal',
  'alive',
  'kernelThread',
  'placeholder',
] as const satisfies readonly (keyof ExportedTask)[];

/** RFC 4180; what it is an extract of stands in a comment before it. */
function csvOf(exported: ExportedTree): string {
  const lines = tasksOf(exported).map((task) => COLUMNS.map((column) => cell(task[column])).join(','));
  return `${[`# ${JSON.stringify(aboutOf(exported))}`, COLUMNS.join(','), ...lines].join('\r\n')}\r\n`;
}

function cell(value: ExportedTask[keyof ExportedTask]): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string' && typeof value !== 'object') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // A spreadsheet would take it for a formula; some do for wide forms too.
  const safe = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Processes alone, for Graphviz. */
function dotOf(exported: ExportedTree): string {
  const processes = exported.answer.tasks.filter(({ kind }) => kind === 'process');
  const known = new Set(processes.map(({ taskId }) => taskId));
  const nodes = processes.map(({ taskId, comm, pid }) => `  t${taskId} [label=${quoted(`${comm ?? '?'}(${pid})`)}];`);
  const edges = processes
    .filter(({ parentTaskId }) => parentTaskId !== null && known.has(parentTaskId))
    .map(({ taskId, parentTaskId }) => `  t${parentTaskId} -> t${taskId};`);
  const filter = { exited: exported.withExited, threads: false };
  const about = JSON.stringify({ ...aboutOf(exported), filter, drawn: processes.length });
  const head = [`  label=${quoted(about)};`, '  rankdir=LR;', '  node [shape=box, fontname=monospace];'];
  return `${['digraph dendro {', ...head, ...nodes, ...edges, '}'].join('\n')}\n`;
}

/** In a label of Graphviz a backslash begins an escape. */
function quoted(text: string): string {
  return `"${printable(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Processes alone, a line each; kernel threads are left out. */
function svgOf(exported: ExportedTree): string {
  const { tree, at } = exported;
  const order = orderTree(tree, { at, keepExitedNs: 0, threads: () => false, kernelThreads: false });
  const drawn = Math.min(order.length, MAX_ROWS);
  const about = { ...aboutOf(exported), ...DRAWN, drawn, kernelThreadsLeftOut: order.hiddenKernelThreads };
  const rows: string[] = [];
  /** By depth: the line of the last one drawn there. */
  const lastAt: number[] = [];
  for (let position = 0; position < drawn; position++) {
    const depth = Math.min(MAX_DRAWN_DEPTH, order.depths[position] as number);
    const y = (position + 2) * ROW_PX;
    const above = depth > 0 ? lastAt[depth - 1] : undefined;
    if (above !== undefined) {
      const x = 8 + (depth - 0.6) * STEP_PX;
      rows.push(`<path d="M${x} ${above + 4}V${y - 4}h${STEP_PX * 0.4}"/>`);
    }
    lastAt[depth] = y;
    const text = escaped(labelOf(tree, order.tasks[position] as TaskIndex, at));
    rows.push(`<text x="${10 + depth * STEP_PX}" y="${y}">${text}</text>`);
  }
  const rest = order.length - drawn;
  if (rest > 0) rows.push(`<text x="10" y="${(drawn + 2) * ROW_PX}">(${rest} more processes are not drawn)</text>`);
  const { host, time } = about;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="${(drawn + 3) * ROW_PX}">`,
    `<desc>${escaped(JSON.stringify(about))}</desc>`,
    '<style>text{font:13px monospace}path{fill:none;stroke:#888}</style>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="10" y="${ROW_PX}">${escaped(`${host} at ${time}, dendro ${exported.dendro}`)}</text>`,
    ...rows,
    '</svg>\n',
  ].join('\n');
}

function labelOf(tree: TemporalTree, task: TaskIndex, at: EventNs): string {
  const argv = (tree.valueAt(task, 'argv', at) as readonly string[] | undefined) ?? [];
  const label = `${tree.textAt(task, 'comm', at) ?? '?'}(${tree.pidOf(task)}) ${argv.slice(1).join(' ')}`.trimEnd();
  const orphan = tree.parentAt(task, at) === NO_TASK && tree.pidOf(task) > 2 ? ' [parent not known]' : '';
  return printable(label.length > MAX_LABEL ? `${label.slice(0, MAX_LABEL)}…` : label) + orphan;
}

/** For XML; characters that it does not know at all are written out before. */
function escaped(text: string): string {
  return printable(text)
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
