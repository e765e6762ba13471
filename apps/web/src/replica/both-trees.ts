// One tree made of two: it reads like the first at every instant that the first
// knows, and like the second at its own.

import { type TaskIndex, TemporalTree } from '@dendro/engine';
import { BatchWriter, type TaskId } from '@dendro/protocol';

const BATCH_TASKS = 2000;

/** Whoever is in the second stays, though the first evicts it. */
class BothTrees extends TemporalTree {
  #kept: ReadonlySet<TaskId> = new Set();

  keepAll(): void {
    const kept = new Set<TaskId>();
    for (let slot = 0; slot < this.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (this.isPresent(task)) kept.add(this.taskIdOf(task));
    }
    this.#kept = kept;
  }

  override evict(task: TaskId, isCut: boolean): void {
    if (!this.#kept.has(task)) super.evict(task, isCut);
  }
}

/** @param second batches; @param first a tree, which stays as it is */
export function bothTrees(first: TemporalTree, second: readonly Uint8Array[]): TemporalTree {
  const both = new BothTrees();
  for (const batch of second) both.apply(batch);
  both.keepAll();
  const writer = new BatchWriter();
  let written = 0;
  const stubs: TaskIndex[] = [];
  for (let slot = 0; slot < first.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (first.isStub(task)) stubs.push(task);
    if (!first.isPresent(task)) continue;
    first.writeFacts(task, writer);
    if (++written % BATCH_TASKS === 0) both.apply(writer.finish());
  }
  // Evictions are told last: stubs stay while somebody refers to them.
  for (const task of stubs) {
    first.writeFacts(task, writer);
    writer.evict(first.taskIdOf(task), false);
  }
  for (const gap of first.gaps()) writer.gap(gap.from, gap.to, gap.lost);
  both.apply(writer.finish());
  return both;
}
