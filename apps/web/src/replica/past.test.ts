import { BatchWriter, type EventNs, epochOf, type HostInfo } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { Past } from './past.ts';
import { Replica } from './replica.ts';

const BASE = 1_700_000_000_000_000_000n;
const SECOND = 1e9;
const HOST: HostInfo = {
  id: 'local',
  name: 'here',
  baseEpochNs: String(BASE),
  isLive: true,
  users: {},
  oldestEpochNs: String(BASE - 3_600_000_000_000n),
};
const epoch = (seconds: number) => epochOf({ epochNs: BASE }, (seconds * SECOND) as EventNs);

/** A length and a batch without facts. */
function answerFrom(seconds: number): Response {
  const batch = new BatchWriter().finish();
  const bytes = new Uint8Array(4 + batch.length);
  new DataView(bytes.buffer).setUint32(0, batch.length, true);
  bytes.set(batch, 4);
  return new Response(bytes, {
    headers: { 'x-dendro-base-epoch-ns': String(BASE), 'x-dendro-from-epoch-ns': String(epoch(seconds)) },
  });
}

test('of a window that is cut where a boot began, what was before is asked for by itself', async () => {
  const replica = new Replica();
  replica.greet(HOST);
  const asked: bigint[] = [];
  const past = new Past({
    replica,
    origin: 'http://localhost',
    fetch: async (url) => {
      asked.push(BigInt(new URL(url).searchParams.get('to') ?? 0));
      return answerFrom(-100);
    },
  });
  past.treeAt((-50 * SECOND) as EventNs);
  await expect.poll(() => asked.length).toBe(1);
  await expect.poll(() => past.isLoading).toBe(false);
  past.treeAt((-99 * SECOND) as EventNs);
  past.treeAt((-101 * SECOND) as EventNs);
  await expect.poll(() => asked.length).toBe(2);
});
