// The history that a server begins with, or why there is none.

import { DendroError } from '@dendro/protocol';
import type { HistoryConfig } from '../config.ts';
import { HostHistory } from './host-history.ts';

export interface OpenedHistory {
  readonly history: HostHistory | undefined;
  /** Why there is none though there should be. */
  readonly notices: readonly string[];
}

/**
 * Where nobody has named a directory, dendro does without one that cannot be used, and says so. A history of a newer dendro is
 * never passed over: whoever started the older one may not know.
 * @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE
 */
export async function openHistory(config: HistoryConfig | undefined): Promise<OpenedHistory> {
  if (config === undefined) return { history: undefined, notices: [] };
  const { directory, maxAgeNs, maxBytes, isDefault } = config;
  try {
    return { history: await HostHistory.open({ directory, maxAgeNs, maxBytes }), notices: [] };
  } catch (thrown) {
    if (!(thrown instanceof DendroError)) throw thrown;
    if (!isDefault || thrown.code === 'DENDRO_HISTORY_VERSION') {
      throw new DendroError(thrown.code, `${thrown.message} Or go without one: --no-history.`);
    }
    return { history: undefined, notices: [`Nothing is recorded, the past is in memory only. ${thrown.message}`] };
  }
}
