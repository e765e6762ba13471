// How a value is known, in words: who said or saw it, when, and whether that is
// of the instant that is shown or concluded for it.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { AUTHORITY, type Authority, type EventNs, epochMsOf, type FieldName, type TimeBase } from '@dendro/protocol';
import { clockTime, exactTime } from './format.ts';

export interface Provenance {
  /** `kernel event 14:03:27` */
  readonly text: string;
  /** A sentence, with exact times. */
  readonly title: string;
  /** Whose value it is, where it is not the task's own. */
  readonly from: string | undefined;
}

interface AskedFor {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;
  readonly at: EventNs;
  readonly base: TimeBase;
  /** Name of what the events come from; undefined where what is shown was recorded, perhaps by another. */
  readonly source: string | undefined;
}

/** @returns undefined where nobody has said anything */
export function provenance(asked: AskedFor, field: FieldName): Provenance | undefined {
  const { tree, task, at } = asked;
  const authority = tree.authorityAt(task, field, at);
  if (authority === undefined) return undefined;
  const isOwn = field === 'parent' || tree.sinceAt(task, field, at) !== undefined;
  if (isOwn) return { ...ownWords(asked, field, authority), from: undefined };
  const from = tree.isThread(task) && field !== 'comm' ? 'of its process' : 'inherited from its parent';
  return { text: AUTHORITY_WORDS[authority], title: `Not its own: ${from}, as of its start`, from };
}

export const AUTHORITY_WORDS: Readonly<Record<Authority, string>> = {
  [AUTHORITY.event]: 'kernel event',
  [AUTHORITY.sighting]: 'seen',
  [AUTHORITY.inferred]: 'inferred',
};

function ownWords(
  { tree, task, at, base, source }: AskedFor,
  field: FieldName,
  authority: Authority,
): Pick<Provenance, 'text' | 'title'> {
  const clock = (time: EventNs): string => clockTime(base, time, epochMsOf(base, at));
  const running = source === undefined ? '' : ` while ${source} ran`;
  if (authority === AUTHORITY.inferred) {
    return { text: 'inferred', title: 'Concluded from other facts: nobody has said or seen it' };
  }
  if (authority === AUTHORITY.event) {
    const since = tree.sinceAt(task, field, at);
    const heard = source === undefined ? '' : `, heard through ${source}`;
    if (since === undefined) return { text: 'kernel event', title: `Said by a kernel event${heard}` };
    return {
      text: `kernel event ${clock(since)}`,
      title: `Said by a kernel event of ${exactTime(base, since)}${heard}`,
    };
  }
  const sightings = tree.changelogOf(task, field).filter((entry) => entry.authority === AUTHORITY.sighting);
  const seen = sightings.findLast(({ since }) => since <= at);
  if (seen !== undefined) {
    return {
      text: `seen ${clock(seen.since)}${running}`,
      title: `Seen at ${exactTime(base, seen.since)}: it was so then, since when is not known`,
    };
  }
  const later = sightings[0];
  if (later === undefined) return { text: 'seen', title: 'Seen, and not heard from the kernel' };
  return {
    text: `first seen ${clock(later.since)}${running}, inferred before`,
    title: `First seen at ${exactTime(base, later.since)}; that it was so before is concluded`,
  };
}
