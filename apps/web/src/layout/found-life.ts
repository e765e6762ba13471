// A process that a search of the history has found, as its row says it.

import { type EventNs, eventTimeOf, type TaskId, type TimeBase } from '@dendro/protocol';
import { dateTime, elapsed, exactTime, signalName } from './format.ts';
import { printable, printableName } from './printable.ts';

/** As `GET …/search` gives it; times in epoch nanoseconds. */
export interface FoundLife {
  readonly taskId: TaskId;
  readonly pid: number;
  readonly startTime: string;
  readonly exitTime: string | null;
  readonly exitCode: number | null;
  readonly signal: number | null;
  /** Since when it was so: it may have run another program before. */
  readonly since: string;
  /** First instant of it that can be shown. */
  readonly knownFrom: string;
  readonly comm: string | null;
  readonly path: string | null;
  readonly cmd: readonly string[] | null;
  readonly uid: number | null;
  readonly containerId: string | null;
  /** The nearest first; null where they were not looked up. */
  readonly ancestors: readonly { readonly pid: number; readonly comm: string | null }[] | null;
}

export interface FoundLifeModel {
  readonly key: string;
  readonly name: string;
  readonly command: string;
  readonly user: string;
  readonly started: string;
  readonly exactStart: string;
  /** Undefined while it lived, as far as is known. */
  readonly lasted: string | undefined;
  readonly end: string;
  readonly hasFailed: boolean;
  /** `bash [41] ← sshd [7]` */
  readonly from: string;
  /** When it was as it was found. */
  readonly at: EventNs;
}

const SHOWN_ANCESTORS = 3;

export function foundLifeModel(
  life: FoundLife,
  base: TimeBase,
  users: Readonly<Record<string, string>>,
  isRunning: boolean,
): FoundLifeModel {
  const { taskId, since, comm, cmd, path, uid, exitTime, exitCode, signal, ancestors } = life;
  const [start, from, known] = [life.startTime, since, life.knownFrom].map((ns) => eventTimeOf(base, BigInt(ns))) as [
    EventNs,
    EventNs,
    EventNs,
  ];
  const end = exitTime === null ? undefined : eventTimeOf(base, BigInt(exitTime));
  const isKilled = signal !== null && signal > 0;
  return {
    key: `${taskId} ${since}`,
    name: printableName(comm ?? '') || '(no name known)',
    command: printable(cmd?.join(' ') ?? path ?? ''),
    user: uid === null ? '–' : printable(users[uid] ?? String(uid)),
    started: dateTime(base, start),
    exactStart: exactTime(base, start),
    lasted: end === undefined ? undefined : elapsed(end - start),
    end: isKilled
      ? signalName(signal)
      : exitCode !== null
        ? `exited ${exitCode}`
        : end !== undefined
          ? 'exited'
          : isRunning
            ? 'running'
            : 'no end known',
    hasFailed: isKilled || (exitCode ?? 0) !== 0,
    from: fromWords(ancestors ?? []),
    at: Math.max(from, known) as EventNs,
  };
}

function fromWords(ancestors: NonNullable<FoundLife['ancestors']>): string {
  const words = ancestors
    .slice(0, SHOWN_ANCESTORS)
    .map(({ pid, comm }) => `${printableName(comm ?? '') || '(no name known)'} [${pid}]`);
  return [...words, ...(ancestors.length > SHOWN_ANCESTORS ? ['…'] : [])].join(' ← ');
}
