// Ties React to the replica: whatever comes over the socket, views are drawn at
// most once per frame, and no more often than they can be afforded; and twice a
// second, because rows age.

import type { HostSummary } from '@dendro/protocol';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useApp } from './app-context.ts';
import type { ConnectionStatus } from './connection/connection.ts';

const AGING_MS = 500;
const PRESSES = ['keydown', 'pointerdown'] as const;

/** @returns a number that changes when the replica has */
export function useReplicaFrame(): number {
  const { replica, past, pinned, pace } = useApp();
  const [frame, setFrame] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let request: number | undefined;
    const draw = (): void => {
      request = undefined;
      pace.movedOn(performance.now());
      setFrame((frame) => frame + 1);
    };
    const drawInTime = (): void => {
      request = undefined;
      if (pace.wait(performance.now()) === 0) draw();
      else ask(); // somebody has pressed something meanwhile
    };
    const ask = (): void => {
      if (timer !== undefined || request !== undefined) return;
      const wait = pace.wait(performance.now());
      if (wait === 0) request = requestAnimationFrame(drawInTime);
      else {
        timer = setTimeout(() => {
          timer = undefined;
          ask();
        }, wait);
      }
    };
    // Somebody waits for it.
    const drawNext = (): void => {
      if (request !== undefined) cancelAnimationFrame(request);
      clearTimeout(timer);
      timer = undefined;
      request = requestAnimationFrame(draw);
    };
    const unsubscribe = [replica.subscribe(ask), past.subscribe(drawNext), pinned.subscribe(drawNext)];
    const aging = setInterval(ask, AGING_MS);
    const onPress = ({ timeStamp }: Event): void => pace.pressed(timeStamp);
    for (const event of PRESSES) addEventListener(event, onPress, { capture: true, passive: true });
    return () => {
      for (const event of PRESSES) removeEventListener(event, onPress, { capture: true });
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
