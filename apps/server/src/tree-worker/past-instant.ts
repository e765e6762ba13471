// Which questions the tree in memory leaves to the history: those about an instant of which it does not hold
// everything, and those about a task that it has let go of.

import { DendroError, eventTimeOf } from '@dendro/protocol';
import { answerJson, epochTimeOf, parsedTime } from './answers.ts';
import type { HostTree } from './host-tree.ts';
import type { TreeQuestion } from './messages.ts';

/**
 * @returns JSON, or the instant about which the history is to be asked
 * @throws DendroError what is wrong with the question
 */
export function answerOrPast(tree: HostTree, question: TreeQuestion): string | bigint {
  const asked = parsedTime(tree, question.at);
  if (asked < tree.base.epochNs && !tree.reaches(asked)) return asked;
  const epochNs = epochTimeOf(tree, question.at);
  if (!tree.isWholeAt(eventTimeOf(tree.base, epochNs))) return epochNs;
  if (!('id' in question)) return answerJson(tree, question);
  try {
    const json = answerJson(tree, question);
    return IS_PARTIAL.test(json) ? epochNs : json;
  } catch (thrown) {
    if (thrown instanceof DendroError && thrown.code === 'DENDRO_TASK_UNKNOWN') return epochNs;
    throw thrown;
  }
}

/** JSON escapes quotes in texts of processes, so that none can say this. */
const IS_PARTIAL = /"isEvicted":true|"trimmed":\["|"end":"(?:evicted|trimmed)"/;
