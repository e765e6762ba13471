// What a person must be able to trust: where events come from, whether any were
// lost, and whether this page is still connected.

import type { SourceStatus } from '@dendro/protocol';
import { AlertTriangle } from 'lucide-react';
import { useApp } from '../../app-context.ts';
import { count, mebibytes, plural } from '../../layout/format.ts';
import { printable } from '../../layout/printable.ts';
import { useView, view } from '../../state/view-store.ts';
import type { TreeRows } from '../tree/use-tree-rows.ts';
import { ConnectionState } from './connection-state.tsx';

interface StatusBarProps {
  readonly treeRows: TreeRows;
  /** Changes when the replica has. */
  readonly frame: number;
}

export function StatusBar({ treeRows }: StatusBarProps) {
  const { replica } = useApp();
  const { stats } = replica;
  const { hiddenKernelThreads, foldedExited } = treeRows.order;
  const showKernelThreads = useView((state) => state.showKernelThreads);
  const showExited = useView((state) => state.showExited);
  return (
    <footer className="status-bar">
      <ConnectionState />
      {stats && <Source source={stats.source} />}
      {stats && (
        <>
          <span data-testid="event-rate" title={`${count(stats.source.events)} events in all`}>
            {count(stats.stats.eventsPerSecond)} events/s
          </span>
          <span
            data-testid="lost-events"
            className={stats.source.lost > 0 ? 'is-bad' : undefined}
            title="Events that the kernel or the feed says were lost"
          >
            {stats.source.lost > 0 && <AlertTriangle size={13} aria-hidden="true" />}
            {count(stats.source.lost)} lost
          </span>
          <Rejected source={stats.source} />
          <span
            title={`${count(stats.stats.tasks)} tasks known, ${count(stats.stats.evicted)} evicted; server memory ${mebibytes(stats.stats.memoryBytes)}`}
          >
            {plural(stats.stats.processes, 'process', 'processes')}, {plural(stats.stats.threads, 'thread')}
          </span>
          <Progress source={stats.source} />
        </>
      )}
      <span className="status-space" />
      {(hiddenKernelThreads > 0 || showKernelThreads) && (
        <button
          type="button"
          className="link"
          data-testid="hidden-kernel"
          onClick={() => view.toggle('showKernelThreads')}
        >
          {showKernelThreads ? 'hide kernel threads' : `${plural(hiddenKernelThreads, 'kernel thread')} hidden · show`}
        </button>
      )}
      {(foldedExited > 0 || showExited) && (
        <button type="button" className="link" data-testid="folded-exited" onClick={() => view.toggle('showExited')}>
          {showExited ? 'fold exited' : `${count(foldedExited)} exited folded · show`}
        </button>
      )}
    </footer>
  );
}

function Source({ source }: { readonly source: SourceStatus }) {
  const isBad = source.state === 'failed';
  return (
    <details className="popover">
      <summary className={isBad ? 'is-bad' : undefined} title="Where events come from, and what cannot be seen">
        <span data-testid="source-name">
          {isBad && <AlertTriangle size={13} aria-hidden="true" />}
          source: {printable(source.name)}
        </span>
        {source.notices.length > 0 && <span className="badge">{source.notices.length}</span>}
        {source.state === 'failed' && ' has failed'}
        {source.state === 'ended' && ' (ended)'}
      </summary>
      <div className="popover-panel">
        <p>{printable(source.detail)}</p>
        {source.notices.length > 0 && (
          <ul>
            {source.notices.map((notice) => (
              <li key={notice}>{printable(notice)}</li>
            ))}
          </ul>
        )}
      </div>
    </details>
  );
}

function Rejected({ source }: { readonly source: SourceStatus }) {
  const reasons = Object.entries(source.rejected).filter(([, times]) => times > 0);
  if (reasons.length === 0) return null;
  const total = reasons.reduce((sum, [, times]) => sum + times, 0);
  return (
    <details className="popover">
      <summary data-testid="rejected" className="is-warning" title="Input that could not be used, by reason">
        {count(total)} rejected
      </summary>
      <div className="popover-panel">
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
      </div>
    </details>
  );
}

function Progress({ source }: { readonly source: SourceStatus }) {
  if (source.progress === undefined || source.progress.total === 0 || source.state !== 'running') return null;
  const { done, total } = source.progress;
  return (
    <span className="progress">
      reading <progress max={total} value={done} /> {Math.floor((100 * done) / total)} %
    </span>
  );
}
