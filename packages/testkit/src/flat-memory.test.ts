import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ProcessTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use, typed arrays included, once garbage is gone. */
function bytesInUse(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('[BO1] [BO3] [BO4] a million lives pushed through the default caches leave memory flat', () => {
  const host = new ProcessTree();
  host.apply({ type: 'clock', epochNs: 1_700_000_000_000_000_000n });
  let now = 0;
  const at = (): EventNs => {
    now += 10_000;
    return now as EventNs;
  };
  /** Each life has names, arguments and a program of its own, a thread, and is the child of the one before it. */
  const live = (from: number, to: number): void => {
    for (let life = from; life < to; life++) {
      const pid = 2 + ((2 * life) % 4_000_000);
      const creatorTid = life === 0 ? 1 : 2 + ((2 * (life - 1)) % 4_000_000);
      host.apply({ type: 'fork', at: at(), tid: pid, pid, creatorTid, creatorPid: creatorTid });
      if (life > 0) host.apply({ type: 'exit', at: at(), tid: creatorTid, pid: creatorTid, isGroupDead: true });
      const executable = { path: `/opt/${life}`, inode: String(life) };
      host.apply({
        type: 'exec',
        at: at(),
        pid,
        oldTid: pid,
        comm: `p${life}`,
        executable,
        argv: [`/opt/${life}`, `--n=${life}`],
      });
      host.apply({ type: 'fork', at: at(), tid: pid + 1, pid, creatorTid: pid, creatorPid: pid });
      host.apply({ type: 'rename', at: at(), tid: pid + 1, comm: `t${life}` });
      if (life % 1000 === 0) host.commit();
    }
    host.commit();
  };
  live(0, 100_000);
  const early = { bytes: bytesInUse(), slots: host.tree.slotCount, entries: host.tree.entryCount };
  live(100_000, 1_000_000);
  expect(host.tree.slotCount).toBeLessThanOrEqual(early.slots);
  expect(host.tree.entryCount).toBeLessThanOrEqual(early.entries + 10);
  expect(bytesInUse() / early.bytes).toBeLessThan(1.15);
  expect(host.counts.tasks).toBeLessThanOrEqual(16_384 + 32_768);
  // Every life that is not in memory any more has been counted.
  expect(host.counts.evictedProcesses + host.counts.evictedThreads).toBe(2_000_001 - host.counts.tasks);
}, 120_000);
