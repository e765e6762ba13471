import type { Connection } from './connection/connection.ts';
import { view } from './state/view-store.ts';

/** Shows another host in place of the one that is shown. */
export function showHost(connection: Connection, id: string): void {
  view.showHost(id);
  connection.restart();
}
