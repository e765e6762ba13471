// A source turns one outside feed into TaskEvents. It knows nothing of the tree.

import type { SourceStatus, TaskEvent } from '@dendro/protocol';
import type { FeedHost } from './tracee/host-split.ts';

/**
 * Takes the events of a source, in time order as far as the feed has one, each with the host that it is of where a feed
 * has several; otherwise they are all of one. The first of a host is `clock`.
 * Never throws (but for `facts` that are malformed: DENDRO_BATCH_MALFORMED) and returns at once; a source that reads a long feed gives the event loop a turn
 * between chunks, so that what it has read can be committed and shown.
 */
export type EventSink = (event: TaskEvent, host?: FeedHost) => void;

export interface Source {
  /** As the user names it: `tracefs`, `procfs`, `tracee:FILE`, `replay:FILE`. */
  readonly name: string;
  /** True when event time goes on with the clock of this host, false for a recording. */
  readonly isLive: boolean;
  /** Whose events they are, where the feed says so; known when `start` begins to tell. Otherwise this host's, or nobody's. */
  readonly host?: { readonly name: string; readonly users: Readonly<Record<string, string>> } | undefined;

  /** A process that it has started to do its work, while there is one. It changes when that has to be started again. */
  readonly childPid?: number | undefined;

  /**
   * Begins to read. Resolves as soon as the source runs; a recording is still being read then.
   * @throws DendroError DENDRO_SOURCE_UNAVAILABLE or DENDRO_SOURCE_UNREADABLE: one sentence that says why and how to mend it
   */
  start(sink: EventSink): Promise<void>;

  /** What it can see and what it has lost, now. Cheap: asked once a second. */
  status(): SourceStatus;

  /** Leaves nothing behind: no file descriptor, timer, child process or tracefs instance. Harmless when repeated. */
  stop(): Promise<void>;
}
