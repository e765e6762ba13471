// The changelog of the task: what happened to it, and every value that each of
// its fields ever had. A click goes to the instant.

import { type EventNs, epochMsOf } from '@dendro/protocol';
import { ArrowDownUp } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { clockTime, count, exactTime, millisecondsOf } from '../../layout/format.ts';
import { printable } from '../../layout/printable.ts';
import { AUTHORITY_WORDS } from '../../layout/provenance.ts';
import { type Moment, taskTimeline } from '../../layout/task-timeline.ts';
import { LongText } from '../common/long-text.tsx';
import { goToTime } from '../timeline/go-to-time.ts';
import { knownFrom } from '../timeline/strip-window.ts';
import { Tag, type TaskProps } from './field.tsx';
import { useSteps } from './use-steps.ts';

const STEP = 100;
const MAX_BEFORE = 120;

export function TimelineTab(props: TaskProps) {
  const { tree, task, at, users } = props;
  const { replica } = useApp();
  const [isOldestFirst, setIsOldestFirst] = useState(false);
  const { facts, host } = replica;
  const { moments, trimmed } = useMemo(() => {
    void facts; // a late one can have changed the past
    return taskTimeline({ tree, users }, task);
  }, [tree, users, task, facts]);
  const oldest = useMemo(() => {
    void facts;
    return knownFrom(replica.tree, host);
  }, [replica, host, facts]);
  const ordered = isOldestFirst ? moments : moments.toReversed();
  const { shown, more, showMore } = useSteps(ordered, STEP);
  const later = moments.filter((moment) => moment.at > at).length;
  return (
    <>
      <div className="tab-head">
        <span>
          {count(moments.length)} {moments.length === 1 ? 'entry' : 'entries'}
          {later > 0 && `, ${count(later)} after the instant that is shown`}
        </span>
        <button type="button" className="copy-button" onClick={() => setIsOldestFirst(!isOldestFirst)}>
          <ArrowDownUp size={13} aria-hidden="true" /> {isOldestFirst ? 'Oldest first' : 'Newest first'}
        </button>
      </div>
      {trimmed.length > 0 && (
        <p className="cut-mark" role="note">
          Older values of {trimmed.join(', ')} are no longer in memory.
        </p>
      )}
      <ol className="moments" aria-label="Timeline">
        {shown.map((moment, i) => (
          <MomentItem key={`${moment.at} ${moment.kind} ${i}`} moment={moment} oldest={oldest} {...props} />
        ))}
      </ol>
      {more > 0 && (
        <button type="button" className="link" onClick={showMore}>
          {count(more)} more: show
        </button>
      )}
    </>
  );
}

interface MomentItemProps extends TaskProps {
  readonly moment: Moment;
  /** The first instant that can be shown. */
  readonly oldest: EventNs;
}

function MomentItem({ moment, oldest, at, base }: MomentItemProps) {
  const { replica } = useApp();
  const { kind, title, values, authority } = moment;
  const time = `${clockTime(base, moment.at, epochMsOf(base, at))}${millisecondsOf(base, moment.at)}`;
  const isReachable = moment.at >= oldest && moment.at <= replica.now();
  const go = (instant: EventNs): void => goToTime({ kind: 'instant', at: instant, base }, replica);
  return (
    <li className={`moment is-${kind}${moment.at > at ? ' is-later' : ''}`}>
      <button
        type="button"
        className="moment-head"
        aria-current={moment.at === at || undefined}
        disabled={!isReachable}
        title={
          isReachable
            ? `Show the tree as of ${exactTime(base, moment.at)}`
            : `${exactTime(base, moment.at)}: the tree is known from ${exactTime(base, oldest)} on`
        }
        onClick={() => go(moment.at)}
      >
        <time>{time}</time>
        <span className="moment-title">{printable(title)}</span>
      </button>
      {authority !== undefined && <Tag>{AUTHORITY_WORDS[authority]}</Tag>}
      {values.length > 0 && (
        <dl>
          {values.map(({ field, value, before, authority: by }, i) => (
            <div key={i}>
              <dt>{field}</dt>
              <dd>
                <LongText text={value} />
                {before !== undefined && (
                  <span className="moment-before">
                    {' '}
                    was <LongText text={before} limit={MAX_BEFORE} />
                  </span>
                )}
                {by !== authority && <Tag>{AUTHORITY_WORDS[by]}</Tag>}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}
