// Questions over HTTP to a tree that is fed over HTTP.

import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from './app.ts';
import { TreeClient } from './tree-worker/tree-client.ts';

const TOKEN = 'a-token-that-nobody-guesses';
const HEADERS = { host: 'localhost', authorization: `Bearer ${TOKEN}` };
const VECTOR = new URL('../../../packages/testkit/vectors/tracee/', import.meta.url);
let client: TreeClient;
let app: FastifyInstance;

beforeAll(async () => {
  client = await TreeClient.start({ source: 'none', maxProcesses: 1000, maxThreads: 1000 });
  app = await buildApp(client, {
    access: { token: TOKEN, cookieName: 'dendro_test', isLoopback: true, allowedHosts: [] },
    webRoot: tmpdir(),
    version: '0.0.0',
  });
});
afterAll(async () => {
  await app.close();
  await client.stop();
});

/** A vector, its times moved to `epochNs` from 2023-11-14T22:13:20Z on: a host's time base reaches 104 days. */
function lines(dialect: 'legacy' | 'v1beta1', startNs: bigint, pids: number): string {
  const moved = (ns: string) => String(BigInt(ns) - 1_700_000_000_000_000_000n + startNs);
  return readFileSync(new URL(`${dialect}.ndjson`, VECTOR), 'utf8')
    .replace(/17000000\d{11}/g, moved)
    .replace(/"2023-11-14T22:13:(\d\d)(?:\.(\d{1,9}))?Z"/g, (_, seconds: string, fraction = '') => {
      const ns = BigInt(seconds) * 1_000_000_000n - 20_000_000_000n + BigInt(fraction.padEnd(9, '0')) + startNs;
      return dialect === 'legacy'
        ? String(ns)
        : `"${new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z"`;
    })
    .replace(
      /(host\w*"|host_\w+"|"value"|"int32"):(100|200|201)\b/gi,
      (_, key: string, pid: string) => `${key}:${Number(pid) + pids}`,
    );
}

const post = (payload: string, headers = {}) =>
  app.inject({
    method: 'POST',
    url: '/api/v1/hosts/local/events',
    payload,
    headers: { ...HEADERS, 'content-type': 'application/x-ndjson', ...headers },
  });
const get = async (url: string) => {
  const answer = await app.inject({ url, headers: HEADERS });
  return { status: answer.statusCode, body: answer.json() };
};

describe.each(['legacy', 'v1beta1'] as const)('events of the %s dialect', (dialect) => {
  const pids = dialect === 'legacy' ? 0 : 5000;
  const start = BigInt(Date.now() - 60_000) * 1_000_000n;
  const at = (ns: number) => String(start + BigInt(ns));

  beforeAll(async () => {
    const answer = await post(`${lines(dialect, start, pids)}\nnot json\n{"eventName":"openat"}\n`);
    expect(answer.json()).toEqual({ accepted: 4, rejected: { 'not-json': 1, 'not-a-lifecycle-event': 1 } });
  });

  test('a process is answered as it was before and after its exec, and after its end', async () => {
    const before = await get(`/api/v1/processes/pid:${200 + pids}?at=${at(5.5e9)}`);
    expect(before).toMatchObject({ status: 200, body: { timestamp: at(5.5e9) } });
    expect(before.body.info).toMatchObject({
      comm: 'bash',
      cmd: null,
      execTime: null,
      exitTime: null,
      isAlive: true,
      ppid: 100 + pids,
    });

    const { body } = await get(`/api/v1/processes/pid:${200 + pids}?at=${at(6.6e9)}`);
    expect(body.info).toMatchObject({
      pid: 200 + pids,
      nsPid: 20,
      comm: 'ls',
      cmd: ['ls', '-l', '12345678901234567890 "quoted"'],
      cwd: '/home/u',
      uid: 1000,
      startTime: at(5_000_000_001),
      execTime: at(6e9),
      exitTime: null,
      exitCode: null,
      signal: null,
      isAlive: true,
      placeholder: false,
      source: 'event',
    });
    expect(body.info.executionBinary).toMatchObject({ path: '/usr/bin/ls', inode: '18446744073709551615' });
    expect(body.info.threadIds).toMatchObject([{ tid: 200 + pids }, { tid: 201 + pids }]);

    const after = await get(`/api/v1/processes/pid:${200 + pids}?at=${at(20e9)}`);
    expect(after.body.info).toMatchObject({ isAlive: false, exitTime: at(9e9), signal: 11, threadIds: [] });
  });

  test('the same process answers to its task id and to its entity id', async () => {
    const { info } = (await get(`/api/v1/processes/pid:${200 + pids}?at=${at(6.6e9)}`)).body;
    for (const id of [info.taskId, `e:${info.entityId}`]) {
      expect((await get(`/api/v1/processes/${id}?at=${at(6.6e9)}`)).body.info.pid).toBe(200 + pids);
    }
  });

  test('lineage takes each parent at the start of its child, and says why it ends', async () => {
    const { body } = await get(`/api/v1/lineage/pid:${201 + pids}?at=${at(6.6e9)}`);
    expect(body.lineage.map((one: { info: { pid: number } }) => one.info.pid)).toEqual([200 + pids, 100 + pids, 1]);
    expect(body.lineage.map((one: { timestamp: string }) => one.timestamp)).toEqual([
      at(6.6e9),
      at(5_000_000_001),
      expect.any(String),
    ]);
    expect(body.end).toBe('root');
    const cut = await get(`/api/v1/lineage/pid:${201 + pids}?at=${at(6.6e9)}&depth=1`);
    expect(cut.body).toMatchObject({ returned: 2, end: 'depth' });
  });

  test('a thread is answered with its process', async () => {
    const { body } = await get(`/api/v1/threads/pid:${201 + pids}?at=${at(6.6e9)}`);
    expect(body.info).toMatchObject({ tid: 201 + pids, pid: 200 + pids, nsTid: 21, name: 'ls', isAlive: true });
  });

  test('what was not there at the time is not known', async () => {
    for (const url of [`processes/pid:${200 + pids}?at=${at(4e9)}`, `threads/pid:${201 + pids}?at=${at(5e9)}`]) {
      expect(await get(`/api/v1/${url}`)).toMatchObject({ status: 404, body: { code: 'DENDRO_TASK_UNKNOWN' } });
    }
  });
});

test.each([
  ['/api/v1/processes/seven', 400, 'DENDRO_TASK_ID_INVALID'],
  ['/api/v1/processes/0', 400, 'DENDRO_TASK_ID_INVALID'],
  ['/api/v1/processes/e:4294967296', 400, 'DENDRO_TASK_ID_INVALID'],
  ['/api/v1/processes/pid:4194305', 400, 'DENDRO_TASK_ID_INVALID'],
  ['/api/v1/processes/123456789', 404, 'DENDRO_TASK_UNKNOWN'],
  ['/api/v1/lineage/e:1', 404, 'DENDRO_TASK_UNKNOWN'],
  ['/api/v1/threads/1?at=then', 400, 'DENDRO_TIME_INVALID'],
  ['/api/v1/lineage/1?depth=-1', 400, 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/lineage/1?depth=many', 400, 'DENDRO_REQUEST_INVALID'],
])('%s is answered with %i %s', async (url, status, code) => {
  expect(await get(url)).toMatchObject({ status, body: { code, status } });
});

test('an entity id that fits two tasks answers 409 with both', async () => {
  // The same tid, begun twice within one bucket of 100 ms.
  const start = ((BigInt(Date.now() - 30_000) * 1_000_000n) / 100_000_000n) * 100_000_000n;
  const one = (offset: number) => lines('legacy', start - 5_000_000_000n + BigInt(offset), 9000).split('\n')[0];
  await post(`${one(1000)}\n${one(50_000_000)}`);
  const tree = await get('/api/v1/hosts/local/tree?exited=true');
  const twins = tree.body.tasks.filter((task: { pid: number }) => task.pid === 9200);
  expect(twins).toHaveLength(2);
  expect(twins[0].entityId).toBe(twins[1].entityId);
  const answer = await get(`/api/v1/processes/e:${twins[0].entityId}`);
  expect(answer).toMatchObject({ status: 409, body: { code: 'DENDRO_TASK_AMBIGUOUS' } });
  expect(answer.body.candidates.toSorted()).toEqual(twins.map((task: { taskId: number }) => task.taskId).toSorted());
});

test('a webhook may send one event over many lines', async () => {
  const start = BigInt(Date.now() - 10_000) * 1_000_000n;
  const event = JSON.stringify(JSON.parse(lines('v1beta1', start, 7000).split('\n')[0] ?? ''), null, 2);
  const answer = await post(event, { 'content-type': 'application/json' });
  expect(answer.json()).toEqual({ accepted: 1, rejected: {} });
  expect((await get('/api/v1/processes/pid:7200')).body.info.ppid).toBe(7100);
});

test('posting needs the token, a host that is watched, and something to take in', async () => {
  const url = '/api/v1/hosts/local/events';
  const ndjson = { host: 'localhost', 'content-type': 'application/x-ndjson' };
  expect((await app.inject({ method: 'POST', url, payload: '{}', headers: ndjson })).statusCode).toBe(401);
  const foreign = { ...HEADERS, ...ndjson, origin: 'https://evil.example' };
  expect((await app.inject({ method: 'POST', url, payload: '{}', headers: foreign })).statusCode).toBe(403);
  const elsewhere = await app.inject({
    method: 'POST',
    url: '/api/v1/hosts/x/events',
    payload: '{}',
    headers: { ...HEADERS, ...ndjson },
  });
  expect(elsewhere.json()).toMatchObject({ status: 404, code: 'DENDRO_HOST_UNKNOWN' });
  expect((await app.inject({ method: 'POST', url, headers: HEADERS })).json()).toMatchObject({
    code: 'DENDRO_REQUEST_INVALID',
  });
  expect((await post('\n\n')).json()).toEqual({ accepted: 0, rejected: {} });
});
