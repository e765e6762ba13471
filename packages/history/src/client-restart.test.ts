// The thread of a history dies: really, and in each way in which one can.

import { existsSync } from 'node:fs';
import { ProcessTree } from '@dendro/engine';
import { type EventNs, epochOf } from '@dendro/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { HistoryClient, type HistoryClientOptions } from './client.ts';
import { exec, exit, fork, seen } from './contract.ts';
import type { HistoryState } from './history.ts';
import { HistoryThread } from './history-thread.ts';
import { chunksOf } from './questions.ts';
import { SqliteHistory } from './sqlite/store.ts';
import { testFolders } from './test-folders.ts';

const folder = testFolders();
const BASE = { epochNs: 1_795_459_682_000_000_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };
const TIMEOUT = 60_000;
let client: HistoryClient;

afterEach(() => client.close());

/** A recorder with a tree, that gives a snapshot when it is asked for one. */
async function record(options: Omit<HistoryClientOptions, 'directory'> = {}, directory = folder()) {
  const tree = new ProcessTree();
  tree.apply({ type: 'clock', epochNs: BASE.epochNs });
  const states: HistoryState[] = [];
  client = await HistoryClient.open({
    directory,
    restartMs: 50,
    onState: (state) => states.push(state),
    onSnapshotNeeded: () => client.appendSnapshot(chunksOf(tree.tree), tree.newest),
    ...options,
  });
  await client.begin(START);
  const tell = (...events: Parameters<ProcessTree['apply']>[0][]) => {
    for (const event of events) tree.apply(event);
    const batch = tree.commit();
    return batch === undefined ? true : client.append(batch.bytes, tree.newest);
  };
  return { tell, states, directory };
}

const isUp = () =>
  vi.waitFor(async () => expect((await client.ask({ kind: 'state' })).state).toBe('recording'), {
    timeout: TIMEOUT,
    interval: 50,
  });

async function found(text: string): Promise<number> {
  return (await client.ask({ kind: 'search', query: { commandLine: text } })).total;
}

test('an error that nobody has foreseen ends the thread: it is said, and recording goes on by itself', {
  timeout: TIMEOUT,
}, async () => {
  const { tell, states } = await record();
  tell(seen(1, 0, 0, ['/sbin/init']), fork(10, 300, 1), exec(11, 300, ['/bin/before']), exit(500, 300, 7));
  await client.ask({ kind: 'state' });
  await vi.waitFor(async () => expect((await client.ask({ kind: 'state' })).pendingBatches).toBe(0), {
    timeout: TIMEOUT,
  });
  // What no tree gives: the thread takes it for the mistake that it is.
  client.append(new Uint8Array([1, 2, 3]), 600e6 as EventNs);
  const waiting = client.ask({ kind: 'search', query: {} });
  await expect(waiting).rejects.toMatchObject({ code: 'DENDRO_TREE_UNAVAILABLE' });
  expect(client.state).toMatchObject({ state: 'stopped' });
  expect(client.state.problem).toMatch(
    /The history has stopped \(.+\): nothing is recorded until it is started again, in 1 s/,
  );
  expect(states.at(-1)).toEqual(client.state);
  await expect(client.ask({ kind: 'clock' })).rejects.toMatchObject({ message: client.state.problem });
  expect(tell(fork(1000, 301, 1), exec(1001, 301, ['/bin/meanwhile']))).toBe(false);
  client.tick(1100e6 as EventNs);
  client.noteClock(1100e6 as EventNs, 5n);
  await isUp();
  await vi.waitFor(async () => expect(await found('/bin/meanwhile')).toBe(1), { timeout: TIMEOUT });
  expect(client.state.problem).toBeUndefined();
  expect(tell(fork(2000, 302, 1), exec(2001, 302, ['/bin/after']))).toBe(true);
  expect([await found('/bin/before'), await found('/bin/after')]).toEqual([1, 1]);
  expect(await client.ask({ kind: 'clock' })).toMatchObject([{ wallNs: 5n }]);
  const gaps = await client.ask({ kind: 'gaps', fromEpochNs: BASE.epochNs, toEpochNs: epochOf(BASE, 3e9 as EventNs) });
  expect(gaps).toEqual([
    { fromEpochNs: expect.any(BigInt), toEpochNs: epochOf(BASE, 1001e6 as EventNs), lost: 0, why: 'killed' },
  ]);
});

test('so does a thread that has no memory left', { timeout: TIMEOUT }, async () => {
  const { tell } = await record({ maxHeapMb: 64, maxWaitingBytes: 1e9 });
  tell(seen(1, 0, 0, ['/sbin/init']));
  for (let i = 0; i < 400 && client.state.problem === undefined; i++) {
    // Living ones, whose arguments stay in memory.
    tell(fork(10 + i, 1000 + i, 1), exec(10.5 + i, 1000 + i, ['/bin/fat', String(i), 'x'.repeat(500_000) + i]));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await vi.waitFor(() => expect(client.state.problem).toMatch(/memory/), { timeout: TIMEOUT });
  expect(client.state.state).toBe('stopped');
});

test('one that cannot be started again is tried again and again, and says why', { timeout: TIMEOUT }, async () => {
  const { tell, states, directory } = await record({ restartMs: 500 });
  tell(seen(1, 0, 0, ['/sbin/init']));
  client.append(new Uint8Array([1, 2, 3]), 600e6 as EventNs);
  await vi.waitFor(() => expect(client.state.state).toBe('stopped'), { timeout: TIMEOUT, interval: 1 });
  const other = new SqliteHistory(directory);
  await vi.waitFor(() => expect(client.state.problem).toMatch(/Another dendro keeps its history in/), {
    timeout: TIMEOUT,
  });
  expect(new Set(states.map(({ problem }) => problem)).size).toBeGreaterThan(1);
  other.close();
  await isUp();
});

test('a history that is closed while its thread is away leaves nothing behind', { timeout: TIMEOUT }, async () => {
  const { directory } = await record({ restartMs: 60_000 });
  client.append(new Uint8Array([1, 2, 3]), 600e6 as EventNs);
  await vi.waitFor(() => expect(client.state.state).toBe('stopped'), { timeout: TIMEOUT });
  await client.close();
  expect(existsSync(directory)).toBe(true);
  new SqliteHistory(directory).close();
});

test('a thread that is ended from outside has ended, and its file can be opened', { timeout: TIMEOUT }, async () => {
  const { directory } = await record();
  await client.close();
  let ended: (error: Error) => void = () => {};
  const why = new Promise<Error>((resolve) => {
    ended = resolve;
  });
  const { thread } = await HistoryThread.start({ directory }, { message: () => {}, ended });
  await thread.terminate();
  expect((await why).message).toMatch(/ended/);
  new SqliteHistory(directory).close();
});
