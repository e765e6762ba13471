// The processes of Dendro itself, so that whoever looks at the host can leave
// them out.

import { ownPid } from '@dendro/sources';
import type { Feed } from './choose-source.ts';

/** Pids as the feed counts them; none where it is not of this host. */
export function ownPids({ source, procfsCounts }: Feed): readonly number[] {
  if (!source.isLive || procfsCounts === undefined) return [];
  const { childPid } = source;
  const own = ownPid();
  // Of the child only its number in our own namespace is known.
  return childPid === undefined || own !== process.pid ? [own] : [own, childPid];
}
