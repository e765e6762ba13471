// The history behind a gateway, of events that are posted: what leaves memory, and what an earlier run knew.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessTree, TemporalTree } from '@dendro/engine';
import { SqliteHistory } from '@dendro/history';
import type { EventNs } from '@dendro/protocol';
import { afterAll, afterEach, expect, test } from 'vitest';
import { exitLine, forkLine, renameLine, TestServer, type TraceeTask, traceeLine } from '../test-server.ts';
import { windowOf } from './window.ts';

const folder = mkdtempSync(join(tmpdir(), 'dendro-history-'));
let directories = 0;
const newDirectory = () => join(folder, String(directories++));
let server: TestServer;
/** The first event of a test; its times are of now, as those of a live feed. */
let start = 0n;
const at = (ms: number) => start + BigInt(ms) * 1_000_000n;
const born = (pid: number, ms: number): TraceeTask => ({ tid: pid, pid, start: at(ms) });
const [HOUR, MINUTE] = [3_600_000_000_000n, 60_000_000_000n];
const INIT = { tid: 1, pid: 1, start: 1_700_000_000_000_000_000n };

afterEach(() => server.stop());
afterAll(() => rmSync(folder, { recursive: true }));

async function begin(dataDir?: string, options: Parameters<typeof TestServer.start>[0] = {}): Promise<void> {
  server = await TestServer.start(options, dataDir === undefined ? undefined : { directory: dataDir });
  start = BigInt(Date.now()) * 1_000_000n;
}

const answer = (path: string) => server.get(`/api/v1/hosts/local/${path}`);
const ask = async (path: string) => (await answer(path)).json();
const pids = (tree: { readonly tasks: readonly { readonly pid: number }[] }) => tree.tasks.map(({ pid }) => pid);

/** A program that starts at `ms` and ends `lastsMs` later. */
function life(pid: number, ms: number, lastsMs: number, parent: TraceeTask = INIT): string[] {
  const task = { ...born(pid, ms), comm: `tool-${pid}` };
  const path = `/bin/tool-${pid}`;
  const args = { pathname: path, argv: [path, '--for', `job ${pid}`] };
  return [
    forkLine(at(ms), parent, task),
    traceeLine('sched_process_exec', at(ms) + 1000n, task, args),
    exitLine(at(ms + lastsMs), task),
  ];
}

test('who has left memory is in the tree of that time, and in answers about it, from the history', async () => {
  await begin(newDirectory(), { maxProcesses: 16 });
  await server.post(
    Array.from({ length: 60 }, (_, i) => life(100 + i, 10 * i, 5))
      .flat()
      .join('\n'),
  );
  const then = await ask(`tree?at=${at(12)}`);
  expect(pids(then)).toEqual(expect.arrayContaining([1, 101]));
  expect(then).toMatchObject({ host: 'local', at: String(at(12)), returned: 2, total: 2, reason: null });
  const { taskId } = then.tasks.find(({ pid }: { readonly pid: number }) => pid === 101);
  const info = {
    taskId,
    pid: 101,
    ppid: 1,
    comm: 'tool-101',
    cmd: ['/bin/tool-101', '--for', 'job 101'],
    isAlive: true,
  };
  // In memory is nothing of it any more, at no time.
  expect((await ask(`processes/${taskId}?at=${at(12)}`)).info).toMatchObject(info);
  expect((await ask(`processes/pid:101?at=${at(700)}`)).info).toMatchObject({ ...info, isAlive: false, exitCode: 0 });
  expect((await ask(`threads/${taskId}?at=${at(12)}`)).info).toMatchObject({ taskId, name: 'tool-101' });
  const { lineage, end } = await ask(`lineage/${taskId}?at=${at(12)}`);
  expect(lineage.map(({ info }: { readonly info: { readonly pid: number } }) => info.pid)).toEqual([101, 1]);
  expect(end).toBe('root');
  expect((await ask(`processes/1?at=${at(12)}`)).info.childProcessIds).toMatchObject([{ taskId }]);
  expect((await answer(`processes/99999?at=${at(12)}`)).statusCode).toBe(404);
  const withEnded = await ask(`tree?at=${at(12)}&exited=true`);
  expect(withEnded.reason).toMatch(/a search finds the rest\.$/);
});

test('a tree that goes on after a restart has the same tasks, and knows those that had ended from the history', async () => {
  const directory = newDirectory();
  await begin(directory);
  const staying = born(40, 1);
  await server.post([forkLine(at(1), INIT, staying), ...life(50, 2, 5, staying)].join('\n'));
  const before = await ask(`tree?at=${at(3)}`);
  const idOf = (tree: typeof before, pid: number) =>
    tree.tasks.find((task: { readonly pid: number }) => task.pid === pid)?.taskId;
  const [first, time] = [start, at(3)];
  await server.stop();

  await begin(directory);
  const again = await ask(`tree?at=${time}`);
  expect(again.tasks.map(({ taskId }: { readonly taskId: number }) => taskId).sort()).toEqual(
    before.tasks.map(({ taskId }: { readonly taskId: number }) => taskId).sort(),
  );
  const live = await ask('tree');
  expect(idOf(live, 40)).toBe(idOf(before, 40));
  expect(idOf(live, 50)).toBeUndefined();
  const [{ ancestors }] = (await ask('search?q=JOB&ancestors=1')).lives;
  expect(ancestors).toMatchObject([{ taskId: idOf(before, 40), pid: 40 }]);
  expect((await ask('search?q=JOB&ancestors=0')).lives).toMatchObject([{ ancestors: null }]);
  const { lives, returned, total, reason } = await ask('search?q=JOB');
  expect({ returned, total, reason }).toEqual({ returned: 1, total: 1, reason: null });
  expect(lives[0]).toMatchObject({
    taskId: idOf(before, 50),
    pid: 50,
    creatorTaskId: idOf(before, 40),
    startTime: String(first + 2_000_000n),
    exitTime: String(first + 7_000_000n),
    exitCode: 0,
    cmd: ['/bin/tool-50', '--for', 'job 50'],
    ancestors: [
      { taskId: idOf(before, 40), pid: 40, startTime: String(first + 1_000_000n) },
      { taskId: idOf(before, 1), pid: 1, startTime: String(INIT.start) },
    ],
  });
  // Who is born now gets an id that nobody had.
  await server.post(forkLine(at(1), INIT, born(60, 1)));
  expect(idOf(await ask('tree'), 60)).toBeGreaterThan(idOf(before, 50));
  expect(await ask(`diff?a=${time}&b=live`)).toMatchObject({
    a: String(time),
    born: [{ taskId: idOf(await ask('tree'), 60), pid: 60 }],
    died: [{ taskId: idOf(before, 50), pid: 50, comm: 'tool-50', exitCode: 0, exitTime: String(first + 7_000_000n) }],
    reason: null,
  });
  const { gaps } = await ask('gaps');
  expect(gaps[0]).toMatchObject({ why: 'stopped' });
  // Until its source runs, nobody looked.
  expect(gaps[1]).toMatchObject({ why: 'source', lost: 0 });
  expect(Number(BigInt(gaps[1].from) - BigInt(gaps[0].to))).toBeLessThan(1e9);
  const inGap = await ask(`tree?at=${(BigInt(gaps[0].from) + BigInt(gaps[0].to)) / 2n}`);
  expect(inGap.reason).toBe('Dendro did not run then: what is known is from before and after.');
  expect(inGap.lacks).toEqual([{ why: 'stopped', nearest: expect.any(String) }]);
  const [{ nearest }] = inGap.lacks;
  expect([BigInt(gaps[0].from) - 1n, BigInt(gaps[0].to) + 1n]).toContain(BigInt(nearest));
});

test('who goes on living but does not fit into the memory of the next run is one life all the same', async () => {
  const directory = newDirectory();
  await begin(directory);
  const tasks = Array.from({ length: 60 }, (_, i) => born(100 + i, i));
  await server.post(tasks.map((task, i) => forkLine(at(i), INIT, task)).join('\n'));
  await server.stop();
  await begin(directory, { maxProcesses: 16 });
  // In memory are the last 16; of the others, and then of these, something is told again.
  const again = tasks.map((task, i) => renameLine(at(i), task, 'again'));
  for (const part of [again.slice(0, 44), again.slice(44)]) {
    expect((await server.post(part.join('\n'))).json()).toMatchObject({ accepted: part.length });
  }
  const alive = pids(await ask('tree')).filter((pid) => pid >= 100);
  expect(new Set(alive).size).toBe(60);
  expect(alive).toHaveLength(60);
});

test('fields of a search have to hold at once, and what is left out is counted', async () => {
  await begin(newDirectory());
  await server.post(
    Array.from({ length: 20 }, (_, i) => life(100 + i, 10 * i, 5))
      .flat()
      .join('\n'),
  );
  const found = async (query: string) => {
    const { lives, total, reason } = await ask(`search?${query}`);
    return [lives.map(({ pid }: { readonly pid: number }) => pid), total, reason];
  };
  expect(await found('pid=103')).toEqual([[103], 1, null]);
  expect(await found('comm=tool-104&pid=103')).toEqual([[], 0, null]);
  expect(await found('path=tool-105')).toEqual([[105], 1, null]);
  expect(await found(`commandLine=${encodeURIComponent('--for job 107')}`)).toEqual([[107], 1, null]);
  expect(await found('parentPid=1&comm=tool-108')).toEqual([[108], 1, null]);
  expect(await found('parentPid=103&q=tool')).toEqual([[], 0, null]);
  expect(await found('signal=9&q=tool')).toEqual([[], 0, null]);
  expect((await found('exitCode=0&q=tool'))[1]).toBe(20);
  expect(await found('q=tool&q=JOB%20107')).toEqual([[107], 1, null]);
  expect(await found('q=tool&q=107&q=108')).toEqual([[], 0, null]);
  // It began before the history, which cannot be asked who started it then.
  const { lives } = await ask('search?pid=1');
  expect(lives).toMatchObject([{ pid: 1, startTime: String(INIT.start), ancestors: [] }]);
  expect(BigInt(lives[0].knownFrom)).toBeGreaterThan(INIT.start);
  expect((await answer(`tree?at=${lives[0].knownFrom}`)).statusCode).toBe(200);
  expect(await found(`q=tool&startedAfter=${at(65)}&startedBefore=${at(85)}`)).toEqual([[108, 107], 2, null]);
  expect(await found(`q=tool&endedAfter=${at(70)}&endedBefore=${at(90)}`)).toEqual([[108, 107], 2, null]);
  expect(await found(`q=tool&from=${at(51)}&to=${at(62)}`)).toEqual([[106, 105], 2, null]);
  expect(await found('q=tool&limit=3')).toEqual([[119, 118, 117], 20, 'Of 20 these are the newest 3.']);
  expect((await answer('search?pid=many')).json()).toMatchObject({ code: 'DENDRO_REQUEST_INVALID' });
  expect((await answer('search?from=noon')).json()).toMatchObject({ code: 'DENDRO_TIME_INVALID' });
  expect((await answer('search?endedBefore=noon')).json()).toMatchObject({ code: 'DENDRO_TIME_INVALID' });
});

test('a histogram counts what the tree in memory counts', async () => {
  await begin(newDirectory());
  await server.post(
    Array.from({ length: 40 }, (_, i) => life(100 + i, 100 * i, 150))
      .flat()
      .join('\n'),
  );
  const query = `from=${at(0)}&to=${at(6000)}&buckets=10`;
  const { oldest, newest, gaps, findings, ...recorded } = await ask(`histogram?${query}`);
  expect(findings).toEqual(recorded.births.map(() => 0));
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
  expect([recorded.births, recorded.execs, recorded.exits].map(sum)).toEqual([40, 40, 40]);
  expect(BigInt(oldest)).toBeLessThanOrEqual(start);
  expect(BigInt(newest)).toBeGreaterThan(at(3900));
  expect(gaps).toEqual([]);
  const [from, to] = [at(0), at(6000)];
  const inMemory = await server.client.first.ask({ kind: 'counts', fromEpochNs: from, toEpochNs: to, buckets: 10 });
  expect(JSON.parse(Buffer.from(inMemory).toString()).counts).toEqual(recorded);
});

test('a window is batches that a replica takes in, with what their times count from', async () => {
  await begin(newDirectory(), { maxProcesses: 16 });
  await server.post(
    Array.from({ length: 60 }, (_, i) => life(100 + i, 10 * i, 5))
      .flat()
      .join('\n'),
  );
  const response = await answer(`window?from=${at(100)}&to=${at(200)}`);
  expect(response.headers['content-type']).toBe('application/octet-stream');
  const base = BigInt(String(response.headers['x-dendro-base-epoch-ns']));
  expect(BigInt(String(response.headers['x-dendro-oldest-epoch-ns']))).toBeLessThanOrEqual(start);
  const bytes = response.rawPayload;
  const tree = new TemporalTree();
  for (let next = 0; next < bytes.length; ) {
    const length = bytes.readUInt32LE(next);
    tree.apply(new Uint8Array(bytes.subarray(next + 4, next + 4 + length)));
    next += 4 + length;
  }
  const starts: number[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as Parameters<typeof tree.pidOf>[0];
    if (tree.isPresent(task) && tree.pidOf(task) !== 1) starts.push(Number(base) + tree.startOf(task));
  }
  expect(starts).toHaveLength(11);
  for (const time of starts) expect(Math.abs(time - Number(at(150)))).toBeLessThan(60e6);

  const history = server.history;
  if (history === undefined) throw new Error('it was started with one');
  const range = { fromEpochNs: at(0), toEpochNs: at(1000) };
  await expect(windowOf(history, range, { births: 10, bytes: 1e9 })).rejects.toMatchObject({
    code: 'DENDRO_WINDOW_TOO_LARGE',
    details: { births: 60 },
  });
  await expect(windowOf(history, range, { births: 100, bytes: 100 })).rejects.toMatchObject({
    code: 'DENDRO_WINDOW_TOO_LARGE',
  });
});

/** A history of a boot that began two hours before `now` and was recorded for its first minute. */
function recordEarlierBoot(directory: string, now: bigint): void {
  const earlier = new SqliteHistory(directory);
  const boot = { bootId: 'earlier boot', base: { epochNs: now - 2n * HOUR }, bootNs: 0n, at: 0 as EventNs };
  earlier.begin(boot);
  const tree = new ProcessTree();
  tree.apply({ type: 'clock', epochNs: boot.base.epochNs });
  tree.apply({ type: 'fork', at: 1e9 as EventNs, tid: 70, creatorTid: 1 });
  earlier.append(tree.commit()?.bytes as Uint8Array, 1e9 as EventNs);
  earlier.tick(Number(MINUTE) as EventNs);
  earlier.close();
}

test('after a restart of the host, what a page is given first is what goes on from there', async () => {
  const directory = newDirectory();
  recordEarlierBoot(directory, BigInt(Date.now()) * 1_000_000n);
  await begin(directory);
  const { first } = server.client;
  const version = await new Promise((resolve) =>
    first.requestSnapshot((chunk) => chunk.isLast && resolve(chunk.version)),
  );
  expect(first.version).toBe(version);
  const { gaps } = await ask('gaps');
  expect(gaps).toMatchObject([{ why: 'stopped' }, { why: 'source' }]);
});

test('a window over two boots says from when on it is, and why', async () => {
  const directory = newDirectory();
  const now = BigInt(Date.now()) * 1_000_000n;
  recordEarlierBoot(directory, now);
  await begin(directory);
  await server.post(life(100, 1, 5).join('\n'));
  const headersOf = async (from: bigint, to: bigint) => {
    const { headers, statusCode } = await answer(`window?from=${from}&to=${to}`);
    expect(statusCode).toBe(200);
    return [BigInt(String(headers['x-dendro-from-epoch-ns'])), headers['x-dendro-reason']] as const;
  };
  const [from, reason] = await headersOf(now - HOUR - MINUTE, at(10));
  expect(from).toBeGreaterThanOrEqual(now);
  expect(from).toBeLessThan(start);
  expect(reason).toMatch(/^It begins at .*: what was before is of another boot of the host/);
  expect(await headersOf(now - 2n * HOUR + 1n, now - HOUR)).toEqual([now - 2n * HOUR + 1n, undefined]);
  const [oldest, why] = await headersOf(now - 3n * HOUR, now - HOUR);
  expect([oldest, why]).toEqual([now - 2n * HOUR, expect.stringMatching(/^The history begins at /)]);
});

test('in its first run too a history refuses a time before it began, with the nearest instant that there is', async () => {
  await begin(newDirectory());
  await server.post(life(100, 1, 500).join('\n'));
  for (const path of ['tree', 'processes/pid:100', 'diff', 'window', 'export']) {
    const query = { diff: 'a=-1h', window: 'to=-1h', export: 'format=csv&at=-1h' }[path] ?? 'at=-1h';
    const { code, status, oldest, nearest } = (await answer(`${path}?${query}`)).json();
    expect([path, code, status]).toEqual([path, 'DENDRO_HISTORY_TOO_OLD', 410]);
    expect(nearest).toBe(oldest);
    expect((await answer(`tree?at=${nearest}`)).statusCode).toBe(200);
  }
  const elsewhere = (await server.get('/api/v1/hosts/n7/tree')).json();
  expect(elsewhere).toMatchObject({ code: 'DENDRO_HOST_UNKNOWN', status: 404 });
});

test('without a history who had ended before dendro began is not known, which is said of those instants', async () => {
  server = await TestServer.start({ source: 'procfs', maxProcesses: 10_000, maxThreads: 20_000 });
  const { reason, lacks } = await ask('tree?at=-5m');
  expect(reason).toMatch(/^Dendro has watched since .*: who had ended by then is not known\.$/);
  expect(lacks).toEqual([{ why: 'before', nearest: expect.any(String) }]);
  expect(await ask(`tree?at=${lacks[0].nearest}`)).toMatchObject({ reason: null, lacks: [] });
  const { reason: compared } = await ask('diff?a=-5m&b=live');
  expect(compared).toBe(reason);
});

test('a time before the history is refused with how far it reaches, and the live socket knows that too', async () => {
  const directory = newDirectory();
  await begin(directory);
  await server.post(life(100, 1, 5).join('\n'));
  await server.stop();
  await begin(directory);
  const { oldest, state, problem } = await ask('history');
  expect({ state, problem }).toEqual({ state: 'recording', problem: null });
  const response = await answer(`tree?at=${BigInt(oldest) - 1_000_000_000n}`);
  expect(response.json()).toMatchObject({ code: 'DENDRO_HISTORY_TOO_OLD', status: 410, oldest, nearest: oldest });
  const yearsAgo = BigInt(oldest) - 5n * 365n * 86_400_000_000_000n;
  expect((await answer(`lineage/1?at=${yearsAgo}`)).json()).toMatchObject({ code: 'DENDRO_HISTORY_TOO_OLD', oldest });
  expect((await answer('processes/seven?at=-1h')).json()).toMatchObject({ code: 'DENDRO_TASK_ID_INVALID' });
  expect(server.client.first.info.oldestEpochNs).toBe(oldest);
  const { hosts } = (await server.get('/api/v1/hosts')).json();
  expect(hosts[0].oldestEpochNs).toBe(oldest);
});

test('without a history memory answers as far as it reaches, and the rest is refused with what to do', async () => {
  await begin();
  await server.post(life(100, 1, 5).join('\n'));
  const { births, execs, exits, gaps, oldest } = await ask(`histogram?from=${at(0)}&to=${at(900)}&buckets=5`);
  expect([births, execs, exits].map((counts) => Math.max(...counts))).toEqual([1, 1, 1]);
  expect(gaps).toEqual([]);
  expect(BigInt(oldest)).toBeLessThanOrEqual(at(1));
  expect(await ask('gaps')).toEqual({ gaps: [], returned: 0, total: 0, reason: null });
  for (const path of ['search?q=x', 'window', 'history']) {
    expect((await answer(path)).json(), path).toMatchObject({
      code: 'DENDRO_HISTORY_OFF',
      status: 404,
      message: expect.stringMatching(/start dendro without --no-history.* --data-dir\.$/),
    });
  }
  expect(server.client.first.info).not.toHaveProperty('oldestEpochNs');
  expect((await answer('histogram?from=live&to=-5m')).json()).toMatchObject({ code: 'DENDRO_REQUEST_INVALID' });
});

test('what comes faster than it can be taken is made up for by all that the tree knows, and the time in between is a gap', async () => {
  server = await TestServer.start({}, { directory: newDirectory(), maxWaitingBytes: 1 });
  start = BigInt(Date.now()) * 1_000_000n;
  await server.post(life(100, 1, 5).join('\n'));
  const found = async () => {
    const { lives } = await ask('search?pid=100');
    const { gaps } = await ask('gaps');
    return { exitCode: lives[0]?.exitCode, gaps: gaps.map(({ why }: { readonly why: string }) => why) };
  };
  await expect.poll(found, { timeout: 50_000, interval: 300 }).toEqual({
    exitCode: 0,
    gaps: expect.arrayContaining(['overload']),
  });
  const { droppedBatches, state } = await ask('history');
  expect(droppedBatches).toBeGreaterThan(0);
  expect(state).toBe('recording');
});

test('metrics tell of the history', async () => {
  await begin(newDirectory());
  const metrics = await server.metrics();
  expect(metrics.get('dendro_history_up')).toBe(1);
  expect(metrics.get('dendro_history_bytes')).toBeGreaterThan(0);
  expect(metrics.get('dendro_history_dropped_batches_total')).toBe(0);
});

test('the list of hosts says what is recorded of each, and since when', async () => {
  await begin(newDirectory());
  await server.post(life(100, 0, 5).join('\n'));
  await expect.poll(async () => (await server.get('/api/v1/hosts')).json().hosts[0].history?.newest).not.toBeNull();
  const [host] = (await server.get('/api/v1/hosts')).json().hosts;
  const { state, problem, oldest, bytes } = host.history;
  expect({ state, problem }).toEqual({ state: 'recording', problem: null });
  expect(BigInt(oldest)).toBeLessThanOrEqual(at(0));
  expect(bytes).toBeGreaterThan(0);
});
