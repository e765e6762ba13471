// Every way in which each route says no: in one form, with a code of the
// catalogue and the status that belongs to it.

import { connect } from 'node:net';
import { ERRORS, type ErrorCode } from '@dendro/protocol';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forkLine, SIGNED_IN, TestServer } from './test-server.ts';

const START = (BigInt(Date.now() - 60_000) / 100n) * 100_000_000n;
const FAR = String(START - 2n ** 53n - 1n);
const EVENTS = '/api/v1/hosts/local/events';
const NDJSON = { 'content-type': 'application/x-ndjson' };
const LIVE = '/api/v1/hosts/local/live';

/** All routes, each with an address that is answered. Those without a token hold nothing about the host. */
const ROUTES: readonly { method: 'GET' | 'POST'; url: string; template: string; isOpen?: true }[] = [
  { method: 'GET', url: '/api/v1/hosts', template: '/api/v1/hosts' },
  { method: 'GET', url: '/api/v1/hosts/local/tree', template: '/api/v1/hosts/{host}/tree' },
  ...['processes', 'threads', 'lineage'].map((what) => {
    return {
      method: 'GET',
      url: `/api/v1/hosts/local/${what}/1`,
      template: `/api/v1/hosts/{host}/${what}/{id}`,
    } as const;
  }),
  ...['histogram', 'gaps', 'search', 'diff', 'window', 'history', 'export'].map((what) => {
    return { method: 'GET', url: `/api/v1/hosts/local/${what}`, template: `/api/v1/hosts/{host}/${what}` } as const;
  }),
  { method: 'GET', url: '/api/v1/processes/1', template: '/api/v1/processes/{id}' },
  { method: 'GET', url: '/api/v1/threads/1', template: '/api/v1/threads/{id}' },
  { method: 'GET', url: '/api/v1/lineage/1', template: '/api/v1/lineage/{id}' },
  { method: 'POST', url: EVENTS, template: '/api/v1/hosts/{host}/events' },
  { method: 'GET', url: LIVE, template: '' },
  { method: 'GET', url: '/metrics', template: '/metrics' },
  { method: 'GET', url: '/docs', template: '' },
  { method: 'GET', url: '/docs/json', template: '' },
  { method: 'GET', url: '/index.html', template: '' },
  { method: 'GET', url: '/healthz', template: '/healthz', isOpen: true },
  { method: 'GET', url: '/readyz', template: '/readyz', isOpen: true },
  { method: 'POST', url: '/login', template: '', isOpen: true },
];

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  // 10 is born twice within the 100 ms that an entity id tells apart.
  const init = { tid: 1, pid: 1, start: START };
  const twins = [1000n, 50_000_000n].map((offset) => {
    const start = START + 1_000_000_000n + offset;
    return forkLine(start, init, { tid: 10, pid: 10, start });
  });
  await server.post(twins.join('\n'));
});
afterAll(() => server.stop());

async function refusal(options: InjectOptions) {
  const answer = await server.app.inject({ ...options, headers: { ...SIGNED_IN, ...options.headers } });
  const { code, status, message, ...details } = answer.json() as Record<string, unknown>;
  expect(message).toMatch(/^(?:["A-Z]|dendro ).{5,}\.$/);
  expect(ERRORS[code as ErrorCode].status).toBe(status);
  expect(answer.statusCode).toBe(status);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  return { code, details };
}

test('the routes of this test are those that the server describes', async () => {
  const { paths } = (await server.get('/docs/json')).json();
  const described = ROUTES.map(({ template }) => template).filter((template) => template !== '');
  expect(Object.keys(paths).sort()).toEqual(described.sort());
});

describe.each(ROUTES)('$method $url', ({ method, url, isOpen }) => {
  const payload = method === 'POST' ? 'x' : undefined;
  const ask = (headers: Record<string, string>) => refusal({ method, url, headers, ...(payload && { payload }) });

  if (!isOpen) {
    test('asks for the token', async () => {
      for (const authorization of ['', 'Bearer wrong', 'Basic YTpi'])
        expect(await ask({ ...NDJSON, authorization })).toEqual({ code: 'DENDRO_UNAUTHENTICATED', details: {} });
    });
  }

  test('is not there under the name of another host, or for a page of another origin', async () => {
    expect(await ask({ host: 'evil.example' })).toEqual({ code: 'DENDRO_HOST_REFUSED', details: {} });
    expect(await ask({ origin: 'https://evil.example' })).toEqual({ code: 'DENDRO_ORIGIN_REFUSED', details: {} });
  });

  test('knows no other method', async () => {
    expect(await refusal({ method: 'DELETE', url })).toEqual({ code: 'DENDRO_ROUTE_UNKNOWN', details: {} });
  });
});

const LONG = 'a'.repeat(200);

test.each<[string, ErrorCode, InjectOptions?]>([
  ['/api/v1', 'DENDRO_ROUTE_UNKNOWN'],
  ['/api/v1/hosts/', 'DENDRO_ROUTE_UNKNOWN'],
  ['/nothing.js', 'DENDRO_ROUTE_UNKNOWN'],
  ['/..%2f..%2fetc/passwd', 'DENDRO_ROUTE_UNKNOWN'],
  ['/docs/static/nothing', 'DENDRO_ROUTE_UNKNOWN'],
  ['/%zz', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/processes/%ff', 'DENDRO_REQUEST_INVALID'],
  [`/api/v1/processes/${LONG}`, 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/hosts/nowhere/tree', 'DENDRO_HOST_UNKNOWN'],
  ['/api/v1/hosts/local/tree?at=', 'DENDRO_TIME_INVALID'],
  ['/api/v1/hosts/local/tree?at=then', 'DENDRO_TIME_INVALID'],
  ['/api/v1/hosts/local/tree?at=1&at=2', 'DENDRO_REQUEST_INVALID'],
  [`/api/v1/hosts/local/tree?at=${LONG}`, 'DENDRO_REQUEST_INVALID'],
  [`/api/v1/hosts/local/tree?at=${FAR}`, 'DENDRO_TIME_OUT_OF_RANGE'],
  ['/api/v1/hosts/local/tree?exited=perhaps', 'DENDRO_REQUEST_INVALID'],
  ...['processes', 'threads', 'lineage'].flatMap((kind): [string, ErrorCode][] => [
    [`/api/v1/${kind}/seven`, 'DENDRO_TASK_ID_INVALID'],
    [`/api/v1/${kind}/0`, 'DENDRO_TASK_ID_INVALID'],
    [`/api/v1/${kind}/-1`, 'DENDRO_TASK_ID_INVALID'],
    [`/api/v1/${kind}/e:4294967296`, 'DENDRO_TASK_ID_INVALID'],
    [`/api/v1/${kind}/pid:4194305`, 'DENDRO_TASK_ID_INVALID'],
    [`/api/v1/${kind}/${'1'.repeat(33)}`, 'DENDRO_REQUEST_INVALID'],
    [`/api/v1/${kind}/123456789`, 'DENDRO_TASK_UNKNOWN'],
    [`/api/v1/${kind}/pid:77`, 'DENDRO_TASK_UNKNOWN'],
    [`/api/v1/${kind}/e:1`, 'DENDRO_TASK_UNKNOWN'],
    [`/api/v1/${kind}/pid:10?at=${START}`, 'DENDRO_TASK_UNKNOWN'],
    [`/api/v1/${kind}/1?at=then`, 'DENDRO_TIME_INVALID'],
    [`/api/v1/${kind}/1?at=${FAR}`, 'DENDRO_TIME_OUT_OF_RANGE'],
  ]),
  ...['histogram', 'gaps', 'window'].flatMap((kind): [string, ErrorCode][] => [
    [`/api/v1/hosts/nowhere/${kind}`, 'DENDRO_HOST_UNKNOWN'],
    [`/api/v1/hosts/local/${kind}?from=then`, kind === 'window' ? 'DENDRO_HISTORY_OFF' : 'DENDRO_TIME_INVALID'],
    [`/api/v1/hosts/local/${kind}?from=${LONG}`, 'DENDRO_REQUEST_INVALID'],
    [
      `/api/v1/hosts/local/${kind}?from=-1s&to=-2s`,
      kind === 'window' ? 'DENDRO_HISTORY_OFF' : 'DENDRO_REQUEST_INVALID',
    ],
  ]),
  ['/api/v1/hosts/local/histogram?buckets=0', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/hosts/local/histogram?buckets=5001', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/hosts/local/search?q=', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/hosts/local/search?limit=10001', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/hosts/local/search?pid=-1', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/hosts/local/search?exitCode=256', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/hosts/local/diff', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/hosts/local/history', 'DENDRO_HISTORY_OFF'],
  ['/api/v1/hosts/local/export', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/hosts/local/export?format=svg&at=then', 'DENDRO_TIME_INVALID'],
  ['/api/v1/lineage/1?depth=-1', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/lineage/1?depth=many', 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/lineage/1?depth=10001', 'DENDRO_REQUEST_INVALID'],
  [EVENTS, 'DENDRO_REQUEST_INVALID', { method: 'POST' }],
  [EVENTS, 'DENDRO_REQUEST_INVALID', { method: 'POST', payload: 'x', headers: { 'content-type': 'no type' } }],
  ['/api/v1/hosts/nowhere/events', 'DENDRO_HOST_UNKNOWN', { method: 'POST', payload: '{}', headers: NDJSON }],
  [EVENTS, 'DENDRO_BODY_TOO_LARGE', { method: 'POST', payload: Buffer.alloc(2 ** 24 + 1, 'x'), headers: NDJSON }],
  [LIVE, 'DENDRO_REQUEST_INVALID'],
  ['/api/v1/hosts/nowhere/live', 'DENDRO_HOST_UNKNOWN'],
  ['/login', 'DENDRO_UNAUTHENTICATED', { method: 'POST', payload: { token: 'wrong' } }],
  ['/login', 'DENDRO_UNAUTHENTICATED', { method: 'POST', payload: {} }],
  [
    '/login',
    'DENDRO_REQUEST_INVALID',
    { method: 'POST', payload: '{', headers: { 'content-type': 'application/json' } },
  ],
  ['/login', 'DENDRO_REQUEST_INVALID', { method: 'POST', payload: 'x', headers: { 'content-type': 'image/png' } }],
  ['/login', 'DENDRO_BODY_TOO_LARGE', { method: 'POST', payload: { token: 'x'.repeat(5000) } }],
  ['/', 'DENDRO_UNAUTHENTICATED', { headers: { authorization: '' } }],
  ['/?token=wrong', 'DENDRO_UNAUTHENTICATED', { headers: { authorization: '' } }],
  // No web app was built here.
  ['/', 'DENDRO_ROUTE_UNKNOWN'],
])('%s is refused with %s', async (url, code, options) => {
  expect(await refusal({ url, ...options })).toEqual({ code, details: {} });
});

test.each(['processes', 'threads', 'lineage'])('%s of an entity id that two tasks have names both', async (kind) => {
  const tree = (await server.get('/api/v1/hosts/local/tree?exited=true')).json();
  const twins = (tree.tasks as { pid: number; entityId: number; taskId: number }[]).filter(({ pid }) => pid === 10);
  expect(new Set(twins.map(({ entityId }) => entityId)).size).toBe(1);
  const { code, details } = await refusal({ url: `/api/v1/${kind}/e:${twins[0]?.entityId}` });
  expect(code).toBe('DENDRO_TASK_AMBIGUOUS');
  expect((details['candidates'] as number[]).sort()).toEqual(twins.map(({ taskId }) => taskId).sort());
});

test('more questions than can wait are refused with a word on when to ask again, and the others answered', async () => {
  // While the worker reads this, no question is answered.
  const reading = server.post(Buffer.alloc(8 * 1024 * 1024, '{"eventName":"openat","a":[1,2,3]}\n'));
  const answers = await Promise.all(Array.from({ length: 60 }, () => server.get('/api/v1/hosts/local/tree')));
  await reading;
  const refused = answers.filter(({ statusCode }) => statusCode !== 200);
  expect(refused.length).toBeGreaterThan(0);
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(15);
  for (const answer of refused) {
    expect(answer.json()).toEqual({ code: 'DENDRO_BUSY', status: 429, message: ERRORS.DENDRO_BUSY.text });
    expect(answer.headers['retry-after']).toBe('1');
  }
});

describe('bytes that are no HTTP', () => {
  let port: number;
  beforeAll(async () => {
    port = Number(new URL(await server.app.listen({ port: 0, host: '127.0.0.1' })).port);
  });

  test.each([
    ['GARBAGE\r\n\r\n', 'This is no HTTP request.'],
    ['FOO / HTTP/1.1\r\nhost: localhost\r\n\r\n', 'This is no HTTP request.'],
    [
      `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      'The headers of the request are too large.',
    ],
  ])('%j', async (bytes, message) => {
    const text = await new Promise<string>((resolve, reject) => {
      let heard = '';
      const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(bytes));
      socket.setEncoding('utf8').on('data', (part) => {
        heard += part;
      });
      socket.on('close', () => resolve(heard));
      socket.on('error', reject);
    });
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(JSON.parse(body)).toEqual({ code: 'DENDRO_REQUEST_INVALID', status: 400, message });
  });

  test('an upgrade where there is no socket is refused as any request is', async () => {
    const refusals: [string, string][] = [
      ['/api/v1/nothing', 'DENDRO_ROUTE_UNKNOWN'],
      ['/api/v1/hosts/local/tree?at=then', 'DENDRO_TIME_INVALID'],
    ];
    for (const [path, code] of refusals) {
      const text = await new Promise<string>((resolve, reject) => {
        let heard = '';
        const head = [
          `GET ${path} HTTP/1.1`,
          'host: localhost',
          `authorization: ${SIGNED_IN.authorization}`,
          'connection: upgrade',
          'upgrade: websocket',
          'sec-websocket-version: 13',
          'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
        ];
        const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(`${head.join('\r\n')}\r\n\r\n`));
        socket.setEncoding('utf8').on('data', (part) => {
          heard += part;
        });
        socket.on('close', () => resolve(heard));
        socket.on('error', reject);
      });
      expect(text).toContain(`"code":"${code}"`);
    }
  });
});

test('a tree that has stopped is said to be so by everything that asks it', async () => {
  const stopped = await TestServer.start();
  await stopped.client.kill();
  for (const url of [
    '/readyz',
    '/api/v1/hosts/local/tree',
    '/api/v1/processes/1',
    '/api/v1/threads/1',
    '/api/v1/lineage/1',
  ]) {
    const answer = await stopped.get(url);
    expect([url, answer.statusCode, answer.json().code]).toEqual([url, 503, 'DENDRO_TREE_UNAVAILABLE']);
  }
  expect((await stopped.post('{}')).json()).toMatchObject({ code: 'DENDRO_TREE_UNAVAILABLE', status: 503 });
  expect((await stopped.get('/healthz')).statusCode).toBe(200);
  await stopped.app.close();
});
