// Ties React to the replica: whatever comes over the socket, views are drawn at
// most once per frame, and no more often than they can be afforded; and twice a
// second, because rows age.

import type { HostSummary } from '@dendro/protocol';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useApp } from './app-context.ts';
import type { ConnectionStatus } from './connection/connection.ts';

const AGING_MS = 500;

/** @returns a number that changes when the replica has */
export function useReplicaFrame(): number {
  const { replica, past, pinned, pace } = useApp();
  const [frame, setFrame] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let request: number | undefined;
    const draw = (): void => {
      request = undefined;
      setFrame((frame) => frame + 1);
    };
    const ask = (): void => {
      if (timer !== undefined || request !== undefined) return;
      const wait = pace.wait(performance.now());
      if (wait === 0) request = requestAnimationFrame(draw);
      else {
        timer = setTimeout(() => {
          timer = undefined;
          ask();
        }, wait);
      }
    };
    // Somebody waits for it.
    const drawNext = (): void => {
      if (request !== undefined) return;
      clearTimeout(timer);
      timer = undefined;
      request = requestAnimationFrame(draw);
    };
    const unsubscribe = [replica.subscribe(ask), past.subscribe(drawNext), pinned.subscribe(drawNext)];
    const aging = setInterval(ask, AGING_MS);
    return () => {
      for (const end of unsubscribe) end();
      clearInterval(aging);
      clearTimeout(timer);
      if (request !== undefined) cancelAnimationFrame(request);
    };
  }, [replica, past, pinned, pace]);
  return frame;
}

export function useConnectionStatus(): ConnectionStatus {
  const { connection } = useApp();
  return useSyncExternalStore(
    (listener) => connection.subscribe(listener),
    () => connection.status,
  );
}

/** The hosts that the server has. */
export function useHosts(): readonly HostSummary[] {
  const { connection } = useApp();
  return useSyncExternalStore(
    (listener) => connection.subscribe(listener),
    () => connection.hosts,
  );
}
