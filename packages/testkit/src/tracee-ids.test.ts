// The ids of tasks that Tracee writes into its events, asked of the tree.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataNotFoundError, EntityIds, ProcessTree } from '@dendro/engine';
import { type EntityId, type EventNs, epochOf } from '@dendro/protocol';
import { TraceeDecoder } from '@dendro/sources';
import { expect, test } from 'vitest';

const VECTORS = join(import.meta.dirname, '../vectors/tracee');
const NOW = 60e9 as EventNs;

/** Entity id -> the tid that has it, as the lines say. */
function idsIn(lines: readonly string[]): Map<number, number> {
  const ids = new Map<number, number>();
  for (const line of lines) {
    const { hostThreadId, hostProcessId, hostParentProcessId, ...event } = JSON.parse(line);
    if (event.eventName !== undefined) {
      ids.set(event.threadEntityId, hostThreadId);
      ids.set(event.processEntityId, hostProcessId);
      ids.set(event.parentEntityId, hostParentProcessId);
    } else {
      const { process } = event.workload;
      ids.set(process.thread.unique_id, process.thread.host_tid);
      ids.set(process.unique_id, process.host_pid);
      for (const parent of process.ancestors) ids.set(parent.unique_id, parent.host_pid);
    }
  }
  ids.delete(undefined as unknown as number);
  return ids;
}

function treeOf(lines: readonly string[]): ProcessTree {
  const host = new ProcessTree();
  const decoder = new TraceeDecoder((event) => host.apply(event));
  decoder.push(Buffer.from(`${lines.join('\n')}\n`));
  return host;
}

const linesOf = (vector: string) =>
  readFileSync(join(VECTORS, `${vector}.ndjson`), 'utf8')
    .trim()
    .split('\n');
/** Of init nothing is said but its pid, so nobody knows when it began. */
const INIT_ID = 77;

test.each(['legacy', 'v1beta1', 'legacy-threads', 'v1beta1-threads'])(
  '[ID7] each id in the lines of %s finds its task',
  (vector) => {
    const lines = linesOf(vector);
    const host = treeOf(lines);
    const ids = idsIn(lines);
    expect(ids.size).toBeGreaterThanOrEqual(3);
    for (const [id, tid] of ids) {
      const entityId = id as EntityId;
      if (id === INIT_ID) expect(() => host.resolve({ entityId }, NOW)).toThrow(DataNotFoundError);
      else expect([id, host.tree.tidOf(host.resolve({ entityId }, NOW))]).toEqual([id, tid]);
    }
  },
);

test('[ID7] so do the ids that an older Tracee would have written', () => {
  const host = treeOf(linesOf('legacy-threads'));
  const { tree } = host;
  for (const pid of [1000, 1002, 1003]) {
    const task = host.resolve({ pid }, NOW);
    const start = epochOf(host.base ?? { epochNs: 0n }, tree.startOf(task));
    // A start of its own bucket of 100 ms has the hash that rounding to 10 ms gives.
    const [shift, older] = [50_000_000n, 10_000_000n];
    const moved = treeOf([exec(pid, start + shift)]);
    const entityId = olderId(pid, ((start + shift) / older) * older);
    expect(moved.tree.tidOf(moved.resolve({ entityId }, NOW))).toBe(pid);
    expect(moved.tree.entityIdOf(moved.resolve({ pid }, NOW))).not.toBe(entityId);
  }
});

function exec(pid: number, startNs: bigint): string {
  return `{"eventName":"sched_process_exec","timestamp":${startNs + 1000n},"threadStartTime":${startNs},"hostThreadId":${pid},"hostProcessId":${pid},"hostParentProcessId":1,"args":[]}`;
}

function olderId(tid: number, roundedNs: bigint): EntityId {
  return new EntityIds({ epochNs: roundedNs }, 10_000_000).of(tid, 0 as EventNs);
}
