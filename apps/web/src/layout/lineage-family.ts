// Whom a lineage is about: all ancestors of a process, and as many of its
// descendants as can be shown. Whoever is not shown is counted at the parent
// that he would stand below.
//
// Chains can be tens of thousands long and hostile facts can close a ring:
// everything here is a loop, and nobody is visited twice.

import { type LineageEnd, lineageEnd, NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import type { Births } from './births.ts';

export interface Ancestor {
  readonly id: TaskId;
  readonly task: TaskIndex;
  /** The start of its child: it is told of as it was then. */
  readonly at: EventNs;
}

/** The subject or somebody below it. */
export interface Member {
  readonly id: TaskId;
  readonly task: TaskIndex;
  /** Position of the parent in `members`, -1 of the subject. */
  readonly parent: number;
  readonly depth: number;
  /** Descendants that would stand below it and are not shown. */
  readonly more: number;
  /** How many it stands for: 1, or a group of siblings that did the same and have ended, of whom it was the first. */
  readonly count: number;
}

export interface LineageFamily {
  readonly at: EventNs;
  /** Nearest first. */
  readonly ancestors: readonly Ancestor[];
  /** Why the eldest has no parent; a ring of parents cannot be, and is said in hostile input only. */
  readonly end: LineageEnd | 'ring';
  /** The subject, then its descendants: a preorder, siblings by start. */
  readonly members: readonly Member[];
  /** Descendants that others of their group stand for. */
  readonly grouped: number;
  /** Descendants that are not shown for want of room: all `more` together. */
  readonly more: number;
  /** Descendants that are not wanted, and do not lead to one that is. */
  readonly unwanted: number;
}

export interface FamilyOptions {
  readonly at: EventNs;
  /** Descendants that are shown at most. */
  readonly limit: number;
  /** Is a descendant asked for? Who leads to one that is stays as well. */
  readonly wanted: (task: TaskIndex) => boolean;
  /** Are children of this process that are alike and have ended shown as one? */
  readonly groups: (parent: TaskIndex) => boolean;
}

/** @param subject a process that had started by `at` */
export function lineageFamily(
  tree: TemporalTree,
  births: Births,
  subject: TaskIndex,
  options: FamilyOptions,
): LineageFamily {
  const visited = new Uint8Array(tree.slotCount); // TaskIndex -> 1 once it has been met
  visited[subject] = 1;
  const { ancestors, end } = climb(tree, subject, options.at, visited);
  const below = descendantsOf(tree, births, subject, options, visited);
  const isTaken = take(tree, below, options);
  const members = preorder(tree, below, isTaken);
  const shown = members.reduce((sum, { count }) => sum + count, 0);
  const lives = below.lives[0] as number;
  return {
    at: options.at,
    ancestors,
    end,
    members,
    grouped: shown - members.length,
    more: lives - shown,
    unwanted: below.tasks.length - lives,
  };
}

/** Of one tree: the same tasks in the same places? Then a layout of the one is a layout of the other. */
export function isSameFamily(a: LineageFamily, b: LineageFamily): boolean {
  if (a.end !== b.end || a.ancestors.length !== b.ancestors.length || a.members.length !== b.members.length)
    return false;
  return (
    a.ancestors.every(({ id, task, at }, i) => {
      const other = b.ancestors[i];
      return id === other?.id && task === other.task && at === other.at;
    }) &&
    a.members.every(({ id, task, parent, more, count }, i) => {
      const other = b.members[i];
      return (
        id === other?.id &&
        task === other.task &&
        parent === other.parent &&
        more === other.more &&
        count === other.count
      );
    })
  );
}

/** Who started a process, who started that, and so on, each as of the start of its child; and why it ends there. */
export function ancestorsOf(
  tree: TemporalTree,
  subject: TaskIndex,
  at: EventNs,
): Pick<LineageFamily, 'ancestors' | 'end'> {
  const visited = new Uint8Array(tree.slotCount); // TaskIndex -> 1 once it has been met
  visited[subject] = 1;
  return climb(tree, subject, at, visited);
}

function climb(
  tree: TemporalTree,
  subject: TaskIndex,
  asOf: EventNs,
  visited: Uint8Array,
): Pick<LineageFamily, 'ancestors' | 'end'> {
  const ancestors: Ancestor[] = [];
  let child = subject;
  let at = asOf;
  for (;;) {
    at = Math.min(at, tree.startOf(child)) as EventNs;
    const parent = tree.parentAt(child, at);
    if (parent === NO_TASK) return { ancestors, end: lineageEnd(tree, child, at) };
    if (visited[parent] === 1) return { ancestors, end: 'ring' };
    if (!tree.isPresent(parent) && !tree.isStub(parent)) return { ancestors, end: 'unknown' }; // named, and no more
    visited[parent] = 1;
    ancestors.push({ id: tree.taskIdOf(parent), task: parent, at });
    child = parent;
  }
}

/** Everybody below a process by level, so that the children of one stand side by side. */
interface Below {
  /** place -> task; the subject is the first */
  readonly tasks: readonly TaskIndex[];
  /** place -> first place of its children, and the first one after them */
  readonly firstChild: readonly number[];
  readonly endOfChildren: readonly number[];
  /** place -> how many have a node of their own: itself and everybody below it; 0 who is not wanted or is grouped */
  readonly kept: Int32Array;
  /** place -> how many it stands for */
  readonly counts: ReadonlyMap<number, number>;
  /** place -> as `kept`, those that are grouped counted too */
  readonly lives: Int32Array;
}

function descendantsOf(
  tree: TemporalTree,
  births: Births,
  subject: TaskIndex,
  { at, wanted, groups }: FamilyOptions,
  visited: Uint8Array,
): Below {
  const tasks: TaskIndex[] = [subject];
  const firstChild: number[] = [];
  const endOfChildren: number[] = [];
  for (let place = 0; place < tasks.length; place++) {
    firstChild.push(tasks.length);
    let child = births.firstChild[tasks[place] as TaskIndex] as TaskIndex;
    for (; child !== NO_TASK; child = births.nextSibling[child] as TaskIndex) {
      if (visited[child] === 1 || tree.startOf(child) > at) continue;
      visited[child] = 1;
      tasks.push(child);
    }
    endOfChildren.push(tasks.length);
  }
  const kept = new Int32Array(tasks.length);
  const counts = new Map<number, number>();
  const lives = new Int32Array(tasks.length);
  // Children come before their parents here.
  for (let place = tasks.length - 1; place >= 0; place--) {
    const task = tasks[place] as TaskIndex;
    const [from, end] = [firstChild[place] as number, endOfChildren[place] as number];
    if (end - from >= LEAST_GROUP && groups(task)) {
      for (const group of alike(tree, tasks, kept, from, end, at)) {
        for (const child of group) {
          kept[child] = 0;
          lives[child] = 0;
        }
        const first = group.reduce((a, b) =>
          byStart(tree, tasks[a] as TaskIndex, tasks[b] as TaskIndex) <= 0 ? a : b,
        );
        kept[first] = 1;
        lives[first] = group.length;
        counts.set(first, group.length);
      }
    }
    let keptBelow = 0;
    let livesBelow = 0;
    for (let child = from; child < end; child++) {
      keptBelow += kept[child] as number;
      livesBelow += lives[child] as number;
    }
    if (place > 0 && keptBelow === 0 && !wanted(task)) continue;
    kept[place] = keptBelow + 1;
    lives[place] = livesBelow + 1;
  }
  return { tasks, firstChild, endOfChildren, kept, lives, counts };
}

/** Fewer are not worth a group. */
const LEAST_GROUP = 4;

/** Siblings without descendants that ended in the same way under the same name and user. */
function alike(
  tree: TemporalTree,
  tasks: readonly TaskIndex[],
  kept: Int32Array,
  from: number,
  end: number,
  at: EventNs,
): number[][] {
  const groups = new Map<string, number[]>();
  for (let place = from; place < end; place++) {
    const task = tasks[place] as TaskIndex;
    const exit = tree.exitOf(task);
    if (kept[place] !== 1 || exit > at) continue;
    const user = tree.numberAt(task, 'euid', exit) ?? tree.numberAt(task, 'uid', exit);
    const status = `${tree.exitCodeOf(task)} ${tree.exitSignalOf(task)}`;
    const key = `${user} ${status} ${tree.textAt(task, 'comm', exit)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [place]);
    else group.push(place);
  }
  return [...groups.values()].filter(({ length }) => length >= LEAST_GROUP);
}

/** How many children one parent is given before it is the next one's turn. */
const TURN = 8;

/**
 * Who is shown. Where there is not room for all, parents take turns, the upper ones first, so that neither a wide
 * branch nor a deep one takes all of it.
 * @returns by place, 1 for who is
 */
function take(tree: TemporalTree, below: Below, { limit, at }: FamilyOptions): Uint8Array {
  const isTaken = new Uint8Array(below.tasks.length);
  if ((below.kept[0] as number) - 1 <= limit)
    return isTaken.map((_, place) => ((below.kept[place] as number) > 0 ? 1 : 0));
  isTaken[0] = 1;
  let room = limit;
  const turns = [{ children: dearest(tree, below, 0, limit, at), next: 0 }];
  for (let turn = 0; turn < turns.length && room > 0; turn++) {
    const { children, next } = turns[turn] as (typeof turns)[number];
    const end = Math.min(next + TURN, children.length, next + room);
    for (let i = next; i < end; i++) {
      const place = children[i] as number;
      isTaken[place] = 1;
      if ((below.kept[place] as number) > 1) {
        turns.push({ children: dearest(tree, below, place, limit, at), next: 0 });
      }
    }
    room -= end - next;
    if (end < children.length) turns.push({ children, next: end });
  }
  return isTaken;
}

/** The children of a place that are shown rather than others: the living by start, then those that ended last. */
function dearest(tree: TemporalTree, below: Below, parent: number, limit: number, at: EventNs): number[] {
  const children: number[] = [];
  for (let place = below.firstChild[parent] as number; place < (below.endOfChildren[parent] as number); place++) {
    if ((below.kept[place] as number) > 0) children.push(place);
  }
  const worths = Float64Array.from(children, (place) => {
    const task = below.tasks[place] as TaskIndex;
    const exit = tree.exitOf(task);
    return exit > at ? LIVES - tree.startOf(task) : exit;
  });
  let best = children.map((_, i) => i);
  if (best.length > limit) {
    // No more than `limit` of them can be taken: to sort all of a hundred thousand as objects would take too long.
    const least = worths.slice().sort().at(-limit) as number;
    best = best.filter((i) => (worths[i] as number) >= least).slice(0, limit);
  }
  best.sort((a, b) => (worths[b] as number) - (worths[a] as number) || a - b);
  return best.map((i) => children[i] as number);
}

/** Less any start it is more than any end, so that whoever lives comes before whoever has ended. */
const LIVES = 2 ** 55;

function preorder(tree: TemporalTree, below: Below, isTaken: Uint8Array): Member[] {
  const members: Member[] = [];
  const stack = [{ place: 0, parent: -1, depth: 0 }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { place, parent, depth } = next;
    const shown: number[] = [];
    let more = 0;
    for (let child = below.firstChild[place] as number; child < (below.endOfChildren[place] as number); child++) {
      if (isTaken[child] === 1) shown.push(child);
      else more += below.lives[child] as number;
    }
    const task = below.tasks[place] as TaskIndex;
    const position =
      members.push({ id: tree.taskIdOf(task), task, parent, depth, more, count: below.counts.get(place) ?? 1 }) - 1;
    shown.sort((a, b) => byStart(tree, below.tasks[a] as TaskIndex, below.tasks[b] as TaskIndex));
    for (const child of shown.reverse()) stack.push({ place: child, parent: position, depth: depth + 1 });
  }
  return members;
}

function byStart(tree: TemporalTree, a: TaskIndex, b: TaskIndex): number {
  return tree.startOf(a) - tree.startOf(b) || tree.tidOf(a) - tree.tidOf(b);
}
