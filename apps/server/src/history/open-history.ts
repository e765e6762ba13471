// The history that a server begins with, or why there is none.

import { DendroError } from '@dendro/protocol';
import type { HistoryConfig } from '../config.ts';
import { Histories } from './histories.ts';

export interface OpenedHistory {
  readonly histories: Histories | undefined;
  /** Why there is none though there should be. */
  readonly notices: readonly string[];
}

/**
 * Where nobody has named a directory, dendro does without one that cannot be used, and says so. A history of a newer dendro is
 * never passed over: whoever started the older one may not know.
 * @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE
 */
export async function openHistory(config: HistoryConfig | undefined, maxHosts?: number): Promise<OpenedHistory> {
  if (config === undefined) return { histories: undefined, notices: [] };
  const { directory, maxAgeNs, maxBytes, isDefault } = config;
  try {
    const histories = await Histories.open({ directory, maxAgeNs, maxBytes, maxHosts });
    return { histories, notices: histories.notices };
  } catch (thrown) {
    if (!(thrown instanceof DendroError)) throw thrown;
    if (!isDefault || thrown.code === 'DENDRO_HISTORY_VERSION') {
      throw new DendroError(thrown.code, `${thrown.message} Or go without one: --no-history.`);
    }
    return { histories: undefined, notices: [`Nothing is recorded, the past is in memory only. ${thrown.message}`] };
  }
}
