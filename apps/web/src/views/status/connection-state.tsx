import { useEffect, useState } from 'react';
import { useApp } from '../../app-context.ts';
import type { ConnectionStatus } from '../../connection/connection.ts';
import { useConnectionStatus } from '../../use-replica.ts';

export function ConnectionState() {
  const { connection } = useApp();
  const status = useConnectionStatus();
  useEverySecond(status.kind === 'waiting');
  return (
    <span className={`connection is-${status.kind}`} data-testid="connection-state" role="status">
      <span className="dot" aria-hidden="true" />
      {describe(status)}
      {status.kind === 'left' && (
        <button type="button" className="link" data-testid="back-to-live" onClick={() => connection.restart()}>
          back to the server
        </button>
      )}
      {status.kind === 'waiting' && (
        <button type="button" className="link" title={status.reason} onClick={() => void connection.connect()}>
          now
        </button>
      )}
    </span>
  );
}

function describe(status: ConnectionStatus): string {
  switch (status.kind) {
    case 'connected':
      return 'connected';
    case 'connecting':
      return 'connecting';
    case 'left':
      return 'a recording, in this page only';
    case 'signed-out':
      return 'signed out';
    case 'waiting': {
      const seconds = Math.max(0, Math.ceil((status.retryAt - Date.now()) / 1000));
      return `disconnected, again in ${seconds} s`;
    }
  }
}

function useEverySecond(isOn: boolean): void {
  const [, setTick] = useState(0);
  useEffect(() => {
    if (!isOn) return;
    const timer = setInterval(() => setTick((tick) => tick + 1), 1000);
    return () => clearInterval(timer);
  }, [isOn]);
}
