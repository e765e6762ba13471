// A wall clock that is set while there is recording. The real one is that of everybody on this machine: here `Date` alone is set.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventNs } from '@dendro/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { HostHistory } from './host-history.ts';

const directory = mkdtempSync(join(tmpdir(), 'dendro-wall-'));
const HOUR_MS = 3_600_000;
const SECOND_NS = 1_000_000_000;
const MINUTE_NS = 60_000_000_000n;

afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

test('a wall clock that is set forwards, and back again, is noted each time, once', async () => {
  const history = await HostHistory.open({ directory });
  const { begun } = history.resumption;
  const tick = (seconds: number) => history.tick((begun + seconds * SECOND_NS) as EventNs);
  tick(1);
  const real = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: real + HOUR_MS });
  tick(2);
  tick(3);
  vi.useRealTimers();
  tick(4);
  tick(5);
  const readings = await history.ask({ kind: 'clock' });
  const aheadMinutes = readings.map(({ epochNs, wallNs }) => (wallNs - epochNs + MINUTE_NS / 2n) / MINUTE_NS);
  expect(aheadMinutes).toEqual([0n, 60n, 0n]);
  const [, forwards] = readings as [unknown, { readonly epochNs: bigint; readonly wallNs: bigint }];
  expect(await history.ask({ kind: 'instants', wallNs: forwards.wallNs + 1n })).toEqual([forwards.epochNs + 1n]);
  await history.close();
});
