// Whoever reads in /proc what a record of a change does not say.

import type { ObserveEvent } from '@dendro/protocol';

/** What a process was like at `at`, or some moments later. */
export type ChangeReading = Pick<ObserveEvent, 'at' | 'start' | 'uid' | 'gid' | 'euid' | 'egid' | 'container'>;

export interface ChangeReader {
  /** This task has changed: it should be read again. Nothing is promised: it can be gone, or too many can have changed. */
  noteChanged(tid: number): void;

  /** The newest reading of a process, unless that is long ago. */
  lastReadingOf(pid: number): ChangeReading | undefined;
}
