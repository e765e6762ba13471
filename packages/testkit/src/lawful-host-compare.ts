// A tree beside the oracle: whatever is answered differently, in words.

import { NO_TASK, type ProcessTree, ProcessTreeDataSource, type TaskIndex } from '@dendro/engine';
import { type EventNs, FIELDS, type FieldValue } from '@dendro/protocol';
import type { LawfulHost, Life } from './lawful-host.ts';
import { SLACK } from './lawful-host-dialects.ts';
import type { Oracle } from './lawful-host-oracle.ts';

const FIELD_NAMES = (Object.keys(FIELDS) as (keyof typeof FIELDS)[]).filter((name) => name !== 'parent');
/** More than these are not worth reading. */
const MAX_DIFFERENCES = 12;

export interface Tolerance {
  /** Was anything stamped later than it happened? Then times so near to it are left out. */
  readonly hasSlack?: boolean;
}

/** The instants at which something happened, just before, and just after. */
export function timesAround(host: LawfulHost, { hasSlack = false }: Tolerance = {}): number[] {
  const instants = [...new Set(host.happenings.map(({ at }) => at))];
  const slack = hasSlack ? SLACK : 0;
  const around = instants.flatMap((at) => [at - 1, at, at + slack + 1]).sort((a, b) => a - b);
  if (!hasSlack) return [...new Set(around)];
  return around.filter((time) => !instants.some((at) => at <= time && time <= at + slack));
}

/** @returns what the tree says otherwise than the oracle, about any task at any of the times */
export function differences(
  host: ProcessTree,
  oracle: Oracle,
  times: readonly number[],
  { hasSlack = false }: Tolerance = {},
): string[] {
  const found: string[] = [];
  /** hot: the words are put together only when they are needed */
  const expect = (what: string, about: Life, at: number | undefined, got: unknown, want: unknown): void => {
    if (isSame(got, want)) return;
    const time = at === undefined ? '' : ` at ${at}`;
    found.push(`${what} ${name(about)}${time}: ${show(got)} and not ${show(want)}`);
  };
  const isNear = (got: number, want: number) => got === want || (hasSlack && got >= want && got <= want + SLACK);
  const { tree } = host;
  const source = new ProcessTreeDataSource(host);

  const present = slots(tree.slotCount).filter((task) => tree.isPresent(task));
  const taskOf = new Map<Life, TaskIndex>();
  const lifeOf = new Map<TaskIndex, Life>();
  for (const life of oracle.lives) {
    const task = present.find((one) => tree.tidOf(one) === life.tid && isNear(tree.startOf(one), life.start));
    if (task === undefined) {
      found.push(`${name(life)} is missing`);
      continue;
    }
    taskOf.set(life, task);
    lifeOf.set(task, life);
  }
  for (const task of present) {
    if (!lifeOf.has(task)) found.push(`${tree.tidOf(task)}@${tree.startOf(task)} is no life of this host`);
  }
  /** Who it is; a task that is none of this host by its number. */
  const who = (task: TaskIndex): Life | number | undefined =>
    task === NO_TASK ? undefined : (lifeOf.get(task) ?? tree.taskIdOf(task));

  for (const [life, task] of taskOf) {
    expect('placeholder', life, undefined, tree.isPlaceholder(task), false);
    expect('thread', life, undefined, tree.isThread(task), life.leader !== life);
    expect('process of', life, undefined, who(tree.leaderOf(task)), life.leader);
    expect('creator of', life, undefined, who(tree.creatorOf(task)), life.creator);
    const end = oracle.endOf(life);
    if (!isNear(tree.exitOf(task), end.at)) expect('end of', life, undefined, tree.exitOf(task), end.at);
    if (!hasSlack || !oracle.hasRivalEnds(life)) {
      expect('code of', life, undefined, tree.exitCodeOf(task), end.code);
      expect('signal of', life, undefined, tree.exitSignalOf(task), end.signal);
    }
    if (life.leader === life) {
      const threads = oracle.lives.filter((other) => other.leader === life && other !== life);
      expect('threads of', life, undefined, tree.threadsOf(task).map(who).sort(byStart), threads.sort(byStart));
      expect('parent of', life, life.start - 1, who(tree.parentAt(task, (life.start - 1) as EventNs)), undefined);
    }
    for (const time of times) {
      if (found.length >= MAX_DIFFERENCES) return found;
      if (time < life.start + (hasSlack ? SLACK : 0)) continue;
      const at = time as EventNs;
      const values = tree.valuesAt(task, at);
      for (const field of FIELD_NAMES) {
        const got = plain(values[FIELDS[field].id]);
        const want = oracle.valueAt(life, field, time);
        if (isSame(got, want) || (hasSlack && got === undefined && oracle.isFromTheEnd(life, field))) continue;
        expect(`${field} of`, life, time, got, want);
      }
      expect('alive', life, time, tree.isAliveAt(task, at), time <= end.at);
      if (life.leader !== life) continue;
      expect('parent of', life, time, who(tree.parentAt(task, at)), oracle.parentAt(life, time));
      const exec = oracle.execTimeAt(life, time);
      const gotExec = tree.execTimeAt(task, at);
      if (exec === undefined || gotExec === undefined || !isNear(gotExec, exec))
        expect('exec time of', life, time, gotExec, exec);
    }
  }

  for (const time of times) {
    if (found.length >= MAX_DIFFERENCES) return found;
    const processes = [...taskOf].filter(([life]) => life.leader === life && life.start <= time);
    const children = Map.groupBy(processes, ([life]) => oracle.parentAt(life, time));
    for (const [life, task] of processes) {
      const want = (children.get(life) ?? []).map(([child]) => child);
      const got = tree.childrenAt(task, time as EventNs).map(who);
      expect('children of', life, time, got.sort(byStart), want.sort(byStart));
    }
  }

  if (hasSlack) return found; // each ancestor has the start of its child as its time
  for (const [life, task] of taskOf) {
    if (life.leader !== life) continue;
    for (const time of [life.start, times.at(-1) as number]) {
      const ref = { taskId: tree.taskIdOf(task) };
      const key = { kind: 'LineageKey', task: ref, time: time as EventNs, maxDepth: 1000 } as const;
      const { ancestors, end } = source.get(key).process_lineage.info;
      const got = ancestors.flatMap(({ info, timestamp }) => [who(tree.indexOf(info.taskId)), timestamp]);
      const want = oracle.lineageAt(life, time).flatMap((one) => [one.life, one.at]);
      expect('lineage of', life, time, [...got, end], [...want, 'root']);
    }
  }
  return found;
}

export function name(life: Life): string {
  return `${life.tid}@${life.start}`;
}

/** Files as their paths. */
function plain(value: FieldValue): string | number | readonly string[] | undefined {
  return typeof value === 'object' && 'path' in value ? value.path : value;
}

function isSame(a: unknown, b: unknown): boolean {
  return (
    a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, i) => one === b[i]))
  );
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  return typeof value === 'object' && value !== null ? name(value as Life) : (JSON.stringify(value) ?? `${value}`);
}

/** Those that are no lives of this host last. */
function byStart(a: Life | number | undefined, b: Life | number | undefined): number {
  const [startA, startB] = [a, b].map((one) => (typeof one === 'object' ? one.start : Number.MAX_VALUE));
  return (startA as number) - (startB as number);
}

function slots(count: number): TaskIndex[] {
  return Array.from({ length: count }, (_, slot) => slot as TaskIndex);
}
