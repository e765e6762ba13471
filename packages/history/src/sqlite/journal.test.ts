// The journal of SQLite: bounded while there is recording and reading, given back after a great transaction, and counted.

import { randomBytes } from 'node:crypto';
import { type EventNs, epochOf } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { exec, exit, fork, RecordedHost, seen } from '../contract.ts';
import { testFolders } from '../test-folders.ts';
import { sizesOf } from './database.ts';
import { SqliteHistory } from './store.ts';

const folder = testFolders();
const BASE = { epochNs: 1_795_459_682_000_000_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };
const MIB = 1024 * 1024;

/** Programs whose arguments cannot be packed: some three kilobytes each. */
function tellNoise(host: RecordedHost, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const argv = ['/bin/noise', randomBytes(3000).toString('base64')];
    host.tell(
      fork(i, 1000 + (i % 30_000), 1),
      exec(i + 0.2, 1000 + (i % 30_000), argv),
      exit(i + 0.5, 1000 + (i % 30_000), 0),
    );
  }
}

test('the journal stays short while somebody reads and others record, and what it takes is told', {
  timeout: 120_000,
}, () => {
  const place = folder();
  const history = new SqliteHistory(place, { graceNs: 0, blockLives: 100 });
  history.begin(START);
  const host = new RecordedHost(history, BASE).tell(seen(1, 0, 0, ['/sbin/init']));
  tellNoise(host, 1, 50);
  // Somebody who takes the batches of the past one by one, and never comes to an end.
  const reader = history.batches(BASE.epochNs, epochOf(BASE, 1e15 as EventNs));
  reader.next();
  let longest = 0;
  for (let i = 50; sizesOf(place).file < 16 * MIB; i += 100) {
    tellNoise(host, i, i + 100);
    reader.next();
    history.asOf(epochOf(BASE, (i * 500_000) as EventNs));
    history.search({ commandLine: 'noise', limit: 5 });
    history.flush();
    const { file, journal } = sizesOf(place);
    longest = Math.max(longest, journal);
    expect(history.state.fileBytes).toBe(file + journal);
  }
  expect(longest).toBeGreaterThan(0);
  expect(longest).toBeLessThan(10 * MIB);
  reader.return(undefined);
  history.close();
});

test('what a great transaction leaves of the journal is given back', { timeout: 120_000 }, () => {
  const place = folder();
  const history = new SqliteHistory(place, { graceNs: 0, blockLives: 100 });
  history.begin(START);
  const host = new RecordedHost(history, BASE).tell(seen(1, 0, 0, ['/sbin/init']));
  tellNoise(host, 1, 5000);
  expect(history.pendingBytes).toBeGreaterThan(16 * MIB);
  history.flush();
  tellNoise(host, 5000, 5010);
  history.flush();
  expect(sizesOf(place).journal).toBeLessThan(2 * MIB);
  history.close();
});

test('a history that is to be small has a small journal, which counts', { timeout: 120_000 }, () => {
  const place = folder();
  const maxBytes = 4 * MIB;
  const history = new SqliteHistory(place, { graceNs: 0, blockLives: 50, keyframeFacts: 500, maxBytes });
  history.begin(START);
  const host = new RecordedHost(history, BASE).tell(seen(1, 0, 0, ['/sbin/init']));
  for (let i = 1; i < 2500; i += 5) {
    tellNoise(host, i, i + 5);
    history.flush();
  }
  for (let i = 0; i < 50; i++) {
    history.tick((5000 * 1e6 + i) as EventNs);
    history.flush();
  }
  expect(history.usedBytes).toBeLessThanOrEqual(maxBytes);
  expect(sizesOf(place).journal).toBeLessThan(maxBytes / 4);
  expect(history.state.fileBytes).toBeLessThan(1.5 * maxBytes);
  history.close();
});
