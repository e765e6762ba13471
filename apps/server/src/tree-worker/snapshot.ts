// A snapshot for a browser: facts about everything alive and the near past, in
// chunks, so that the first rows show at once.

import { NO_TASK, type ProcessTree, type TaskIndex } from '@dendro/engine';
import { BatchWriter, type EventNs } from '@dendro/protocol';

const CHUNK_TASKS = 2000;
/** Tasks that ended longer ago are left out unless something that is sent descends from them. */
export const SNAPSHOT_WINDOW_NS = 10 * 60 * 1e9;

/**
 * Living processes first, by start; then living threads, the dead, and last, in one chunk, the stubs of evicted tasks:
 * they stay only while somebody refers to them, and in a batch evictions are told last. At least one chunk, the last one
 * marked.
 */
export function* snapshotChunks(
  host: ProcessTree,
  now: EventNs,
  windowNs = SNAPSHOT_WINDOW_NS,
): Generator<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly isLast: boolean }> {
  const { tree } = host;
  const tasks = tasksToSend(host, now, windowNs);
  const writer = new BatchWriter();
  let written = 0;
  for (const task of tasks) {
    tree.writeFacts(task, writer);
    if (tree.isStub(task)) writer.evict(tree.taskIdOf(task), false);
    const isChunk = ++written % CHUNK_TASKS === 0 && !tree.isStub(task);
    if (isChunk && written < tasks.length) yield { bytes: writer.finish(), isLast: false };
  }
  for (const gap of tree.gaps()) writer.gap(gap.from, gap.to, gap.lost);
  yield { bytes: writer.finish(), isLast: true };
}

function tasksToSend({ tree }: ProcessTree, now: EventNs, windowNs: number): TaskIndex[] {
  const wanted = new Uint8Array(tree.slotCount);
  const tasks: TaskIndex[] = [];
  const want = (task: TaskIndex): void => {
    if (task === NO_TASK || wanted[task] === 1 || !(tree.isPresent(task) || tree.isStub(task))) return;
    wanted[task] = 1;
    tasks.push(task);
  };
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (tree.isPresent(task) && tree.exitOf(task) >= now - windowNs) want(task);
  }
  // What those descend from and read through: the list grows while it is walked.
  for (let next = 0; next < tasks.length; next++) {
    const task = tasks[next] as TaskIndex;
    want(tree.leaderOf(task));
    want(tree.creatorOf(task));
    want(tree.parentAt(task, now));
    tree.forEachParent(task, want);
  }
  const rank = (task: TaskIndex): number => {
    if (tree.isStub(task)) return 4;
    return (tree.exitOf(task) === Number.POSITIVE_INFINITY ? 0 : 2) + (tree.isThread(task) ? 1 : 0);
  };
  return tasks.sort((a, b) => rank(a) - rank(b) || tree.startOf(a) - tree.startOf(b));
}
