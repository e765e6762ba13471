import { EntityIds } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { generateWorkload, WORKLOAD_EPOCH_NS } from './workload.ts';

test('the workload is the one that others were measured with', () => {
  const ids = new EntityIds({ epochNs: WORKLOAD_EPOCH_NS });
  let events = 0;
  const { checksum, processes } = generateWorkload(
    1_001_000,
    (tid, start) => ids.of(tid, start as EventNs),
    (chunk) => {
      events += chunk.length;
    },
  );
  expect([events, checksum]).toEqual([1_001_000, 'bf1d3b34']);
  expect(processes.length).toBeGreaterThan(140_000);
});
