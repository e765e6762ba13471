import type { Replica } from '../../replica/replica.ts';
import { useView, view } from '../../state/view-store.ts';

/** The instant that is shown becomes A: what is shown from now on is compared with it. */
export function pinA(replica: Replica): void {
  view.compareWith(useView.getState().pausedAt ?? replica.now());
}
