// Ties React to the replica: whatever comes over the socket, the views are drawn
// when that can be afforded; and twice a second, because rows age.

import type { HostSummary } from '@dendro/protocol';
import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useApp } from './app-context.ts';
import type { ConnectionStatus } from './connection/connection.ts';
import { DrawLoop } from './draw-loop.ts';

const AGING_MS = 500;
const PRESSES = ['keydown', 'pointerdown'] as const;

/** @returns a number that changes when the replica has, and the views are to be made anew */
export function useReplicaFrame(): number {
  const { replica, past, pinned, pace } = useApp();
  const from = performance.now();
  const [frame, setFrame] = useState(0);
  const loop = useRef<DrawLoop>(undefined);
  // What is drawn for another reason, a key or a row, does not count.
  useLayoutEffect(() => loop.current?.made(performance.now() - from), [frame]);
  useEffect(() => {
    const drawing = new DrawLoop(pace, () => setFrame((frame) => frame + 1));
    loop.current = drawing;
    const unsubscribe = [
      replica.subscribe(() => drawing.ask()),
      past.subscribe(() => drawing.askNow()),
      pinned.subscribe(() => drawing.askNow()),
    ];
    const aging = setInterval(() => drawing.ask(), AGING_MS);
    const onPress = ({ timeStamp }: Event): void => pace.pressed(timeStamp);
    for (const event of PRESSES) addEventListener(event, onPress, { capture: true, passive: true });
    return () => {
      for (const event of PRESSES) removeEventListener(event, onPress, { capture: true });
      for (const end of unsubscribe) end();
      clearInterval(aging);
      drawing.stop();
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
