// What of time the strip shows when nobody has chosen.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { type EventNs, eventTimeOf, type HostInfo, TASK_FLAG } from '@dendro/protocol';
import type { TimeWindow } from '../../layout/time-window.ts';

const LEAST_NS = 60e9;
const USUAL_NS = 600e9;
/** Room behind the last event, so that it does not stick to the edge. */
const MARGIN = 0.01;
const NOT_EXACT = TASK_FLAG.startIsTick | TASK_FLAG.startIsUnknown;

/**
 * Before this instant only what still lived later is known. A history says where it begins; without one a live host is
 * watched from the zero of its clock on, a recording from its first birth on.
 */
export function knownFrom(tree: TemporalTree, host: HostInfo | undefined): EventNs {
  if (host?.oldestEpochNs !== undefined) {
    return eventTimeOf({ epochNs: BigInt(host.baseEpochNs) }, BigInt(host.oldestEpochNs));
  }
  if (host?.isLive) return 0 as EventNs;
  let first = Number.POSITIVE_INFINITY;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task)) continue;
    if ((tree.flagsOf(task) & NOT_EXACT) === 0) first = Math.min(first, tree.startOf(task));
    first = Math.min(first, tree.exitOf(task));
  }
  return (Number.isFinite(first) ? first : 0) as EventNs;
}

interface Wanted {
  readonly chosen: TimeWindow | undefined;
  readonly now: EventNs;
  readonly knownFrom: EventNs;
  readonly isLive: boolean;
  readonly pausedAt: EventNs | undefined;
}

export function shownWindow({ chosen, now, knownFrom, isLive, pausedAt }: Wanted): TimeWindow {
  if (chosen !== undefined) return chosen;
  if (!isLive) {
    const margin = Math.max(1e6, (now - knownFrom) * MARGIN);
    return { from: (knownFrom - margin) as EventNs, to: (now + margin) as EventNs };
  }
  const from = Math.min(pausedAt ?? now, Math.max(knownFrom, now - USUAL_NS), now - LEAST_NS);
  return { from: from as EventNs, to: now };
}
