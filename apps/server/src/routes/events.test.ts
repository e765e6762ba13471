// Events as programs and people post them, recordings of another year among them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerMessage } from '@dendro/protocol';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { forkLine, renameLine, SIGNED_IN, TestServer, type TraceeTask } from '../test-server.ts';

const DAY_NS = 86_400_000_000_000n;
/** In the summer of 2019. */
const THEN = 1_561_000_000_123_456_789n;
const TREE = '/api/v1/hosts/local/tree';
const folder = mkdtempSync(join(tmpdir(), 'dendro-events-'));
const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(options = {}): Promise<TestServer> {
  const server = await TestServer.start(options);
  servers.push(server);
  return server;
}

const init = (start = THEN): TraceeTask => ({ tid: 1, pid: 1, start });
const birth = (atNs: bigint, pid: number) => forkLine(atNs, init(), { tid: pid, pid, start: atNs });

describe('what a body is called does not matter', () => {
  test.each([
    ['application/x-ndjson'],
    ['application/json'],
    ['application/x-www-form-urlencoded'],
    ['text/plain'],
    ['text/plain; charset=utf-8'],
    ['application/octet-stream'],
    [undefined],
  ])('%s is taken as lines', async (type) => {
    const server = await start();
    const body = `${birth(THEN, 20)}\n${birth(THEN, 21)}\nnot json\n`;
    const answer = await server.post(Buffer.from(body), type === undefined ? {} : { 'content-type': type });
    expect([answer.statusCode, answer.json()]).toEqual([200, { accepted: 2, rejected: { 'not-json': 1 } }]);
  });

  test('a form is a form at sign-in only, and of another size', async () => {
    const server = await start();
    const body = Array.from({ length: 100 }, (_, i) => birth(THEN, 20 + i)).join('\n');
    expect(body.length).toBeGreaterThan(4096);
    const answer = await server.post(body, { 'content-type': 'application/x-www-form-urlencoded' });
    expect(answer.json()).toEqual({ accepted: 100, rejected: {} });
  });

  test('a byte order mark is passed over, before lines and before one event on many', async () => {
    const server = await start();
    expect((await server.post(`\ufeff${birth(THEN, 20)}\n${birth(THEN, 21)}`)).json()).toEqual({
      accepted: 2,
      rejected: {},
    });
    const spread = JSON.stringify(JSON.parse(birth(THEN, 22)), null, 2);
    expect((await server.post(`\ufeff${spread}`)).json()).toEqual({ accepted: 1, rejected: {} });
    expect((await server.post('\ufeff')).json()).toEqual({ accepted: 0, rejected: {} });
  });
});

test('a body that is too large is refused in a way that a client gets to read', async () => {
  const server = await start();
  const origin = await server.app.listen({ port: 0, host: '127.0.0.1' });
  const file = join(folder, 'large.ndjson');
  writeFileSync(file, Buffer.alloc(16 * 1024 * 1024 + 1, 'x'));
  const answer = await fetch(`${origin}/api/v1/hosts/local/events`, {
    method: 'POST',
    headers: { authorization: SIGNED_IN.authorization },
    body: Buffer.alloc(16 * 1024 * 1024 + 1, 'x'),
  });
  expect([answer.status, await answer.json()]).toEqual([
    413,
    { code: 'DENDRO_BODY_TOO_LARGE', status: 413, message: expect.any(String) },
  ]);
  expect((await server.post(Buffer.alloc(16 * 1024 * 1024, '\n'))).json()).toEqual({ accepted: 0, rejected: {} });
});

describe('times of a tree that is fed by posts alone', () => {
  test('are those of the first event, so that a recording of another year is exact', async () => {
    const server = await start();
    expect((await server.post(`${birth(THEN, 20)}\n${birth(THEN + 1n, 21)}`)).json()).toMatchObject({ accepted: 2 });
    const tree = (await server.get(`${TREE}?at=live`)).json();
    expect(tree.at).toBe(String(THEN + 1n));
    const { tasks } = tree as { tasks: { pid: number; startTime: string }[] };
    expect(tasks.map(({ pid, startTime }) => [pid, startTime])).toEqual([
      [1, String(THEN)],
      [20, String(THEN)],
      [21, String(THEN + 1n)],
    ]);
    expect((await server.get(`${TREE}?at=${THEN}`)).json().returned).toBe(2);
    expect((await server.get('/api/v1/hosts')).json().hosts).toMatchObject([
      { baseEpochNs: String(THEN), isLive: false },
    ]);
  });

  test('are told anew to a browser that had been there before the first event', async () => {
    const server = await start();
    const origin = await server.app.listen({ port: 0, host: '127.0.0.1' });
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/api/v1/hosts/local/live?format=json`, {
      headers: { authorization: SIGNED_IN.authorization },
    });
    const said: ServerMessage[] = [];
    const until = (type: string) =>
      new Promise<void>((resolve) => {
        const hear = (data: Buffer): void => {
          const message = JSON.parse(String(data));
          said.push(message);
          if (message.type !== type) return;
          socket.off('message', hear);
          resolve();
        };
        socket.on('message', hear);
      });
    await until('hello');
    socket.send('{"type":"subscribe"}');
    await until('snapshot');
    const greeted = until('hello');
    await server.post(birth(THEN, 20));
    await greeted;
    expect(said.at(-1)).toMatchObject({ type: 'hello', host: { baseEpochNs: String(THEN) } });
    socket.send('{"type":"subscribe"}');
    await until('snapshot');
    expect(said.at(-1)).toMatchObject({ facts: expect.arrayContaining([expect.objectContaining({ tid: 20 })]) });
    socket.terminate();
  });

  test('are those of the clock when the events are of today', async () => {
    const server = await start();
    const before = BigInt(Date.now()) * 1_000_000n;
    await server.post(birth(before - 60_000_000_000n, 20));
    const tree = (await server.get(TREE)).json();
    expect(BigInt(tree.at)).toBeGreaterThanOrEqual(before);
    expect((await server.get('/api/v1/hosts')).json().hosts).toMatchObject([{ isLive: true }]);
  });

  test('are known to nobody before the first event: every time is answered, and with nothing', async () => {
    const server = await start();
    for (const at of [THEN, 0n, 9_000_000_000_000_000_000n]) {
      const answer = await server.get(`${TREE}?at=${at}`);
      expect([answer.statusCode, answer.json()]).toMatchObject([200, { at: String(at), returned: 0 }]);
    }
  });
});

describe('times that are not exact any more, so far from the first', () => {
  const LIMIT = 2n ** 53n - 1n;

  test('an event of such a time is rejected and counted, and the line before it is not', async () => {
    const server = await start();
    await server.post(birth(THEN, 20));
    const lines = [LIMIT, LIMIT + 1n, -LIMIT, -LIMIT - 1n, 200n * DAY_NS].map((distance, i) =>
      renameLine(THEN + distance, { tid: 1, pid: 1 }, `name${i}`),
    );
    expect((await server.post(lines.join('\n'))).json()).toEqual({
      accepted: 2,
      rejected: { 'time-out-of-range': 3 },
    });
    // A line that says two things (who did it, and what) is rejected once.
    expect((await server.post(birth(THEN + 200n * DAY_NS, 30))).json()).toEqual({
      accepted: 0,
      rejected: { 'time-out-of-range': 1 },
    });
    await expect
      .poll(async () => (await server.metrics()).get('dendro_rejected_total{reason="time-out-of-range"}'), {
        timeout: 5000,
      })
      .toBe(4);
    expect((await server.metrics()).get('dendro_events_total')).toBe(3);
  });

  test('a daemon that started long before may do something now', async () => {
    const server = await start();
    const daemon: TraceeTask = { tid: 1, pid: 1, start: THEN - 300n * DAY_NS };
    const answer = await server.post(forkLine(THEN, daemon, { tid: 20, pid: 20, start: THEN }));
    expect(answer.json()).toEqual({ accepted: 1, rejected: {} });
    expect((await server.get('/api/v1/lineage/pid:20')).json().returned).toBe(2);
  });

  test('a question about such a time is refused, whatever it is about', async () => {
    const server = await start();
    await server.post(birth(THEN, 20));
    for (const path of [TREE, '/api/v1/processes/pid:20', '/api/v1/threads/pid:20', '/api/v1/lineage/pid:20']) {
      for (const far of [THEN + LIMIT + 1n, THEN - LIMIT - 1n]) {
        const answer = await server.get(`${path}?at=${far}`);
        expect([path, answer.statusCode, answer.json().code]).toEqual([path, 400, 'DENDRO_TIME_OUT_OF_RANGE']);
      }
      expect((await server.get(`${path}?at=${THEN + LIMIT}`)).statusCode).toBe(200);
    }
  });
});

test('a time with a zone may come out of an address as it went in', async () => {
  const server = await start();
  await server.post(birth(THEN, 20));
  for (const at of [
    '2019-06-20T04:06:40.2+01:00',
    '2019-06-20T04:06:40.2%2B01:00',
    '2019-06-20T04:06:40.2%2b01%3a00',
  ]) {
    const answer = await server.get(`${TREE}?at=${at}`);
    expect([at, answer.json()]).toMatchObject([at, { at: '1561000000200000000', returned: 2 }]);
  }
});

test('a file that is read has its own times in what is said of the host', async () => {
  const file = join(folder, 'then.ndjson');
  writeFileSync(file, birth(THEN, 20));
  const server = await start({ source: `tracee:${file}` });
  expect(await server.client.untilComplete(5000)).toBe(true);
  expect((await server.get('/api/v1/hosts')).json().hosts).toMatchObject([
    { baseEpochNs: String(THEN), isLive: false },
  ]);
});
