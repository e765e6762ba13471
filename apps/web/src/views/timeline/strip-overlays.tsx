// What lies over the bars of the strip: a note where the pointer is, the instant A
// of a comparison, the life of the row that the pointer is over.

import { NO_TASK } from '@dendro/engine';
import type { EventNs, TimeBase } from '@dendro/protocol';
import { useApp } from '../../app-context.ts';
import { count, dateTime, millisecondsOf, plural } from '../../layout/format.ts';
import type { Histogram } from '../../layout/histogram.ts';
import type { TimeWindow } from '../../layout/time-window.ts';
import { useLinked } from '../../state/linked.ts';

interface HoverNoteProps {
  readonly histogram: Histogram;
  readonly base: TimeBase;
  readonly hovered: EventNs;
  /** Is all known of it? */
  readonly isWhole: boolean;
  readonly share: string;
  readonly isRight: boolean;
}

export function HoverNote({ histogram, base, hovered, isWhole, share, isRight }: HoverNoteProps) {
  const bucket = Math.floor((hovered - histogram.from) / histogram.bucketNs);
  const [born = 0, ended = 0] = [histogram.births[bucket], histogram.exits[bucket]];
  const findings = histogram.findings?.[bucket] ?? 0;
  return (
    <span className={isRight ? 'hover-note is-right' : 'hover-note'} style={{ left: share }} aria-hidden="true">
      {dateTime(base, hovered)}
      {histogram.bucketNs < 1e9 && millisecondsOf(base, hovered)}
      <small>
        {plural(born, 'start')}, {count(ended)} {ended === 1 ? 'end' : 'ends'}
        {findings > 0 && `, ${plural(findings, 'finding')}`}
        {!isWhole && ', not all is known'}
      </small>
    </span>
  );
}

interface PinnedProps {
  readonly a: EventNs;
  readonly b: EventNs;
  readonly window: TimeWindow;
}

/** A nearer to the right edge than this has its letter on the other side. */
const NEAR_EDGE = 0.97;

/** A of a comparison, and the time between A and B. */
export function PinnedInstant({ a, b, window }: PinnedProps) {
  const share = shareOf(window);
  const [left, right] = [share(Math.min(a, b)), share(Math.max(a, b))];
  return (
    <>
      <span className="between" style={{ left: `${left * 100}%`, right: `${(1 - right) * 100}%` }} aria-hidden="true" />
      {a >= window.from && a <= window.to && (
        <span
          className={share(a) > NEAR_EDGE ? 'pin-a is-left' : 'pin-a'}
          data-testid="pin-a"
          style={{ left: `${share(a) * 100}%` }}
          aria-hidden="true"
        >
          <b>A</b>
        </span>
      )}
    </>
  );
}

/** Of the row that the pointer is over: when it began and ended. */
export function LinkedLife({ window }: { readonly window: TimeWindow }) {
  const { replica, past } = useApp();
  const task = useLinked((state) => state.task);
  if (task === undefined) return null;
  const tree = [replica.tree, past.tree].find((tree) => tree !== undefined && tree.indexOf(task) !== NO_TASK);
  const index = tree?.indexOf(task) ?? NO_TASK;
  if (tree === undefined || index === NO_TASK || !tree.isPresent(index)) return null;
  const [born, ended] = [tree.startOf(index), Math.min(tree.exitOf(index), replica.now())];
  if (born > window.to || ended < window.from) return null;
  const share = shareOf(window);
  const isIn = (time: number) => time >= window.from && time <= window.to;
  return (
    <span
      className={`linked-life${isIn(born) ? ' has-birth' : ''}${isIn(ended) && ended === tree.exitOf(index) ? ' has-end' : ''}`}
      data-testid="linked-life"
      style={{ left: `${share(born) * 100}%`, right: `${(1 - share(ended)) * 100}%` }}
      aria-hidden="true"
    />
  );
}

/** From 0 to 1, and no further. */
function shareOf({ from, to }: TimeWindow): (time: number) => number {
  return (time) => (Math.min(to, Math.max(from, time)) - from) / (to - from);
}
