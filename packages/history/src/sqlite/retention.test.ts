import { type EventNs, epochOf } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { exec, exit, fork, RecordedHost, seen } from '../contract.ts';
import { answersAt } from '../test-answers.ts';
import { testFolders } from '../test-folders.ts';
import { SqliteHistory, type SqliteHistoryOptions } from './store.ts';

const folder = testFolders();
const BASE = { epochNs: 1_795_459_682_000_000_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };
const SECOND = 1_000_000_000;
const DAEMON = 900;

function open(place: string, options: SqliteHistoryOptions): [SqliteHistory, RecordedHost] {
  const history = new SqliteHistory(place, { graceNs: 0, blockLives: 20, keyframeFacts: 200, ...options });
  history.begin(START);
  return [history, new RecordedHost(history, BASE)];
}

/** One program in a tenth of a second, and a daemon that is there all the while. */
function tell(history: SqliteHistory, host: RecordedHost, seconds: number): void {
  host.tell(seen(1, 0, 0, ['/sbin/init']), fork(1, DAEMON, 1), exec(2, DAEMON, ['/sbin/daemon']));
  for (let i = 1; i < seconds * 10; i++) {
    const [ms, pid] = [i * 100, 1000 + i];
    host.tell(
      fork(ms, pid, DAEMON),
      exec(ms + 1, pid, ['/bin/job', `--number=${i}`, (i ** 3).toString(36)]),
      exit(ms + 50, pid, 0),
    );
    if (i % 20 === 0) history.flush();
  }
}

test('what is older than it may be is gone, what is younger is as it was, and the edge is told', () => {
  const place = folder();
  const [history, host] = open(place, { maxAgeNs: BigInt(20 * SECOND) });
  tell(history, host, 100);
  for (let i = 0; i < 50; i++) {
    history.tick((100 * SECOND + i) as EventNs);
    history.flush();
  }
  const { oldestEpochNs } = history.state;
  const oldest = Number((oldestEpochNs as bigint) - BASE.epochNs) / SECOND;
  expect(oldest).toBeGreaterThan(78);
  expect(oldest).toBeLessThanOrEqual(80);
  expect(() => history.asOf(epochOf(BASE, (70 * SECOND) as EventNs))).toThrow(
    expect.objectContaining({
      code: 'DENDRO_HISTORY_TOO_OLD',
      details: { oldest: String(oldestEpochNs), nearest: String(oldestEpochNs) },
    }),
  );
  expect(history.search({ commandLine: '--number=100' }).total).toBe(0);
  expect(
    history.histogram(BASE.epochNs, epochOf(BASE, (70 * SECOND) as EventNs), 1).births.reduce((a, b) => a + b),
  ).toBe(0);
  for (const second of [80, 85.02, 99.5]) {
    const at = (second * SECOND) as EventNs;
    const asOf = history.asOf(epochOf(BASE, at));
    expect([...answersAt(asOf.tree, at)].sort()).toEqual([...answersAt(host.tree.tree, at)].sort());
  }
  // Who began before the edge, and lives.
  expect(history.search({ comm: 'daemon' }).lives).toMatchObject([{ pid: DAEMON }]);
  history.close();
  const [again] = open(place, { maxAgeNs: BigInt(20 * SECOND) });
  expect(again.state.oldestEpochNs).toBe(oldestEpochNs);
  const at = (90.02 * SECOND) as EventNs;
  expect([...answersAt(again.asOf(epochOf(BASE, at)).tree, at)].sort()).toEqual(
    [...answersAt(host.tree.tree, at)].sort(),
  );
  again.close();
});

test('a history stays as small as it is to be, and goes on recording', () => {
  const place = folder();
  const maxBytes = 300_000;
  const [history, host] = open(place, { maxBytes });
  tell(history, host, 300);
  for (let i = 0; i < 50; i++) {
    history.tick((300 * SECOND + i) as EventNs);
    history.flush();
  }
  expect(history.usedBytes).toBeLessThanOrEqual(maxBytes);
  expect(history.state.fileBytes).toBeLessThan(2 * maxBytes);
  const oldest = Number((history.state.oldestEpochNs as bigint) - BASE.epochNs) / SECOND;
  expect(oldest).toBeGreaterThan(10);
  expect(oldest).toBeLessThan(290);
  const at = (299.02 * SECOND) as EventNs;
  expect([...answersAt(history.asOf(epochOf(BASE, at)).tree, at)].sort()).toEqual(
    [...answersAt(host.tree.tree, at)].sort(),
  );
  history.close();
});

test('a boot of which nothing is left is forgotten', () => {
  const place = folder();
  const [history, host] = open(place, {});
  tell(history, host, 5);
  history.close();
  const again = new SqliteHistory(place, { maxAgeNs: BigInt(10 * SECOND), graceNs: 0 });
  again.begin({ ...START, bootId: 'next', base: { epochNs: epochOf(BASE, (20 * SECOND) as EventNs) } });
  for (let i = 0; i < 50; i++) {
    again.tick((30 * SECOND + i * 200_000_000) as EventNs);
    again.flush();
  }
  expect(again.state.oldestEpochNs).toBeGreaterThan(epochOf(BASE, (20 * SECOND) as EventNs));
  expect(again.search({ comm: 'job' }).total).toBe(0);
  again.close();
});
