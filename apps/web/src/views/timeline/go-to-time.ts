// An instant that somebody has typed: what it would be, and to go there.

import type { EventNs, TimeBase } from '@dendro/protocol';
import { dateTime } from '../../layout/format.ts';
import { parseTimeText } from '../../layout/time-text.ts';
import { movedTo } from '../../layout/time-window.ts';
import type { Replica } from '../../replica/replica.ts';
import { useView, view } from '../../state/view-store.ts';
import { knownFrom, shownWindow } from './strip-window.ts';

export type TimeGoal =
  | { readonly kind: 'live' }
  | { readonly kind: 'instant'; readonly at: EventNs; readonly base: TimeBase }
  | { readonly kind: 'problem'; readonly message: string };

export function timeGoal(text: string, replica: Replica): TimeGoal {
  const { host, tree } = replica;
  const base = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
  const now = replica.now();
  const at = parseTimeText(text, base, now);
  if (at === undefined) return { kind: 'problem', message: 'Not a time: try 14:03:27, -5m or 2026-11-23T14:03:27Z' };
  if (at === 'live') return { kind: 'live' };
  const from = knownFrom(tree, host);
  if (at >= from && at <= now) return { kind: 'instant', at, base };
  const known = `known is ${dateTime(base, from)} to ${dateTime(base, now)}`;
  return { kind: 'problem', message: at > now ? `That is in the future: ${known}` : `That is too long ago: ${known}` };
}

export function goToTime(goal: Exclude<TimeGoal, { kind: 'problem' }>, replica: Replica): void {
  if (goal.kind === 'live') {
    view.goLive();
    return;
  }
  const { timeWindow } = useView.getState();
  const isLive = replica.host?.isLive ?? false;
  const from = knownFrom(replica.tree, replica.host);
  const shown = shownWindow({ chosen: timeWindow, now: replica.now(), knownFrom: from, isLive, pausedAt: undefined });
  view.pause(goal.at);
  view.showTime(movedTo(shown, goal.at));
}
