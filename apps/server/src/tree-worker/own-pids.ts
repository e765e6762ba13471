// The processes of Dendro itself, so that whoever looks at the host can leave
// them out.

import { readlinkSync } from 'node:fs';
import type { Feed } from './choose-source.ts';

/** The pid namespace that a kernel starts with has this inode, on every machine (PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';

/** Pids as the feed counts them; none where it is not of this host, or where Dendro does not know its own there. */
export function ownPids({ source, procfs, procfsCounts }: Feed): readonly number[] {
  if (!source.isLive || procfsCounts === undefined) return [];
  // Kernel events have the pids of the host. Whoever polls /proc alone sees those of its own namespace.
  if (procfs !== undefined && !isInFirstNamespace()) return [];
  const { childPid } = source;
  return childPid === undefined ? [process.pid] : [process.pid, childPid];
}

function isInFirstNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') === FIRST_PID_NAMESPACE;
  } catch {
    return false; // without /proc nobody can say
  }
}
