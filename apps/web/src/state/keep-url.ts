// Keeps address and view in step. The paused instant can be read only once the
// host has said what its time base is.

import type { TimeBase } from '@dendro/protocol';
import type { Replica } from '../replica/replica.ts';
import { readUrl, writeUrl } from './url-state.ts';
import { useView } from './view-store.ts';

export function keepUrl(replica: Replica): void {
  const first = location.search;
  let base: TimeBase | undefined;
  useView.setState(readUrl(first, undefined));
  const unsubscribe = replica.subscribe(() => {
    if (replica.host === undefined) return;
    unsubscribe();
    base = { epochNs: BigInt(replica.host.baseEpochNs) };
    useView.setState(readUrl(first, base));
    useView.subscribe((state) => {
      history.replaceState(null, '', `${location.pathname}${writeUrl(state, base)}`);
    });
  });
}
