// Feeds of Tracee through the whole server: which host's they are, files that
// go on being written, and a gRPC server that is not there.

import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { SIGNED_IN, TestServer, traceeLine } from './test-server.ts';

const THEN = 1_561_000_000_123_456_789n;
const folder = mkdtempSync(join(tmpdir(), 'dendro-feeds-'));
const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(options: Parameters<typeof TestServer.start>[0]): Promise<TestServer> {
  const server = await TestServer.start(options);
  servers.push(server);
  return server;
}

const line = (pid: number, hostName: string) =>
  `${traceeLine('sched_process_exec', THEN + BigInt(pid), { tid: pid, pid, start: THEN }, {}, { hostName })}\n`;

async function pidsOf(server: TestServer): Promise<number[]> {
  const { tasks } = (await server.get('/api/v1/hosts/local/tree')).json();
  return (tasks as { pid: number }[]).map(({ pid }) => pid).sort((a, b) => a - b);
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 8000; !(await isTrue()); ) {
    if (Date.now() > end) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('what the feed says of containers is told of the host that they are on', async () => {
  const server = await start({});
  const created = traceeLine(
    'container_create',
    THEN,
    { tid: 30, pid: 30 },
    { container_id: 'abc' },
    { hostName: 'n1' },
  );
  await server.post(line(20, 'n1') + line(21, 'n2') + created);
  const notices = () => server.client.hosts.map(({ status }) => status.source.notices);
  await until(() => (notices()[0] ?? []).length === 1 && notices().length === 2);
  expect(notices()[0]?.[0]).toMatch(/^1 container is named in it: abc\./);
  expect(notices()[1]).toEqual([]);
});

test('--host-from picks the host, of what is posted and of a file', async () => {
  const posted = await start({ hostFrom: ['n2'] });
  await posted.post(line(20, 'n1') + line(21, 'n2'));
  expect(await pidsOf(posted)).toEqual([21]);
  expect(posted.client.hosts.length).toBe(1);

  const file = join(folder, 'many.ndjson');
  writeFileSync(file, line(20, 'n1') + line(21, 'n2') + line(22, 'n1'));
  const read = await start({ source: `tracee:${file}`, hostFrom: ['n2'] });
  expect(await read.client.untilComplete(8000)).toBe(true);
  expect(await pidsOf(read)).toEqual([21]);
  expect(read.client.first.info).toMatchObject({ name: 'n2', isLive: false });
  expect((await read.get('/api/v1/hosts')).body).toContain('"n2"');
});

test('a file that is followed grows in the tree, and is ready before its end is known', async () => {
  const file = join(folder, 'growing.ndjson');
  writeFileSync(file, line(20, 'n1'));
  const server = await start({ source: `tracee:${file}`, follow: true });
  expect(await server.client.untilComplete(8000)).toBe(true);
  expect(await pidsOf(server)).toEqual([20]);
  appendFileSync(file, line(21, 'n1'));
  await until(async () => (await pidsOf(server)).length === 2);
  expect(server.client.first.info).toMatchObject({ name: 'n1', isLive: true });
  expect((await server.app.inject({ url: '/readyz', headers: SIGNED_IN })).statusCode).toBe(200);
});

test('where no Tracee listens, the server says so and does not start', async () => {
  const source = `tracee-grpc:unix:${join(folder, 'missing.sock')}`;
  await expect(TestServer.start({ source })).rejects.toMatchObject({
    code: 'DENDRO_SOURCE_UNAVAILABLE',
    message: expect.stringMatching(/there is no such socket/),
  });
  await expect(TestServer.start({ source: 'tracee-grpc:nonsense' })).rejects.toMatchObject({
    code: 'DENDRO_OPTION_INVALID',
  });
});
