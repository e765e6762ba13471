// Ties React to the replica: whatever comes over the socket, views are drawn at
// most once per frame; and twice a second, because rows age.

import { useEffect, useState, useSyncExternalStore } from 'react';
import { useApp } from './app-context.ts';
import type { ConnectionStatus } from './connection/connection.ts';

const AGING_MS = 500;

/** @returns a number that changes when the replica has */
export function useReplicaFrame(): number {
  const { replica } = useApp();
  const [frame, setFrame] = useState(0);
  useEffect(() => {
    let request: number | undefined;
    const draw = (): void => {
      request = undefined;
      setFrame((frame) => frame + 1);
    };
    const ask = (): void => {
      request ??= requestAnimationFrame(draw);
    };
    const unsubscribe = replica.subscribe(ask);
    const aging = setInterval(ask, AGING_MS);
    return () => {
      unsubscribe();
      clearInterval(aging);
      if (request !== undefined) cancelAnimationFrame(request);
    };
  }, [replica]);
  return frame;
}

export function useConnectionStatus(): ConnectionStatus {
  const { connection } = useApp();
  return useSyncExternalStore(
    (listener) => connection.subscribe(listener),
    () => connection.status,
  );
}
