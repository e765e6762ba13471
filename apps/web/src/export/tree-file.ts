// What the tree shows as a file. The file says of what it is: host and instant,
// window, query and what else was chosen, and whether anything is left out. Made
// in turns; whoever leaves memory meanwhile is counted.

import { instantOf, NO_TASK, type TaskIndex } from '@dendro/engine';
import {
  csvText,
  dotTree,
  type ExportedTask,
  exportedTask,
  jsonText,
  MAX_DRAWN_LINES,
  ndjsonText,
  svgTree,
  TASK_COLUMNS,
  type TreeLine,
  taskRecord,
  textTree,
} from '@dendro/export';
import { count, plural } from '../layout/format.ts';
import { type RowContext, rowModel } from '../layout/row-model.ts';
import type { TreeFormatId } from './formats.ts';
import { inTurns, type Turns } from './pieces.ts';
import { type SeenChoice, type SeenOf, type SeenRow, type SeenTree, seenTree } from './seen-tree.ts';

/** What a file says of itself besides what it counts. */
export interface TreeAbout {
  readonly [name: string]: unknown;
  readonly hostName: string;
  readonly time: string;
  /** While two instants are compared: whoever lived at this one is in it too. RFC 3339. */
  readonly comparedWith: string | null;
}

export interface TreeFileOf {
  readonly seen: SeenOf;
  readonly choice: SeenChoice;
  readonly context: RowContext;
  readonly about: TreeAbout;
}

export interface TreeFile {
  readonly pieces: readonly string[];
  readonly rows: number;
}

/** A task of the tree as it was shown. */
interface SeenTask extends ExportedTask {
  readonly depth: number;
  readonly matches: boolean | null;
  /** Tasks below it that are folded away, and are not in the file. */
  readonly folded: number;
  /** Siblings that it stands for, itself counted; 0 where it is itself. */
  readonly alike: number;
}

const SEEN_COLUMNS = [...TASK_COLUMNS, 'depth', 'matches', 'folded', 'alike'] as const;

/** Half of the way is to look at each task, the other to write it. */
export async function treeFile(of: TreeFileOf, format: TreeFormatId, turns: Turns): Promise<TreeFile> {
  const seen = seenTree(of.seen, of.choice);
  const half = (from: number): Turns => ({ ...turns, onProgress: (part) => turns.onProgress(from + part / 2) });
  const looked = await inTurns(looks(of, seen, format), seen.length, half(0));
  const entries = looked.filter((entry) => entry !== undefined);
  const about = { ...of.about, ...countsOf(of, seen, looked.length - entries.length, format) };
  const pieces = await inTurns(piecesOf(format, about, entries), entries.length, half(0.5));
  return { pieces, rows: entries.length };
}

type Entry = { readonly task: SeenTask } | { readonly line: TreeLine };

/** Undefined for who has left memory since. */
function* looks(
  { seen: { tree, order }, context: asShown }: TreeFileOf,
  seen: SeenTree,
  format: TreeFormatId,
): Generator<Entry | undefined> {
  const isData = format === 'json' || format === 'ndjson' || format === 'csv';
  for (let i = 0; i < seen.length; i++) {
    const row = seen.rowAt(i);
    const task = tree.indexOf(row.id);
    if (task === NO_TASK || !tree.isPresent(task)) {
      yield undefined;
      continue;
    }
    // Who is yet to be born is there because of the other instant of a comparison, and is told as of that.
    const context = { ...asShown, at: instantOf(tree, order, task) };
    if (isData) yield { task: taskOf(context, task, row) };
    else yield { line: lineOf(context, task, row, seen) };
  }
}

function taskOf({ tree, base, at }: RowContext, task: TaskIndex, { depth, isMatch, folded, alike }: SeenRow): SeenTask {
  const record = exportedTask(tree, taskRecord(tree, base, task, at), task, at);
  return { ...record, depth, matches: isMatch ?? null, folded, alike };
}

function lineOf(context: RowContext, task: TaskIndex, row: SeenRow, seen: SeenTree): TreeLine {
  const model = rowModel(context, task);
  const { depth, isLast, folded, alike, isMatch } = row;
  const name = model.name ?? '(no name known)';
  const words = [
    alike > 0 ? `${name} ×${count(alike)}` : `${name} [${model.isThread ? model.tid : model.pid}]`,
    model.user,
    alike > 0 ? undefined : model.stateText,
    ...(alike > 0 ? [] : model.badges.map(({ title }) => title)),
    model.orphan?.text,
    folded > 0 ? `+${count(folded)} folded` : undefined,
    alike > 0 || model.command === undefined ? undefined : `| ${model.command}`,
  ];
  return {
    key: keyOf(row),
    parent: row.parent < 0 ? undefined : keyOf(seen.rowAt(row.parent)),
    depth,
    isLast,
    label: words.filter((word) => word !== undefined).join('  '),
    tone: isMatch === false ? 'dim' : model.state === 'exited' ? 'ended' : 'usual',
  };
}

/** A group and its eldest member can both have a line. */
function keyOf({ id, alike }: SeenRow): string {
  return `${alike > 0 ? 'g' : 't'}${id}`;
}

/** How much of the tree is in the file, and why not all of it is. */
function countsOf({ seen: { tree, isFiltered } }: TreeFileOf, seen: SeenTree, gone: number, format: TreeFormatId) {
  const { at, total, folded, grouped, hiddenKernelThreads, foldedExited } = seen;
  const returned = seen.length - gone;
  const left = Math.max(0, total - seen.length - folded - grouped);
  const drawn = format === 'svg' ? Math.max(0, returned - MAX_DRAWN_LINES) : 0;
  const reasons = [
    left > 0 && `${count(left)} left out by ${isFiltered ? 'the query' : 'the chip'}`,
    folded > 0 && `${count(folded)} in rows that are folded`,
    grouped > 0 && `${count(grouped)} in rows that stand for several`,
    hiddenKernelThreads > 0 && `${plural(hiddenKernelThreads, 'kernel thread')} hidden`,
    foldedExited > 0 && `${count(foldedExited)} that ended earlier folded away`,
    gone > 0 && `${count(gone)} left memory while the file was made`,
    drawn > 0 && `${count(drawn)} are not drawn`,
    tree.gaps().some(({ from, to }) => from <= at && at <= to) && 'events of that time were lost',
  ].filter((reason) => reason !== false);
  const reason = reasons.length === 0 ? null : `Not in this file: ${reasons.join('; ')}.`;
  return { returned, total, truncated: reasons.length > 0, reason };
}

function piecesOf(
  format: TreeFormatId,
  about: TreeAbout & ReturnType<typeof countsOf>,
  entries: readonly Entry[],
): Iterable<string> {
  const [tasks, lines] = [tasksOf(entries), linesOf(entries)];
  switch (format) {
    case 'json':
      return jsonText(about, tasks);
    case 'ndjson':
      return ndjsonText(about, tasks);
    case 'csv':
      return csvText(about, SEEN_COLUMNS, tasks);
    case 'dot':
      return dotTree(about, lines);
    case 'svg':
      return svgTree(about, headOf(about)[0] as string, lines, entries.length);
    case 'text':
      return textTree(headOf(about), lines);
  }
}

function* tasksOf(entries: readonly Entry[]): Generator<SeenTask> {
  for (const entry of entries) if ('task' in entry) yield entry.task;
}

function* linesOf(entries: readonly Entry[]): Generator<TreeLine> {
  for (const entry of entries) if ('line' in entry) yield entry.line;
}

function headOf(about: TreeAbout & ReturnType<typeof countsOf>): string[] {
  const { hostName, time, comparedWith, returned, total, reason, truncated: _, ...rest } = about;
  const also = comparedWith === null ? '' : `, and who lived at ${comparedWith}`;
  return [
    `Processes of ${hostName} as of ${time}${also}: ${plural(returned, 'row')} of ${plural(total, 'task')}`,
    ...(reason === null ? [] : [reason]),
    JSON.stringify(rest),
  ];
}
