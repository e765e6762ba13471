// What the list below the omnibox offers, by what is written in it: how a query
// could go on, commands after >, a process or an instant after @.

import { NO_TASK } from '@dendro/engine';
import type { TimeBase } from '@dendro/protocol';
import type { App } from '../../app-context.ts';
import { commandsNow } from '../../commands/commands.ts';
import { count, dateTime, millisecondsOf } from '../../layout/format.ts';
import { printable, printableName } from '../../layout/printable.ts';
import { completions } from '../../query/complete.ts';
import { fuzzyScore } from '../../query/fuzzy.ts';
import { countedValues } from '../../query/vocabulary.ts';
import { useView, view } from '../../state/view-store.ts';
import { goToTime, timeGoal } from '../timeline/go-to-time.ts';
import type { TreeRows } from '../tree/tree-rows.ts';
import { revealTask, taskOfTid } from './reveal-task.ts';

export interface Option {
  readonly label: string;
  readonly detail: string;
  readonly kind: 'recent' | 'completion' | 'fix' | 'command' | 'goal' | 'search';
  /** Writes on in the field... */
  readonly write?: { readonly text: string; readonly caret: number };
  /** ...or does something, and the list is done with. */
  readonly run?: () => void;
}

export interface Offer {
  readonly options: readonly Option[];
  /** Why there is none. */
  readonly note?: string;
  /** Is the first one meant when nobody chooses? */
  readonly isFirstMeant: boolean;
}

/** There is one for each host. */
const MAX_COMMANDS = 60;

export function offerFor(text: string, caret: number, treeRows: TreeRows, app: App): Offer {
  if (text.startsWith('>')) return offerCommands(text.slice(1).trim(), treeRows, app);
  if (text.startsWith('@')) return offerGoals(text.slice(1).trim(), treeRows, app);
  return offerQueries(text, caret, treeRows, app);
}

function offerQueries(text: string, caret: number, { columns }: TreeRows, { replica }: App): Offer {
  const { problem, recent } = useView.getState();
  if (problem?.fix !== undefined) {
    const { from, to, fix } = problem;
    const fixed = fix.replaces === 'all' ? fix.text : text.slice(0, from) + fix.text + text.slice(to);
    const at = fix.replaces === 'all' ? fixed.length : from + fix.text.length;
    const option: Option = { label: fixed, detail: 'instead', kind: 'fix', write: { text: fixed, caret: at } };
    return { options: [option], isFirstMeant: true };
  }
  const users = replica.host?.users ?? {};
  const options: Option[] = [];
  if (text.trim() === '') {
    for (const query of recent) {
      options.push({
        label: query,
        detail: 'asked before',
        kind: 'recent',
        write: { text: query, caret: query.length },
      });
    }
  }
  for (const { label, detail, ...write } of completions(text, caret, (field) => countedValues(field, columns, users))) {
    options.push({ label: printable(label), detail, kind: 'completion', write });
  }
  const { list, query } = useView.getState();
  if (text.trim() !== '' && query === text && replica.host?.oldestEpochNs !== undefined && list !== 'search') {
    options.push({ label: 'Search all that is recorded', detail: 'Alt+Enter', kind: 'search', run: view.openSearch });
  }
  return { options, isFirstMeant: false };
}

function offerCommands(wanted: string, treeRows: TreeRows, app: App): Offer {
  const options = commandsNow(app, treeRows)
    .map((command) => ({ command, score: fuzzyScore(command.title, wanted) }))
    .filter((one) => one.score !== undefined)
    .sort((a, b) => (wanted === '' ? 0 : (b.score ?? 0) - (a.score ?? 0)))
    .map(({ command: { title, keys = '', run } }): Option => ({ label: title, detail: keys, kind: 'command', run }));
  if (options.length === 0) return { options, note: 'There is no such command', isFirstMeant: false };
  const more = options.length - MAX_COMMANDS;
  if (more <= 0) return { options, isFirstMeant: true };
  return { options: options.slice(0, MAX_COMMANDS), note: `${count(more)} more: write on`, isFirstMeant: true };
}

function offerGoals(wanted: string, treeRows: TreeRows, { replica }: App): Offer {
  if (wanted === '') {
    return { options: [], note: 'A pid, or a time: 14:03:27, -5m, 2026-11-23T14:03:27Z, live', isFirstMeant: false };
  }
  if (/^\d{1,10}$/.test(wanted)) return offerTask(Number(wanted), treeRows);
  const goal = timeGoal(wanted, replica);
  if (goal.kind === 'problem') return { options: [], note: goal.message, isFirstMeant: false };
  const label = goal.kind === 'live' ? 'Go to the present' : `Pause at ${written(goal.base, goal.at)}`;
  const run = () => goToTime(goal, replica);
  return { options: [{ label, detail: '', kind: 'goal', run }], isFirstMeant: true };
}

function written(base: TimeBase, at: Parameters<typeof dateTime>[1]): string {
  return `${dateTime(base, at)}${millisecondsOf(base, at)}`;
}

function offerTask(tid: number, treeRows: TreeRows): Offer {
  const { tree, columns } = treeRows;
  const { at } = columns.order;
  const task = taskOfTid(tree, tid, at);
  if (task === NO_TASK) return { options: [], note: `No process ${tid} is known at this instant`, isFirstMeant: false };
  const name = printableName(tree.textAt(task, 'comm', at) ?? '(no name known)');
  const what = tree.isThread(task) ? 'Thread' : 'Process';
  const detail = tree.exitOf(task) <= at ? 'ended' : 'running';
  const run = () => revealTask(treeRows, task);
  return { options: [{ label: `${what} ${tid}, ${name}`, detail, kind: 'goal', run }], isFirstMeant: true };
}
