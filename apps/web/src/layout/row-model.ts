// What one row says, as plain values: a row is drawn again only when one of
// them has changed.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { type EventNs, epochMsOf, TASK_FLAG, type TaskId, type TimeBase } from '@dendro/protocol';
import { type Badge, badgesOf } from './badges.ts';
import type { ColumnId } from './columns.ts';
import { age, clockTime, elapsed, exactTime, signalName } from './format.ts';
import { type OrphanNote, orphanNote } from './orphan.ts';
import { commandLine, printable, printableName } from './printable.ts';
import { type TaskState, taskState } from './task-state.ts';

export interface RowModel {
  readonly id: TaskId;
  readonly isThread: boolean;
  readonly isPlaceholder: boolean;
  /** Born so short a time ago that it is marked. */
  readonly isNew: boolean;
  /** Ended in the time over which the playhead has just moved. */
  readonly isEnding: boolean;
  /** Undefined where no name is known. */
  readonly name: string | undefined;
  /** The command line, else the path of the program, else nothing. */
  readonly command: string | undefined;
  readonly tid: number;
  readonly pid: number;
  readonly user: string;
  readonly userTitle: string;
  readonly started: string;
  readonly startedTitle: string;
  readonly state: TaskState['kind'];
  readonly stateText: string;
  readonly stateTone: TaskState['tone'];
  /** How long it has lived, or how long ago it ended. */
  readonly stateAge: string;
  readonly stateTitle: string;
  readonly badges: readonly Badge[];
  readonly orphan: OrphanNote | undefined;
  /** How long it has lived. */
  readonly age: string;
  /** EventNs of its life. Infinity while it lives. */
  readonly bornAt: number;
  readonly endedAt: number;
  // Of columns that are seldom shown: empty while they are not.
  readonly euser: string;
  readonly container: string;
  readonly executable: string;
  readonly cwd: string;
  readonly exit: string;
}

const NEW_NS = 3e9;
const SHORT_ID = 12;
const NOT_KNOWN = '–';

export interface RowContext {
  readonly tree: TemporalTree;
  readonly at: EventNs;
  readonly base: TimeBase;
  readonly users: Readonly<Record<string, string>>;
  /** Where the playhead has just come from, before `at` or after it. */
  readonly movedFrom?: EventNs | undefined;
  /** Default: those that every row has. */
  readonly columns?: readonly ColumnId[] | undefined;
}

export function rowModel(context: RowContext, task: TaskIndex): RowModel {
  const { tree, at, base, users } = context;
  const isThread = tree.isThread(task);
  const isKernelThread = tree.isKernelThread(task);
  const comm = tree.textAt(task, 'comm', at);
  const name = comm === undefined ? undefined : printableName(comm) || '(empty name)';
  const uid = tree.numberAt(task, 'uid', at);
  const state = taskState(tree, task, at);
  const start = tree.startOf(task);
  const exit = tree.exitOf(task);
  const isRunning = state.kind === 'running';
  const isStartKnown = (tree.flagsOf(task) & TASK_FLAG.startIsUnknown) === 0;
  const from = context.movedFrom ?? at;
  const isOnTheWay = (time: EventNs) => time > Math.min(from, at) && time <= Math.max(from, at);
  const started = clockTime(base, start, epochMsOf(base, at));
  return {
    id: tree.taskIdOf(task),
    isThread,
    isPlaceholder: tree.isPlaceholder(task),
    isNew: isRunning && isStartKnown && (at - start < NEW_NS || isOnTheWay(start)),
    isEnding: isOnTheWay(exit),
    name: isKernelThread && name !== undefined ? `[${name}]` : name,
    command: isThread || isKernelThread ? undefined : commandOf(tree, task, at),
    tid: tree.tidOf(task),
    pid: tree.pidOf(task),
    user: userName(users, uid),
    userTitle: uid === undefined ? 'The user is not known' : `uid ${uid}`,
    started: isStartKnown ? started : `≤ ${started}`,
    startedTitle: `${isStartKnown ? '' : 'Started then or earlier: '}${exactTime(base, start)}`,
    state: state.kind,
    stateText: state.text,
    stateTone: state.tone,
    stateAge: isRunning ? age(at - start) : `${age(at - exit)} ago`,
    stateTitle: isRunning ? '' : `Ended ${exactTime(base, exit)} after ${elapsed(exit - start)}`,
    badges: badgesOf(context, task),
    orphan: orphanNote(tree, task, at),
    age: `${isStartKnown ? '' : '≥ '}${age(Math.min(at, exit) - start)}`,
    bornAt: start,
    endedAt: isRunning ? Number.POSITIVE_INFINITY : exit,
    ...seldomShown(context, task, isRunning),
  };
}

function seldomShown({ tree, at, users, columns = [] }: RowContext, task: TaskIndex, isRunning: boolean) {
  const isShown = (column: ColumnId) => columns.includes(column);
  const text = (field: 'container' | 'cwd') => printable(tree.textAt(task, field, at) ?? '');
  return {
    euser: isShown('euser') ? userName(users, tree.numberAt(task, 'euid', at)) : '',
    container: isShown('container') ? text('container').slice(0, SHORT_ID) : '',
    executable: isShown('executable') ? printable(tree.executablePathAt(task, at) ?? NOT_KNOWN) : '',
    cwd: isShown('cwd') ? text('cwd') || NOT_KNOWN : '',
    exit: isShown('exit') && !isRunning ? exitOf(tree, task) : '',
  };
}

function exitOf(tree: TemporalTree, task: TaskIndex): string {
  const signal = tree.exitSignalOf(task);
  if (signal !== undefined && signal > 0) return signalName(signal);
  return String(tree.exitCodeOf(task) ?? NOT_KNOWN);
}

function userName(users: Readonly<Record<string, string>>, uid: number | undefined): string {
  return uid === undefined ? NOT_KNOWN : printable(users[uid] ?? String(uid));
}

export function commandOf(tree: TemporalTree, task: TaskIndex, at: EventNs): string | undefined {
  const argv = tree.valueAt(task, 'argv', at);
  if (isStrings(argv) && argv.length > 0) return commandLine(argv);
  const path = tree.executablePathAt(task, at);
  return path === undefined ? undefined : printable(path);
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value);
}
