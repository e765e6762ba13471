import type { SourceStatus } from '@dendro/protocol';
import { AlertTriangle } from 'lucide-react';
import { useApp } from '../../app-context.ts';
import { clockTime, count, duration } from '../../layout/format.ts';
import { printable } from '../../layout/printable.ts';
import { Popover } from '../common/popover.tsx';

interface SourceProps {
  readonly source: SourceStatus;
}

export function Source({ source }: SourceProps) {
  const isBad = source.state === 'failed';
  return (
    <Popover
      className="popover"
      title="Where events come from, and what cannot be seen"
      tone={isBad ? 'is-bad' : undefined}
      summary={
        <>
          {isBad && <AlertTriangle size={13} aria-hidden="true" />}
          <span data-testid="source-name">source: {printable(source.name)}</span>
          {source.notices.length > 0 && (
            <span className="badge" title={`${source.notices.length} notices`}>
              {source.notices.length}
            </span>
          )}
          {isBad && ' has failed'}
          {source.state === 'ended' && ' (ended)'}
        </>
      }
    >
      <p>{printable(source.detail)}</p>
      {source.notices.length > 0 && (
        <ul>
          {source.notices.map((notice) => (
            <li key={notice}>{printable(notice)}</li>
          ))}
        </ul>
      )}
    </Popover>
  );
}

const MAX_GAPS = 8;

/** Nothing lost is said quietly; anything lost is said with when. */
export function Lost({ source }: SourceProps) {
  const { replica } = useApp();
  if (source.lost === 0) {
    return (
      <span data-testid="lost-events" title="The kernel or the feed has not said that any event was lost">
        0 lost
      </span>
    );
  }
  const base = { epochNs: BigInt(replica.host?.baseEpochNs ?? '0') };
  const gaps = replica.tree.gaps();
  const shown = gaps.slice(-MAX_GAPS).reverse();
  return (
    <Popover
      className="popover"
      title="Events that the kernel or the feed says were lost"
      testId="lost-events"
      tone="is-bad"
      summary={
        <>
          <AlertTriangle size={13} aria-hidden="true" />
          {count(source.lost)} lost
        </>
      }
    >
      <p>Around these times the tree may lack processes, or show some that had ended.</p>
      <table>
        <tbody>
          {shown.map(({ from, to, lost }) => (
            <tr key={`${from}-${to}`}>
              <th scope="row">
                {clockTime(base, from, Date.now())}, for {duration(to - from)}
              </th>
              <td>{count(lost)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {gaps.length > shown.length && <p>And {count(gaps.length - shown.length)} times before that.</p>}
    </Popover>
  );
}

export function Rejected({ source }: SourceProps) {
  const reasons = Object.entries(source.rejected).filter(([, times]) => times > 0);
  if (reasons.length === 0) return null;
  const total = reasons.reduce((sum, [, times]) => sum + times, 0);
  return (
    <Popover
      className="popover"
      title="Input that could not be used, by reason"
      testId="rejected"
      tone="is-warning"
      summary={`${count(total)} rejected`}
    >
      <p>Input that could not be used was counted and skipped.</p>
      <table>
        <tbody>
          {reasons
            .sort(([, a], [, b]) => b - a)
            .map(([reason, times]) => (
              <tr key={reason}>
                <th scope="row">{printable(reason)}</th>
                <td>{count(times)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </Popover>
  );
}

export function Progress({ source }: SourceProps) {
  if (source.progress === undefined || source.progress.total === 0 || source.state !== 'running') return null;
  const { done, total } = source.progress;
  return (
    <span className="progress">
      reading <progress max={total} value={done} /> {Math.floor((100 * done) / total)} %
    </span>
  );
}
