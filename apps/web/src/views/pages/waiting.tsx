import { useApp } from '../../app-context.ts';
import type { ConnectionStatus } from '../../connection/connection.ts';

/** Nothing to show yet: why, and what happens next. */
export function Waiting({ status }: { readonly status: ConnectionStatus; readonly frame: number }) {
  const { replica } = useApp();
  if (status.kind === 'waiting') {
    return (
      <div className="page" role="alert">
        <h1>No connection</h1>
        <p>
          {status.reason} It is tried again by itself. If dendro has ended, start it again and open the URL that it
          prints.
        </p>
      </div>
    );
  }
  const source = replica.stats?.source;
  if (source && source.state !== 'starting' && replica.version !== undefined) {
    return (
      <div className="page">
        <h1>{source.state === 'running' ? 'No process yet' : 'No process in it'}</h1>
        <p>
          {source.state === 'running'
            ? `${source.name} has said nothing of any process so far. Rows appear as soon as it does.`
            : `${source.name} was read to its end and names no process that could be understood. What was rejected is in the bar below.`}
        </p>
      </div>
    );
  }
  return (
    <div className="skeleton" aria-label="Loading the tree" role="status">
      {Array.from({ length: 14 }, (_, row) => (
        <span key={row} style={{ marginLeft: `${[0, 1, 1, 2, 2, 3, 1, 1, 2, 0, 1, 2, 2, 1][row]}rem` }} />
      ))}
    </div>
  );
}
