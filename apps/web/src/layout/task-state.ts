import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { AUTHORITY, type EventNs } from '@dendro/protocol';
import { signalName } from './format.ts';

export interface TaskState {
  readonly kind: 'running' | 'exited';
  readonly text: string;
  /** Was its end a good one? */
  readonly tone: 'running' | 'ended' | 'failed';
}

/** What had become of a task by `at`. */
export function taskState(tree: TemporalTree, task: TaskIndex, at: EventNs): TaskState {
  if (tree.exitOf(task) > at) return { kind: 'running', text: 'running', tone: 'running' };
  const signal = tree.exitSignalOf(task);
  if (signal !== undefined && signal > 0) return { kind: 'exited', text: signalName(signal), tone: 'failed' };
  const code = tree.exitCodeOf(task);
  if (code !== undefined) return { kind: 'exited', text: `exited ${code}`, tone: code === 0 ? 'ended' : 'failed' };
  const isConcluded = tree.exitAuthorityOf(task) === AUTHORITY.inferred;
  return { kind: 'exited', text: isConcluded ? 'gone' : 'exited', tone: 'ended' };
}
