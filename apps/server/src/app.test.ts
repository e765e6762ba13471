// The gateway over a real tree worker that reads the real /proc.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TemporalTree } from '@dendro/engine';
import { decodeFrame, type ServerMessage } from '@dendro/protocol';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { buildApp } from './app.ts';
import { TreeClient } from './tree-worker/tree-client.ts';

const TOKEN = 'a-token-that-nobody-guesses';
const BEARER = { authorization: `Bearer ${TOKEN}` };
let client: TreeClient;
let app: FastifyInstance;
let origin: string;
let host: string;

beforeAll(async () => {
  const webRoot = mkdtempSync(join(tmpdir(), 'dendro-web-'));
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>app shell</title>');
  writeFileSync(join(webRoot, 'app.js'), 'export {};');
  client = await TreeClient.start({ source: 'procfs', maxProcesses: 16_384, maxThreads: 32_768 });
  app = await buildApp(client, {
    access: { token: TOKEN, cookieName: 'dendro_test', isLoopback: true, allowedHosts: ['dendro.example'] },
    webRoot,
    version: '0.0.0',
  });
  origin = await app.listen({ port: 0, host: '127.0.0.1' });
  host = new URL(origin).host;
});

afterAll(async () => {
  await app.close();
  await client.stop();
});

async function cookieFor(token: string): Promise<string | undefined> {
  const answer = await app.inject({ url: `/?token=${token}&task=7`, headers: { host } });
  return answer.headers['set-cookie'] as string | undefined;
}

describe('access', () => {
  const PATHS = [
    '/api/v1/hosts',
    '/api/v1/hosts/local/tree',
    '/api/v1/hosts/local/tree?at=-1s',
    '/api/v1/hosts/nowhere/tree',
    '/metrics',
    '/docs',
    '/docs/json',
    '/index.html',
    '/app.js',
    '/no-such-thing',
  ];

  test.each(PATHS)('%s without the token is refused, and says nothing but that', async (url) => {
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { cookie: 'dendro_test=wrong' },
      { authorization: TOKEN },
    ]) {
      const answer = await app.inject({ url, headers: { host, ...headers } });
      expect(answer.statusCode).toBe(401);
      expect(answer.json()).toEqual({ code: 'DENDRO_UNAUTHENTICATED', message: expect.any(String), status: 401 });
    }
  });

  test.each(PATHS)('%s with the token is not refused', async (url) => {
    const answer = await app.inject({ url, headers: { host, ...BEARER } });
    expect(answer.statusCode).not.toBe(401);
    expect(answer.statusCode).toBeLessThan(500);
  });

  test('a page asked for without the token is a sign-in form that holds no data', async () => {
    for (const url of ['/', '/docs']) {
      const answer = await app.inject({ url, headers: { host, accept: 'text/html' } });
      expect(answer.statusCode).toBe(401);
      expect(answer.body).toContain('<form method="post" action="/login">');
      expect(answer.body).not.toContain('app shell');
    }
  });

  test('the printed URL gives a cookie that scripts cannot read and takes the token out of the address', async () => {
    const answer = await app.inject({ url: `/?token=${TOKEN}&task=7`, headers: { host } });
    expect(answer.statusCode).toBe(303);
    expect(answer.headers.location).toBe('/?task=7');
    expect(answer.headers['set-cookie']).toMatch(/^dendro_test=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(String(answer.headers['set-cookie'])).not.toContain(TOKEN);

    const cookie = (await cookieFor(TOKEN))?.split(';')[0];
    const page = await app.inject({ url: '/', headers: { host, cookie } });
    expect(page.body).toContain('app shell');
    expect((await app.inject({ url: '/api/v1/hosts', headers: { host, cookie } })).statusCode).toBe(200);
    expect(await cookieFor('wrong-token-wrong-token')).toBeUndefined();
  });

  test('a token can be posted as a form or as JSON, a wrong one is refused', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const post = (payload: string | object, headers = {}) =>
      app.inject({ method: 'POST', url: '/login', payload, headers: { host, ...headers } });
    expect((await post(`token=${TOKEN}`, { ...form, accept: 'text/html' })).headers.location).toBe('/');
    expect((await post({ token: TOKEN })).headers['set-cookie']).toBeDefined();
    for (const wrong of [{ token: 'x' }, { token: 7 }, {}, [], { token: TOKEN.slice(1) }]) {
      const answer = await post(wrong);
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });

  test.each(['evil.example', 'evil.example:7337', '127.0.0.1.evil.example', '10.0.0.1', 'localhost@evil', 'a b'])(
    'the host name %j is refused, token or not',
    async (name) => {
      for (const url of ['/', '/healthz', '/api/v1/hosts']) {
        const answer = await app.inject({ url, headers: { ...BEARER, host: name } });
        expect(answer.statusCode).toBe(403);
        expect(answer.json().code).toBe('DENDRO_HOST_REFUSED');
      }
    },
  );

  test.each(['localhost:7337', '127.0.0.1', '[::1]:80', 'dendro.example', 'DENDRO.example:443'])(
    'the host name %j is answered',
    async (name) => {
      expect((await app.inject({ url: '/api/v1/hosts', headers: { ...BEARER, host: name } })).statusCode).toBe(200);
    },
  );

  test('a request from a page of another origin is refused, token or not', async () => {
    for (const foreign of [
      'https://evil.example',
      'http://127.0.0.1:1',
      'http://localhost:7337',
      'null',
      `https://${host}`,
    ]) {
      const answer = await app.inject({ url: '/api/v1/hosts', headers: { ...BEARER, host, origin: foreign } });
      expect([foreign, answer.statusCode, answer.json().code]).toEqual([foreign, 403, 'DENDRO_ORIGIN_REFUSED']);
    }
    expect((await app.inject({ url: '/api/v1/hosts', headers: { ...BEARER, host, origin } })).statusCode).toBe(200);
  });

  test('the live socket asks for the same: token, host and origin', async () => {
    const url = `ws://${host}/api/v1/hosts/local/live`;
    const refused = async (headers: Record<string, string>, options = {}): Promise<number> => {
      const socket = new WebSocket(url, { headers, ...options });
      return new Promise((resolve, reject) => {
        socket.on('unexpected-response', (request, response) => {
          resolve(response.statusCode ?? 0);
          request.destroy();
        });
        socket.on('message', () => reject(new Error('data without access')));
        socket.on('error', () => {});
      });
    };
    expect(await refused({})).toBe(401);
    expect(await refused({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await refused({ ...BEARER, host: 'evil.example' })).toBe(403);
    expect(await refused({ ...BEARER }, { origin: 'https://evil.example' })).toBe(403);
    const socket = new WebSocket(url, { headers: BEARER, origin });
    const [first] = await nextMessages(socket, 1);
    expect(JSON.parse(String(first)).type).toBe('hello');
    socket.terminate();
  });

  test('pages are sent with a policy that loads nothing from elsewhere', async () => {
    const answer = await app.inject({ url: '/api/v1/hosts', headers: { host, ...BEARER } });
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    expect(answer.headers['content-security-policy']).not.toMatch(/unsafe|upgrade-insecure/);
    expect(answer.headers['referrer-policy']).toBe('no-referrer');
  });
});

describe('answers', () => {
  test('health needs no token', async () => {
    expect((await app.inject({ url: '/healthz', headers: { host } })).json()).toEqual({ status: 'ok' });
    expect((await app.inject({ url: '/readyz', headers: { host } })).json()).toEqual({ status: 'ready' });
  });

  test('the tree is a flat list in which this process stands below its parent', async () => {
    const answer = await app.inject({ url: '/api/v1/hosts/local/tree', headers: { host, ...BEARER } });
    const tree = answer.json();
    expect(tree).toMatchObject({ host: 'local', returned: tree.tasks.length, total: tree.tasks.length, reason: null });
    expect(tree.at).toMatch(/^\d{19}$/);
    const own = tree.tasks.find((task: { tid: number }) => task.tid === process.pid);
    const parent = tree.tasks.find((task: { tid: number }) => task.tid === process.ppid);
    expect(own).toMatchObject({ kind: 'process', pid: process.pid, parentTaskId: parent.taskId, alive: true });
  });

  test('the tree of a minute ago does not hold what started since', async () => {
    const answer = await app.inject({ url: '/api/v1/hosts/local/tree?at=-1h', headers: { host, ...BEARER } });
    expect(answer.json().tasks.some((task: { tid: number }) => task.tid === process.pid)).toBe(false);
  });

  test.each([
    ['/api/v1/hosts/local/tree?at=yesterday', 400, 'DENDRO_TIME_INVALID'],
    ['/api/v1/hosts/local/tree?at=', 400, 'DENDRO_TIME_INVALID'],
    [`/api/v1/hosts/local/tree?at=${'9'.repeat(65)}`, 400, 'DENDRO_REQUEST_INVALID'],
    ['/api/v1/hosts/nowhere/tree', 404, 'DENDRO_HOST_UNKNOWN'],
    ['/api/v1/nothing', 404, 'DENDRO_ROUTE_UNKNOWN'],
  ])('%s is answered with %i %s', async (url, status, code) => {
    const answer = await app.inject({ url, headers: { host, ...BEARER } });
    expect(answer.json()).toEqual({ code, status, message: expect.any(String) });
    expect(answer.statusCode).toBe(status);
  });

  test('a part of a file that it does not have is refused with a code too', async () => {
    const answer = await app.inject({ url: '/app.js', headers: { host, ...BEARER, range: 'bytes=999-' } });
    expect(answer.json()).toEqual({ code: 'DENDRO_REQUEST_INVALID', status: 400, message: expect.any(String) });
  });

  test('metrics tell what the tree and its source have counted', async () => {
    const answer = await app.inject({ url: '/metrics', headers: { host, ...BEARER } });
    const lines = answer.body.split('\n');
    const metric = (name: string) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1]);
    const ofHost = (name: string) => metric(`${name}{host="local"}`);
    expect(answer.headers['content-type']).toContain('text/plain');
    expect(ofHost('dendro_processes')).toBeGreaterThan(5);
    expect(ofHost('dendro_threads')).toBeGreaterThan(ofHost('dendro_processes'));
    expect(ofHost('dendro_events_total')).toBeGreaterThan(5);
    for (const name of ['dendro_events_lost_total', 'dendro_gaps']) expect(ofHost(name)).toBe(0);
    expect(metric('dendro_evicted_total{host="local",kind="process"}')).toBe(0);
    expect(metric('dendro_source_up')).toBe(1);
  });

  test('the API describes itself', async () => {
    const answer = await app.inject({ url: '/docs/json', headers: { host, ...BEARER } });
    expect(Object.keys(answer.json().paths)).toEqual(
      expect.arrayContaining(['/api/v1/hosts', '/api/v1/hosts/{host}/tree', '/healthz', '/readyz']),
    );
  });
});

describe('the live socket', () => {
  const open = (query = '') => new WebSocket(`ws://${host}/api/v1/hosts/local/live${query}`, { headers: BEARER });

  test('gives a snapshot that holds this process, then batches that follow on each other', async () => {
    const socket = open();
    socket.on('open', () => socket.send('{"type":"subscribe"}'));
    const tree = new TemporalTree();
    let version = -1;
    let batches = 0;
    const said: ServerMessage[] = [];
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (data: Buffer, isBinary: boolean) => {
        if (!isBinary) {
          said.push(JSON.parse(data.toString()));
          return;
        }
        const frame = decodeFrame(data);
        if (frame.kind === 'batch') {
          expect(frame.from).toBe(version);
          batches++;
        }
        tree.apply(frame.batch);
        version = frame.to;
        if (batches >= 2) resolve();
      });
      // Something has to happen on the host.
      const births = setInterval(
        () => void import('node:child_process').then(({ spawn }) => spawn('sleep', ['0.6'])),
        300,
      );
      socket.on('close', () => clearInterval(births));
    });
    socket.terminate();
    expect(said.map((message) => message.type)).toEqual(expect.arrayContaining(['hello', 'resync']));
    const slots = Array.from({ length: tree.slotCount }, (_, slot) => slot as never);
    expect(slots.some((task) => tree.isPresent(task) && tree.tidOf(task) === process.pid)).toBe(true);
  });

  test('gives a client that comes back what it missed, without a new snapshot', async () => {
    const socket = open();
    socket.on('open', () => socket.send(`{"type":"subscribe","version":${client.first.version}}`));
    const births = setInterval(
      () => void import('node:child_process').then(({ spawn }) => spawn('sleep', ['0.6'])),
      300,
    );
    const frame = await new Promise<Buffer>((resolve) => {
      socket.on('message', (data: Buffer, isBinary: boolean) => {
        if (isBinary) resolve(data);
        else expect(JSON.parse(data.toString()).type).not.toBe('resync');
      });
    });
    clearInterval(births);
    expect(decodeFrame(frame).kind).toBe('batch');
    socket.terminate();
  });

  test('says a version from another life of the server is not known and starts afresh', async () => {
    const socket = open();
    socket.on('open', () => socket.send('{"type":"subscribe","version":99999999}'));
    // Between greeting and answer there may be word of how the host is.
    const resync = await new Promise((resolve) => {
      socket.on('message', (data: Buffer, isBinary: boolean) => {
        const message = isBinary ? undefined : JSON.parse(data.toString());
        if (message?.type === 'resync') resolve(message);
      });
    });
    expect(resync).toEqual({ type: 'resync', reason: 'version-unknown' });
    socket.terminate();
  });

  test.each(['no json', '{}', '[]', '{"type":"subscribe","version":-1}', '{"type":"drop table"}'])(
    'answers %s with a coded error and ends',
    async (text) => {
      const socket = open();
      socket.on('open', () => socket.send(text));
      const messages: { type: string; code?: string }[] = [];
      const code = await new Promise<number>((resolve) => {
        socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())));
        socket.on('close', resolve);
      });
      expect(code).toBe(1008);
      expect(messages.at(-1)).toMatchObject({ type: 'error', code: 'DENDRO_MESSAGE_INVALID' });
    },
  );

  test('ends a client that sends too much, and goes on', async () => {
    const socket = open();
    socket.on('open', () => socket.send('x'.repeat(100_000)));
    socket.on('error', () => {});
    const code = await new Promise<number>((resolve) => socket.on('close', resolve));
    expect([1006, 1009]).toContain(code);
    expect((await app.inject({ url: '/healthz', headers: { host } })).statusCode).toBe(200);
  });

  test('shows its frames as JSON when asked', async () => {
    const socket = open('?format=json');
    socket.on('open', () => socket.send('{"type":"subscribe"}'));
    const snapshot = await new Promise<{ facts: { type: string }[] }>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString());
        if (message.type === 'snapshot') resolve(message);
      });
    });
    expect(snapshot.facts).toContainEqual(expect.objectContaining({ type: 'task', tid: expect.any(Number) }));
    socket.terminate();
  });
});

function nextMessages(socket: WebSocket, count: number): Promise<WebSocket.RawData[]> {
  const messages: WebSocket.RawData[] = [];
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data) => {
      messages.push(data);
      if (messages.length === count) resolve(messages);
    });
  });
}
