import { ProcessTree, TemporalTree } from '@dendro/engine';
import { type EventNs, epochOf, type TaskId } from '@dendro/protocol';
import { afterEach, expect, test } from 'vitest';
import { HistoryClient, type HistoryClientOptions } from './client.ts';
import { exec, exit, fork, seen } from './contract.ts';
import { chunksOf } from './questions.ts';
import { answersAt } from './test-answers.ts';
import { testFolders } from './test-folders.ts';

const folder = testFolders();
const BASE = { epochNs: 1_795_459_682_000_000_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };
const clients: HistoryClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});

async function open(
  options: Omit<HistoryClientOptions, 'directory'> = {},
  directory = folder(),
): Promise<HistoryClient> {
  const client = await HistoryClient.open({ directory, ...options });
  clients.push(client);
  return client;
}

function record(client: HistoryClient): ProcessTree {
  const tree = new ProcessTree();
  tree.apply({ type: 'clock', epochNs: BASE.epochNs });
  const story = [
    seen(1, 0, 0, ['/sbin/init']),
    fork(10, 300, 1),
    exec(11, 300, ['/bin/work', 'hard']),
    exit(500, 300, 7),
  ];
  for (const event of story) {
    tree.apply(event);
    const batch = tree.commit();
    if (batch !== undefined) expect(client.append(batch.bytes, tree.newest)).toBe(true);
  }
  return tree;
}

test('a thread records, and answers in batches that another tree takes in', async () => {
  const client = await open();
  await client.begin(START);
  const tree = record(client);
  const epochNs = epochOf(BASE, 100_000_000 as EventNs);
  const { at, chunks } = await client.ask({ kind: 'window', fromEpochNs: epochNs, toEpochNs: epochNs });
  const replica = new TemporalTree();
  for (const chunk of chunks) replica.apply(chunk);
  expect([...answersAt(replica, at)]).toEqual([...answersAt(tree.tree, at)]);
  const one = await client.ask({ kind: 'task', ref: { pid: 300 }, epochNs });
  expect(one.taskId).toBe(tree.tree.taskIdOf(tree.resolve({ pid: 300 }, at)));
  expect((await client.ask({ kind: 'search', query: { text: 'hard' } })).lives).toMatchObject([
    { pid: 300, exitCode: 7 },
  ]);
  expect(
    (await client.ask({ kind: 'histogram', fromEpochNs: BASE.epochNs, toEpochNs: epochNs, buckets: 1 })).exits,
  ).toEqual([1]);
  expect(await client.ask({ kind: 'gaps', fromEpochNs: BASE.epochNs, toEpochNs: epochNs })).toEqual([]);
  expect((await client.ask({ kind: 'state' })).state).toBe('recording');
});

test('the bytes of a batch stay with whoever has handed it over', async () => {
  const client = await open();
  await client.begin(START);
  const tree = new ProcessTree();
  tree.apply({ type: 'clock', epochNs: BASE.epochNs });
  tree.apply(seen(1, 0, 0, ['/sbin/init']));
  const bytes = tree.commit()?.bytes as Uint8Array;
  client.append(bytes, tree.newest);
  expect(bytes.length).toBeGreaterThan(0);
});

test('a question about a time that it does not reach is refused with its code, and the thread goes on', async () => {
  const client = await open();
  await client.begin(START);
  const epochNs = BASE.epochNs - 1n;
  await expect(client.ask({ kind: 'task', ref: { taskId: 1 as TaskId }, epochNs })).rejects.toMatchObject({
    code: 'DENDRO_HISTORY_TOO_OLD',
    details: { oldest: String(BASE.epochNs) },
  });
  expect((await client.ask({ kind: 'state' })).state).toBe('recording');
});

test('a directory that is in use is refused before anything is recorded', async () => {
  const directory = folder();
  await open({}, directory);
  await expect(HistoryClient.open({ directory })).rejects.toMatchObject({ code: 'DENDRO_HISTORY_IN_USE' });
});

test('batches that the thread cannot take are dropped and counted, and a snapshot makes up for them', async () => {
  let asked: () => void = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const client = await open({ maxWaitingBytes: 30_000, onSnapshotNeeded: () => asked() });
  await client.begin(START);
  const tree = new ProcessTree();
  tree.apply({ type: 'clock', epochNs: BASE.epochNs });
  tree.apply(seen(1, 0, 0, ['/sbin/init']));
  let dropped = 0;
  // In one turn: what the thread has taken is not heard of meanwhile.
  for (let i = 1; i <= 500; i++) {
    tree.apply(fork(i, 1000 + i, 1));
    tree.apply(exec(i + 0.2, 1000 + i, ['/bin/run', String(i)]));
    const batch = tree.commit();
    if (batch !== undefined && !client.append(batch.bytes, tree.newest)) dropped++;
  }
  expect(dropped).toBeGreaterThan(0);
  expect(client.state.droppedBatches).toBe(dropped);
  expect(client.waitingBytes).toBeLessThanOrEqual(30_000);
  await isAsked;
  client.appendSnapshot(chunksOf(tree.tree), tree.newest);
  const [first, last] = await Promise.all(
    ['1', '500'].map((number) => client.ask({ kind: 'search', query: { commandLine: `run ${number} ` } })),
  );
  expect(first?.lives).toMatchObject([{ pid: 1001 }]);
  expect(last?.lives).toMatchObject([{ pid: 1500 }]);
  const gaps = await client.ask({ kind: 'gaps', fromEpochNs: BASE.epochNs, toEpochNs: epochOf(BASE, tree.newest) });
  expect(gaps).toMatchObject([{ why: 'overload', toEpochNs: epochOf(BASE, tree.newest) }]);
});

test('what was handed over is on the disk when it is closed', async () => {
  const directory = folder();
  const client = await open({}, directory);
  await client.begin(START);
  record(client);
  await client.close();
  const again = await open({}, directory);
  expect((await again.ask({ kind: 'search', query: { pid: 300 } })).lives).toMatchObject([{ pid: 300, exitCode: 7 }]);
});

test('a question does not wait for all the batches that are in line', async () => {
  const client = await open();
  await client.begin(START);
  const tree = record(client);
  const batches: { readonly bytes: Uint8Array; readonly at: EventNs }[] = [];
  for (let i = 1; i <= 400; i++) {
    for (let j = 0; j < 50; j++) {
      const [ms, pid] = [500 + i * 50 + j, 1000 + (i * 50 + j)];
      tree.apply(fork(ms, pid, 1));
      tree.apply(exec(ms + 0.2, pid, ['/bin/run', String(ms)]));
      tree.apply(exit(ms + 0.5, pid, 0));
    }
    const batch = tree.commit();
    if (batch !== undefined) batches.push({ bytes: batch.bytes, at: tree.newest });
  }
  for (const { bytes, at } of batches) expect(client.append(bytes, at)).toBe(true);
  const sent = client.waitingBytes;
  const epochNs = epochOf(BASE, 100_000_000 as EventNs);
  const { taskId } = await client.ask({ kind: 'task', ref: { pid: 300 }, epochNs });
  expect(taskId).toBeDefined();
  expect(client.waitingBytes).toBeGreaterThan(sent / 2);
});
