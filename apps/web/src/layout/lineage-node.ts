// What one node of a lineage says, as plain values: a node is drawn again only
// when one of them has changed, and an export says the same.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { type EventNs, TASK_FLAG, type TaskId } from '@dendro/protocol';
import { elapsed, exactTime, plural } from './format.ts';
import type { EndNode } from './lineage-layout.ts';
import { printable, printableName } from './printable.ts';
import { commandOf, type RowContext } from './row-model.ts';
import { type TaskState, taskState } from './task-state.ts';

export interface LineageNodeModel {
  readonly id: TaskId;
  readonly name: string;
  readonly isNameKnown: boolean;
  readonly pid: number;
  readonly command: string | undefined;
  readonly user: string;
  /** `deploy → root`: it runs as somebody else than its parent did when it started. */
  readonly userChange: string | undefined;
  /** That somebody is root, and was not before. */
  readonly isRaised: boolean;
  /** The container that its parent was not in. */
  readonly container: string | undefined;
  /** From the start of its parent to its own, as exact as they are; undefined without a parent. */
  readonly sinceParent: string | undefined;
  readonly isAlive: boolean;
  readonly state: TaskState['kind'];
  readonly stateText: string;
  readonly stateTone: TaskState['tone'];
  /** Who is its parent by now, where it is another one than at its start. */
  readonly movedTo: string | undefined;
  readonly isPlaceholder: boolean;
  /** Kept only because others descend from it. */
  readonly isEvicted: boolean;
  readonly started: string;
  /** The instant that name and user are of, where it is not the one that is shown. */
  readonly asOf: string | undefined;
}

const CONTAINER_DIGITS = 12;

/** @param parent in the lineage; undefined where it has none */
export function lineageNodeModel(
  context: RowContext,
  node: { readonly task: TaskIndex; readonly at?: EventNs | undefined },
  parent: TaskIndex | undefined,
): LineageNodeModel {
  const { tree, base } = context;
  const { task } = node;
  const at = node.at ?? context.at;
  const start = tree.startOf(task);
  const state = taskState(tree, task, context.at);
  const comm = tree.textAt(task, 'comm', at);
  const name = comm === undefined ? '(no name known)' : printableName(comm) || '(empty name)';
  const isKernelThread = tree.isKernelThread(task);
  const isStartKnown = (tree.flagsOf(task) & TASK_FLAG.startIsUnknown) === 0;
  return {
    id: tree.taskIdOf(task),
    name: isKernelThread && comm !== undefined ? `[${name}]` : name,
    isNameKnown: comm !== undefined,
    pid: tree.pidOf(task),
    command: isKernelThread ? undefined : commandOf(tree, task, at),
    user: runsAs(context, task, at)?.text ?? 'user not known',
    ...changeOfUser(context, task, at, parent),
    container: containerEntered(tree, task, at, parent),
    sinceParent: parent === undefined ? undefined : sinceParent(tree, task, parent),
    isAlive: tree.isAliveAt(task, context.at),
    state: state.kind,
    stateText: state.text,
    stateTone: state.tone,
    movedTo: movedTo(tree, task, context.at),
    isPlaceholder: tree.isPlaceholder(task),
    isEvicted: tree.isStub(task),
    started: `${isStartKnown ? '' : '≤ '}${exactTime(base, start)}`,
    asOf: node.at === undefined ? undefined : exactTime(base, node.at),
  };
}

/** All of it in one sentence, for those who hear it, and for the title. */
export function nodeSentence(model: LineageNodeModel): string {
  return [`${model.name}, pid ${model.pid}, ${model.user}, ${model.stateText}`, ...nodeRemarks(model)].join(', ');
}

/** What is out of the ordinary. */
export function nodeRemarks(model: LineageNodeModel): readonly string[] {
  const parts = [
    model.userChange && `user changed ${model.userChange}`,
    model.container && `in container ${model.container}`,
    model.sinceParent && `${model.sinceParent} after its parent`,
    model.movedTo && `its parent is ${model.movedTo} now`,
    model.isPlaceholder && 'known only because something mentioned it',
    model.isEvicted && 'not in memory any more',
  ];
  return parts.filter((part) => typeof part === 'string' && part !== '') as string[];
}

export const END_TEXT: Readonly<Record<EndNode['reason'], { readonly short: string; readonly long: string }>> = {
  unknown: { short: 'Parent not known', long: 'Nobody has said who started this process.' },
  evicted: { short: 'Not in memory any more', long: 'Who started this process was let go of to keep memory bounded.' },
  trimmed: { short: 'No longer kept', long: 'It is no longer kept who was the parent of this process at its start.' },
  ring: {
    short: 'A ring of parents',
    long: 'What was said of its parents leads back to the process itself, which cannot be.',
  },
};

/** Of a group of processes that were alike. */
export function groupSentence({ name, user, stateText }: LineageNodeModel, count: number): string {
  return `${plural(count, 'process', 'processes')} ${name}, ${user}, all ${stateText}`;
}

export function moreText(count: number): string {
  return `+${plural(count, 'more', 'more')}`;
}

interface Identity {
  readonly uid: number;
  readonly euid: number;
  readonly text: string;
}

/** The user, and whose rights it has where they are another's; undefined where that is not known. */
function runsAs({ tree, users }: RowContext, task: TaskIndex, at: EventNs): Identity | undefined {
  const uid = tree.numberAt(task, 'uid', at);
  if (uid === undefined) return undefined;
  const euid = tree.numberAt(task, 'euid', at) ?? uid;
  const name = (id: number) => printable(users[id] ?? String(id));
  return { uid, euid, text: euid === uid ? name(uid) : `${name(uid)} as ${name(euid)}` };
}

function changeOfUser(
  context: RowContext,
  task: TaskIndex,
  at: EventNs,
  parent: TaskIndex | undefined,
): Pick<LineageNodeModel, 'userChange' | 'isRaised'> {
  const own = runsAs(context, task, at);
  const before = parent === undefined ? undefined : runsAs(context, parent, context.tree.startOf(task));
  if (own === undefined || before === undefined || (own.uid === before.uid && own.euid === before.euid)) {
    return { userChange: undefined, isRaised: false };
  }
  return { userChange: `${before.text} → ${own.text}`, isRaised: own.euid === 0 && before.euid !== 0 };
}

function containerEntered(
  tree: TemporalTree,
  task: TaskIndex,
  at: EventNs,
  parent: TaskIndex | undefined,
): string | undefined {
  const container = tree.textAt(task, 'container', at);
  if (!container || parent === undefined) return undefined;
  const before = tree.textAt(parent, 'container', tree.startOf(task));
  return before === container ? undefined : printable(container.slice(0, CONTAINER_DIGITS));
}

export function sinceParent(tree: TemporalTree, task: TaskIndex, parent: TaskIndex): string | undefined {
  const has = (who: TaskIndex, flag: number) => (tree.flagsOf(who) & flag) !== 0;
  const ns = tree.startOf(task) - tree.startOf(parent);
  // A child that began at its first mention or earlier: nothing can be said.
  if (has(task, TASK_FLAG.startIsUnknown) || ns < 0) return undefined;
  // At least nothing: that says nothing.
  if (has(parent, TASK_FLAG.startIsUnknown)) return ns < 1e6 ? undefined : `≥ ${elapsed(ns)}`;
  const isTick = has(task, TASK_FLAG.startIsTick) || has(parent, TASK_FLAG.startIsTick);
  return isTick && ns < TICK_NS ? '< 20ms' : `+${elapsed(ns)}`;
}

/** Starts that /proc tells are 10 ms apart, rounded down. */
const TICK_NS = 2e7;

function movedTo(tree: TemporalTree, task: TaskIndex, at: EventNs): string | undefined {
  const start = tree.startOf(task);
  const now = tree.parentAt(task, Math.max(start, Math.min(at, tree.exitOf(task))) as EventNs);
  if (now === NO_TASK || now === tree.parentAt(task, start)) return undefined;
  return `${printableName(tree.textAt(now, 'comm', at) ?? '?')} [${tree.pidOf(now)}]`;
}
