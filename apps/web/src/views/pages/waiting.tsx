import { useEffect, useState } from 'react';
import { useApp } from '../../app-context.ts';
import type { ConnectionStatus } from '../../connection/connection.ts';
import { printable } from '../../layout/printable.ts';
import { showHost } from '../../show-host.ts';

/** Nothing to show yet: why, and what happens next. */
export function Waiting({ status }: { readonly status: ConnectionStatus }) {
  const { replica, connection } = useApp();
  const source = replica.stats?.source;
  if (status.kind === 'waiting' && status.missingHost !== undefined) return <NoSuchHost id={status.missingHost} />;
  if (status.kind === 'waiting') {
    return (
      <div className="page" role="alert">
        <h2>No connection</h2>
        <p>
          {status.reason} It is tried again by itself. If dendro has ended, start it again and open the URL that it
          prints.
        </p>
        <button type="button" className="button" onClick={() => void connection.connect()}>
          Try again now
        </button>
      </div>
    );
  }
  if (source?.state === 'failed') {
    return (
      <div className="page" role="alert">
        <h2>The source has failed</h2>
        <p>
          {printable(source.detail)} Start dendro again, perhaps with another <code>--source</code>.
        </p>
      </div>
    );
  }
  if (source && source.state !== 'starting' && replica.version !== undefined) {
    const name = printable(source.name);
    return (
      <div className="page">
        <h2>{source.state === 'running' ? 'No process yet' : 'No process in it'}</h2>
        <p>
          {source.state === 'running'
            ? `${name} has said nothing of any process so far. Rows appear as soon as it does.`
            : `${name} was read to its end and names no process that could be understood. What was rejected is in the bar below.`}
        </p>
      </div>
    );
  }
  return <Loading />;
}

function NoSuchHost({ id }: { readonly id: string }) {
  const { connection } = useApp();
  const [first] = connection.hosts;
  return (
    <div className="page" role="alert">
      <h2>No host {id}</h2>
      <p>The server has no host of this id. It is shown as soon as there is one.</p>
      {first && (
        <button type="button" className="button" onClick={() => showHost(connection, first.id)}>
          Show {printable(first.name)}
        </button>
      )}
    </div>
  );
}

const PATIENCE_MS = 8000;
/** Indents of rows as a tree might have them. */
const SKELETON = [0, 1, 1, 2, 2, 3, 1, 1, 2, 0, 1, 2, 2, 1];

function Loading() {
  const { connection } = useApp();
  const [isLong, setIsLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="loading">
      {isLong && (
        <div className="page" role="alert">
          <h2>This takes longer than it should</h2>
          <p>The server is there and has not sent the tree so far.</p>
          <button type="button" className="button" onClick={() => connection.restart()}>
            Ask for it again
          </button>
        </div>
      )}
      <div className="skeleton" aria-label="Loading the tree" role="status">
        {SKELETON.map((indent, row) => (
          <span key={row} style={{ marginLeft: `${indent}rem` }} />
        ))}
      </div>
    </div>
  );
}
