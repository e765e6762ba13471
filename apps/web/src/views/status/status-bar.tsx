// What a person must be able to trust: where events come from, whether any were
// lost, and whether this page is still connected.

import { useApp } from '../../app-context.ts';
import { count, mebibytes, plural } from '../../layout/format.ts';
import { useView, view } from '../../state/view-store.ts';
import { Popover } from '../common/popover.tsx';
import type { TreeRows } from '../tree/tree-rows.ts';
import { ConnectionState } from './connection-state.tsx';
import { Lost, Progress, Rejected, Source } from './source-state.tsx';

export function StatusBar({ treeRows }: { readonly treeRows: TreeRows }) {
  const { replica } = useApp();
  const { stats } = replica;
  return (
    <footer className="status-bar">
      <ConnectionState />
      {stats && (
        <>
          <Source source={stats.source} />
          <span data-testid="event-rate" title={`${count(stats.source.events)} events in all`}>
            {count(stats.stats.eventsPerSecond)} events/s
          </span>
          <Lost source={stats.source} />
          <Rejected source={stats.source} />
          <Counts />
          <Progress source={stats.source} />
        </>
      )}
      {replica.version === undefined && treeRows.tree.taskCount > 0 && (
        <span role="status">loading, {plural(treeRows.tree.taskCount, 'task')} so far</span>
      )}
      <span className="status-space" />
      <Hidden treeRows={treeRows} />
    </footer>
  );
}

function Counts() {
  const { replica } = useApp();
  if (replica.stats === undefined) return null;
  const { processes, threads, tasks, evicted, memoryBytes } = replica.stats.stats;
  return (
    <Popover
      className="popover"
      title="What the server holds"
      summary={`${plural(processes, 'process', 'processes')}, ${plural(threads, 'thread')}`}
    >
      <table>
        <tbody>
          <Line name="Tasks in the server's memory, ended ones too" value={count(tasks)} />
          <Line name="Tasks in this page" value={count(replica.tree.taskCount)} />
          <Line name="Left memory to make room" value={count(evicted)} />
          <Line name="Memory of the server" value={mebibytes(memoryBytes)} />
        </tbody>
      </table>
    </Popover>
  );
}

function Line({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{value}</td>
    </tr>
  );
}

/** What is left out of the rows, and how to see it. */
function Hidden({ treeRows }: { readonly treeRows: TreeRows }) {
  const { hiddenKernelThreads, foldedExited } = treeRows.order;
  const showKernelThreads = useView((state) => state.showKernelThreads);
  const showExited = useView((state) => state.showExited);
  return (
    <>
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
    </>
  );
}
