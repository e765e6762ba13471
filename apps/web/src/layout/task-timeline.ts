// The life of a task as a list: its birth, every value that each of its fields
// ever had, every parent, its end. What was told at one moment stands together.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import {
  AUTHORITY,
  type Authority,
  type EventNs,
  type FieldName,
  type FieldValue,
  justBefore,
  TASK_FLAG,
} from '@dendro/protocol';
import { FIELD_NAMES, FIELD_TITLES, fieldText } from './field-text.ts';
import { signalName } from './format.ts';

export type MomentKind = 'birth' | 'exec' | 'rename' | 'credentials' | 'reparenting' | 'seen' | 'change' | 'exit';

export interface SaidValue {
  readonly field: string;
  readonly value: string;
  /** What it was the instant before; undefined where it was the same, or nothing is known. */
  readonly before: string | undefined;
  readonly authority: Authority;
}

export interface Moment {
  readonly at: EventNs;
  readonly kind: MomentKind;
  readonly title: string;
  /** Undefined where nobody has said so. */
  readonly authority: Authority | undefined;
  readonly values: readonly SaidValue[];
}

export interface TaskTimeline {
  /** Oldest first. */
  readonly moments: readonly Moment[];
  /** Fields of which older values are no longer kept. */
  readonly trimmed: readonly string[];
}

interface Context {
  readonly tree: TemporalTree;
  readonly users: Readonly<Record<string, string>>;
}

/** What is told of one exec comes within this time. */
const TOGETHER_NS = 100_000;
/** Parents that are looked for: hostile input can name them without end. */
const MAX_PARENTS = 1000;
const CREDENTIALS: readonly FieldName[] = ['uid', 'gid', 'euid', 'egid'];
/** Of moments at one time, which comes first. */
const ORDER: readonly MomentKind[] = [
  'birth',
  'reparenting',
  'rename',
  'exec',
  'credentials',
  'change',
  'seen',
  'exit',
];

export function taskTimeline(context: Context, task: TaskIndex): TaskTimeline {
  const { tree } = context;
  const start = tree.startOf(task);
  const changes = changesOf(context, task);
  const isOfBirth = ({ at, kind }: Moment): boolean =>
    at - start <= TOGETHER_NS && (kind === 'change' || kind === 'seen');
  const values = changes.filter(isOfBirth).flatMap((moment) => moment.values);
  const birth = { ...birthOf(context, task), values };
  const moments = [birth, ...changes.filter((moment) => !isOfBirth(moment)), ...reparentings(tree, task)];
  const end = exitOf(tree, task);
  if (end !== undefined) moments.push(end);
  moments.sort((a, b) => a.at - b.at || ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const trimmed = FIELD_NAMES.filter((field) => tree.isTrimmedAt(task, field, start)).map((name) => FIELD_TITLES[name]);
  return { moments, trimmed };
}

function birthOf({ tree }: Context, task: TaskIndex): Moment {
  const start = tree.startOf(task);
  const creator = tree.creatorOf(task);
  const parent = creator === NO_TASK ? tree.parentAt(task, start) : creator;
  const by = parent === NO_TASK ? '' : ` by ${nameOf(tree, parent, start)}`;
  const isUnknown = (tree.flagsOf(task) & TASK_FLAG.startIsUnknown) !== 0;
  const what = tree.isThread(task) ? 'Thread started' : 'Started';
  return {
    at: start,
    kind: 'birth',
    title: isUnknown ? `First heard of; ${what.toLowerCase()} then or earlier${by}` : `${what}${by}`,
    authority: tree.authorityOf(task),
    values: [],
  };
}

function exitOf(tree: TemporalTree, task: TaskIndex): Moment | undefined {
  const at = tree.exitOf(task);
  if (at === Number.POSITIVE_INFINITY) return undefined;
  const [code, signal] = [tree.exitCodeOf(task), tree.exitSignalOf(task)];
  const how =
    signal !== undefined && signal > 0
      ? `, killed by ${signalName(signal)}`
      : code === undefined
        ? ', how is not known'
        : `, code ${code}`;
  return { at, kind: 'exit', title: `Ended${how}`, authority: tree.exitAuthorityOf(task), values: [] };
}

interface Entry {
  readonly field: Exclude<FieldName, 'parent'>;
  readonly since: EventNs;
  readonly authority: Authority;
  readonly value: FieldValue;
}

function changesOf(context: Context, task: TaskIndex): Moment[] {
  const entries: Entry[] = [];
  for (const field of FIELD_NAMES) {
    if (field === 'parent') continue;
    for (const entry of context.tree.changelogOf(task, field)) entries.push({ field, ...entry });
  }
  entries.sort((a, b) => a.since - b.since);
  const moments: Moment[] = [];
  for (let from = 0; from < entries.length; ) {
    const { since } = entries[from] as Entry;
    let end = from + 1;
    while (end < entries.length && (entries[end] as Entry).since - since <= TOGETHER_NS) end++;
    moments.push(momentOf(context, task, entries.slice(from, end)));
    from = end;
  }
  return moments;
}

function momentOf({ tree, users }: Context, task: TaskIndex, entries: readonly Entry[]): Moment {
  const at = (entries[0] as Entry).since;
  const kind = kindOf(entries);
  const told = entries.map(({ field, since, value, authority }): SaidValue => {
    const text = fieldText(field, value, users);
    const was = tree.valueAt(task, field, justBefore(since));
    const before = was === undefined ? undefined : fieldText(field, was, users);
    return { field: FIELD_TITLES[field], value: text, before: before === text ? undefined : before, authority };
  });
  // One exec can be told twice, as by its two events.
  const values = told.filter(
    ({ field, value }, i) => told.findIndex((other) => other.field === field && other.value === value) === i,
  );
  const authority = Math.max(...entries.map((entry) => entry.authority)) as Authority;
  return { at, kind, title: TITLES[kind], authority, values };
}

const TITLES: Readonly<Record<MomentKind, string>> = {
  birth: 'Started',
  exec: 'Ran a program',
  rename: 'Renamed',
  credentials: 'Credentials changed',
  reparenting: 'Reparented',
  seen: 'Looked at',
  change: 'Told',
  exit: 'Ended',
};

function kindOf(entries: readonly Entry[]): MomentKind {
  const has = (fields: readonly FieldName[]): boolean =>
    entries.some(({ field, authority }) => fields.includes(field) && authority !== AUTHORITY.sighting);
  if (has(['argv'])) return 'exec';
  if (has(CREDENTIALS)) return 'credentials';
  if (has(['comm'])) return 'rename';
  return entries.every(({ authority }) => authority === AUTHORITY.sighting) ? 'seen' : 'change';
}

/** Every parent after the first: most of them nobody has told, they follow from the end of the one before. */
function reparentings(tree: TemporalTree, task: TaskIndex): Moment[] {
  if (tree.isThread(task)) return [];
  const links: number[] = [];
  tree.forEachParent(task, (_parent, since) => links.push(since));
  links.sort((a, b) => a - b);
  const end = tree.exitOf(task);
  const moments: Moment[] = [];
  let at = tree.startOf(task);
  let parent = tree.parentAt(task, at);
  for (let steps = 0; steps < MAX_PARENTS; steps++) {
    const link = links.find((since) => since > at) ?? Number.POSITIVE_INFINITY;
    const left = parent === NO_TASK ? Number.POSITIVE_INFINITY : tree.exitOf(parent);
    const next = Math.min(link, left > at ? left : Number.POSITIVE_INFINITY) as EventNs;
    if (next === Number.POSITIVE_INFINITY || next > end) break;
    const now = tree.parentAt(task, next);
    const authority = tree.lastParentAuthority;
    if (now !== parent) {
      const to = now === NO_TASK ? 'nobody who is known' : nameOf(tree, now, next);
      const why = left === next && parent !== NO_TASK ? `: ${nameOf(tree, parent, at)} ended` : '';
      moments.push({ at: next, kind: 'reparenting', title: `Parent is now ${to}${why}`, authority, values: [] });
    }
    at = next;
    parent = now;
  }
  return moments;
}

function nameOf(tree: TemporalTree, task: TaskIndex, at: EventNs): string {
  const tid = tree.tidOf(task);
  return `${tree.textAt(task, 'comm', at) ?? 'a task'}${tid > 0 ? ` [${tid}]` : ''}`;
}
