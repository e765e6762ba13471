import type { Connection } from './connection.ts';

const HIDDEN_MS = 30_000;

/** A page that nobody has seen for a while takes nothing; it catches up when it is looked at. */
export function pauseWhenHidden(connection: Connection): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => connection.pause(), HIDDEN_MS);
    else {
      connection.resume();
      void connection.connect();
    }
  });
  window.addEventListener('online', () => void connection.connect());
}
