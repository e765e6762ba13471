// What of a process deserves a second look, in a fixed order: other rights than
// its parent's, rights that are not those of its user, another container, a
// program that nobody can look at any more, a bad end.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs, FileInfo } from '@dendro/protocol';
import { printable } from './printable.ts';
import { taskState } from './task-state.ts';

export interface Badge {
  readonly kind: 'user' | 'setuid' | 'container' | 'deleted' | 'failed';
  readonly text: string;
  /** In words. */
  readonly title: string;
}

interface BadgeContext {
  readonly tree: TemporalTree;
  readonly at: EventNs;
  readonly users: Readonly<Record<string, string>>;
}

const SHORT_ID = 12;

export function badgesOf(context: BadgeContext, task: TaskIndex): readonly Badge[] {
  const { tree, at } = context;
  if (tree.isThread(task) || tree.isKernelThread(task)) return [];
  const parent = tree.parentAt(task, Math.min(at, tree.exitOf(task)) as EventNs);
  const hasParent = parent !== NO_TASK && tree.isPresent(parent) && !tree.isKernelThread(parent);
  const badges = [
    hasParent ? userBadge(context, task, parent) : undefined,
    setuidBadge(context, task),
    hasParent ? containerBadge(context, task, parent) : undefined,
    programBadge(context, task),
    failedBadge(context, task),
  ];
  return badges.filter((badge) => badge !== undefined);
}

function userBadge({ tree, at, users }: BadgeContext, task: TaskIndex, parent: TaskIndex): Badge | undefined {
  const differs = (field: 'uid' | 'euid'): string | undefined => {
    const [own, theirs] = [tree.numberAt(task, field, at), tree.numberAt(parent, field, at)];
    if (own === undefined || theirs === undefined || own === theirs) return undefined;
    return userName(users, own);
  };
  const [user, rights] = [differs('uid'), differs('euid')];
  const theirs = userName(users, tree.numberAt(parent, 'euid', at) ?? tree.numberAt(parent, 'uid', at));
  if (rights !== undefined)
    return { kind: 'user', text: `→${rights}`, title: `Has the rights of ${rights}, its parent those of ${theirs}` };
  const parents = userName(users, tree.numberAt(parent, 'uid', at));
  if (user !== undefined) return { kind: 'user', text: `→${user}`, title: `Runs as ${user}, its parent as ${parents}` };
  return undefined;
}

function setuidBadge({ tree, at, users }: BadgeContext, task: TaskIndex): Badge | undefined {
  const [uid, euid] = [tree.numberAt(task, 'uid', at), tree.numberAt(task, 'euid', at)];
  if (uid === undefined || euid === undefined || uid === euid) return undefined;
  const title = `Run by ${userName(users, uid)} with the rights of ${userName(users, euid)}`;
  return { kind: 'setuid', text: 'setuid', title };
}

function containerBadge({ tree, at }: BadgeContext, task: TaskIndex, parent: TaskIndex): Badge | undefined {
  const [own, theirs] = [tree.textAt(task, 'container', at), tree.textAt(parent, 'container', at)];
  if ((own ?? '') === (theirs ?? '')) return undefined;
  if (!own) {
    // Of a process that nobody has looked at, it is not known whether it is in one.
    if (own === undefined) return undefined;
    return { kind: 'container', text: 'host', title: `Outside of its parent's container ${printable(theirs ?? '')}` };
  }
  const short = printable(own.slice(0, SHORT_ID));
  return { kind: 'container', text: short, title: `In container ${printable(own)}; its parent is not` };
}

function programBadge({ tree, at }: BadgeContext, task: TaskIndex): Badge | undefined {
  const file = tree.valueAt(task, 'executable', at) as FileInfo | undefined;
  if (file?.links !== 0) return undefined;
  return /^\/?memfd:/.test(file.path)
    ? { kind: 'deleted', text: 'memfd', title: 'Its program was never a file: it is in memory only' }
    : { kind: 'deleted', text: 'deleted', title: 'The file of its program had no name any more when it was started' };
}

function failedBadge({ tree, at }: BadgeContext, task: TaskIndex): Badge | undefined {
  const { tone, text } = taskState(tree, task, at);
  if (tone !== 'failed') return undefined;
  return { kind: 'failed', text: '✕', title: text.startsWith('exited') ? `It ${text}` : `It was ended by ${text}` };
}

function userName(users: Readonly<Record<string, string>>, uid: number | undefined): string {
  return uid === undefined ? 'nobody knows whom' : printable(users[uid] ?? String(uid));
}
