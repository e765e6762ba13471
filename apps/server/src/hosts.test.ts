// Several hosts in one feed, through the whole server: each has its own tree,
// whichever way the events come.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerMessage } from '@dendro/protocol';
import { TraceeServer } from '@dendro/testkit';
import { afterAll, afterEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { exitLine, forkLine, SIGNED_IN, TestServer, type TraceeTask } from './test-server.ts';

const VECTOR = new URL('../../../packages/testkit/vectors/tracee/v1beta1.ndjson', import.meta.url);
const START = 1_561_000_000_000_000_000n;
const folder = mkdtempSync(join(tmpdir(), 'dendro-hosts-'));
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<TestServer> {
  const server = await TestServer.start(options);
  closing.push(() => server.stop());
  return server;
}

const at = (ms: number) => START + BigInt(ms) * 1_000_000n;
const born = (pid: number, ms: number): TraceeTask => ({ tid: pid, pid, start: at(ms) });
const of = (hostName: string, line: string) => JSON.stringify({ ...JSON.parse(line), hostName });

/** The same pids on each host, and other lives behind them. */
function storyOf(hostName: string, ms: number): string[] {
  const [init, child] = [born(1, ms), born(20, ms + 1)];
  const lines = [forkLine(at(ms + 1), init, child), forkLine(at(ms + 2), child, born(21, ms + 2))];
  return [...lines, exitLine(at(ms + 3), born(21, ms + 2))].map((line) => of(hostName, line));
}

/** Two at a time, one of each. */
function mixed(a: readonly string[], b: readonly string[]): string {
  return a.flatMap((line, i) => [line, b[i] ?? '']).join('\n');
}

interface Tree {
  readonly host: string;
  readonly tasks: readonly { pid: number; startTime: string; alive: boolean }[];
}

async function treeOf(server: TestServer, host: string): Promise<Tree> {
  return (await server.get(`/api/v1/hosts/${host}/tree?exited=true`)).json();
}

function livesOf({ tasks }: Tree): string[] {
  return tasks.map(({ pid, startTime, alive }) => `${pid} ${startTime} ${alive}`).sort();
}

const hostsOf = async (server: TestServer) =>
  (await server.get('/api/v1/hosts')).json().hosts as {
    id: string;
    name: string;
    source: { events: number; eventsPerSecond: number };
  }[];

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 8000; !(await isTrue()); ) {
    if (Date.now() > end) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('the rate of events of each host is told, and falls when nothing comes', async () => {
  const server = await start();
  await server.post(storyOf('n1', 0).join('\n'));
  await until(async () => (await hostsOf(server)).some(({ source }) => source.eventsPerSecond > 0));
  await until(async () => (await hostsOf(server)).every(({ source }) => source.eventsPerSecond === 0));
});

test('posted events of two hosts are two trees, each with its own lives behind the same pids', async () => {
  const server = await start();
  const answer = await server.post(mixed(storyOf('n1', 0), storyOf('n2', 500)));
  expect(answer.json()).toEqual({ accepted: 6, rejected: {} });
  for (const [host, ms] of [
    ['n1', 0],
    ['n2', 500],
  ] as const) {
    const alone = await start();
    await alone.post(storyOf(host, ms).join('\n'));
    const tree = await treeOf(server, host);
    expect(tree.host).toBe(host);
    expect(livesOf(tree)).toEqual(livesOf(await treeOf(alone, 'local')));
    const [init] = tree.tasks.filter(({ pid }) => pid === 1);
    const one = (await server.get(`/api/v1/hosts/${host}/processes/pid:1`)).json();
    expect(one.info.startTime).toBe(init?.startTime);
    const lineage = (await server.get(`/api/v1/hosts/${host}/lineage/pid:20`)).json();
    expect(lineage.lineage.at(-1).info.startTime).toBe(init?.startTime);
  }
  await until(async () => (await hostsOf(server)).every(({ source }) => source.events === 3));
  expect((await server.get('/api/v1/hosts')).json()).toMatchObject({
    hosts: [
      { id: 'n1', name: 'n1', href: '/api/v1/hosts/n1', newestAt: String(at(3)), gaps: 0, counts: { processes: 2 } },
      { id: 'n2', name: 'n2', href: '/api/v1/hosts/n2', newestAt: String(at(503)), counts: { maxProcesses: 1000 } },
    ].map((host) => ({ ...host, history: null })),
    returned: 2,
    total: 2,
  });
  const metrics = await server.metrics();
  expect(metrics.get('dendro_hosts')).toBe(2);
  for (const id of ['n1', 'n2']) {
    expect(metrics.get(`dendro_processes{host="${id}"}`)).toBe(2);
    expect(metrics.get(`dendro_events_total{host="${id}"}`)).toBe(3);
  }
});

test('local is the first host, also without a host in the address; another that is not there is said so', async () => {
  const server = await start();
  await server.post(mixed(storyOf('n1', 0), storyOf('n2', 500)));
  expect((await treeOf(server, 'local')).host).toBe('n1');
  const first = (await server.get('/api/v1/hosts/n1/processes/pid:20')).json();
  expect((await server.get('/api/v1/processes/pid:20')).json()).toEqual(first);
  for (const path of ['n3/tree', 'n3/live', 'n3/processes/1', 'N1/tree', '~006e1/tree', 'n1%00/tree']) {
    const answer = await server.get(`/api/v1/hosts/${path}`);
    expect([path, answer.json().code, answer.statusCode]).toEqual([path, 'DENDRO_HOST_UNKNOWN', 404]);
  }
});

test('a file of two hosts is two trees', async () => {
  const file = join(folder, 'two.ndjson');
  writeFileSync(file, mixed(storyOf('n1', 0), storyOf('n2', 500)));
  const server = await start({ source: `tracee:${file}` });
  expect(await server.client.untilComplete(8000)).toBe(true);
  expect((await hostsOf(server)).map(({ id, source }) => [id, source.events])).toEqual([
    ['n1', 3],
    ['n2', 3],
  ]);
  expect(livesOf(await treeOf(server, 'n2')).length).toBe(3);
});

test('what names no host is of the one that it is posted to, or of the one that the address names', async () => {
  const server = await start();
  const [line = ''] = readFileSync(VECTOR, 'utf8').split('\n');
  const post = (path: string) =>
    server.app.inject({ method: 'POST', url: `/api/v1/hosts/${path}`, payload: line, headers: SIGNED_IN });
  expect((await post('local/events?from=n%201')).json()).toEqual({ accepted: 1, rejected: {} });
  await post('local/events?from=n2');
  await post('n2/events');
  expect((await post('local/events')).json()).toEqual({ accepted: 0, rejected: { 'host-unknown': 1 } });
  await until(async () => (await hostsOf(server)).map(({ source }) => source.events).join() === '1,2');
  expect((await hostsOf(server)).map(({ id, name }) => [id, name])).toEqual([
    ['n~00201', 'n 1'],
    ['n2', 'n2'],
  ]);
  expect((await post(`local/events?from=${'x'.repeat(65)}`)).json().code).toBe('DENDRO_REQUEST_INVALID');
});

test('what is posted beside a source of this host is of it only if it says so, or says nothing', async () => {
  const server = await start({ source: 'procfs' });
  const now = BigInt(Date.now()) * 1_000_000n;
  const exit = (tid: number) => exitLine(now, { tid, pid: tid, start: now - 1000n });
  const lines = [of('elsewhere', exit(4_190_001)), of(hostname(), exit(4_190_002)), exit(4_190_003)];
  expect((await server.post(lines.join('\n'))).json()).toEqual({ accepted: 3, rejected: {} });
  const pids = async (host: string) => (await treeOf(server, host)).tasks.map(({ pid }) => pid);
  expect(await pids('elsewhere')).toEqual([4_190_001]);
  await until(async () => (await hostsOf(server))[1]?.source.events === 1); // told once a second
  expect(await pids('local')).toEqual(expect.arrayContaining([process.pid, 4_190_002, 4_190_003]));
  expect((await server.get('/api/v1/hosts')).json().hosts).toMatchObject([
    { id: 'local', name: hostname(), isLive: true, source: { name: 'procfs' }, users: { 0: 'root' } },
    { id: 'elsewhere', isLive: true, source: { name: 'posted', events: 1 }, users: {} },
  ]);
});

test('each of several gRPC servers is a host', async () => {
  const lines = readFileSync(VECTOR, 'utf8').trim().split('\n');
  const servers = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const tracee = await TraceeServer.start(`unix:${join(folder, `${name}.sock`)}`);
      closing.push(() => tracee.stop());
      return tracee;
    }),
  );
  const source = `tracee-grpc:${servers.map(({ address }, i) => `web-${i}=${address}`).join(',')}`;
  const server = await start({ source });
  expect((await hostsOf(server)).map(({ id }) => id)).toEqual(['web-0', 'web-1']);
  await until(() => servers.every(({ calls }) => calls.length === 1));
  servers[0]?.send(lines);
  servers[1]?.send(lines.slice(0, 1));
  await until(async () => (await hostsOf(server)).map(({ source }) => source.events).join() === `${lines.length},1`);
  const [all, some] = [livesOf(await treeOf(server, 'web-0')), livesOf(await treeOf(server, 'web-1'))];
  expect(some.length).toBeGreaterThan(0);
  expect(all.length).toBeGreaterThan(some.length);
});

test('a group of gRPC servers of which one is not there does not start', async () => {
  const tracee = await TraceeServer.start(`unix:${join(folder, 'c.sock')}`);
  closing.push(() => tracee.stop());
  const source = `tracee-grpc:${tracee.address},unix:${join(folder, 'missing.sock')}`;
  await expect(TestServer.start({ source })).rejects.toMatchObject({ code: 'DENDRO_SOURCE_UNAVAILABLE' });
});

test('hostile names are hosts like others, and none takes the place of another', async () => {
  const server = await start();
  const names = ['n1', 'local', '..', '.', 'a/b', 'a%2fb', '<img src=x>', '\u001b[2J', 'n1 ', 'N1', '💣', '?x=1#y'];
  await server.post(names.map((name, i) => of(name, forkLine(at(i), born(1, 0), born(100 + i, i)))).join('\n'));
  await server.post(of('y'.repeat(65), exitLine(at(50), born(1, 0))));
  const hosts = await hostsOf(server);
  expect(hosts.map(({ name }) => name)).toEqual(names);
  expect(new Set(hosts.map(({ id }) => id)).size).toBe(names.length);
  for (const [i, { id }] of hosts.entries()) {
    expect(id).toMatch(/^[A-Za-z0-9._~-]+$/);
    expect((await treeOf(server, id)).tasks.map(({ pid }) => pid)).toContain(100 + i);
  }
  await until(() => server.client.first.status.source.rejected['bad-host-name'] === 1);
});

test('hosts beyond the bound have no tree, are counted, and are said', async () => {
  const server = await start({ maxHosts: 2 });
  const lines = ['n1', 'n2', 'n3', 'n4', 'n1'].map((name, i) => of(name, exitLine(at(i), born(5, 0))));
  expect((await server.post(lines.join('\n'))).json()).toEqual({ accepted: 3, rejected: { 'too-many-hosts': 2 } });
  expect((await hostsOf(server)).length).toBe(2);
  await until(() => server.client.hosts.every(({ status }) => status.source.notices[0]?.includes(': 2 events')));
  expect(server.client.hosts[1]?.status.source.notices[0]).toMatch(/more than 2 hosts: 2 events of others .* n3, n4\./);
  const rejected = async () => (await server.metrics()).get('dendro_rejected_total{host="n1",reason="too-many-hosts"}');
  await until(async () => (await rejected()) === 2);
});

test('the socket of a host tells of it alone, and of hosts that appear', async () => {
  const server = await start();
  const origin = await server.app.listen({ port: 0, host: '127.0.0.1' });
  const open = (host: string) => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/api/v1/hosts/${host}/live?format=json`, {
      headers: { authorization: SIGNED_IN.authorization },
    });
    closing.push(() => socket.terminate());
    const said: (ServerMessage | { type: 'batch' | 'snapshot'; facts: { tid?: number }[] })[] = [];
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(String(data));
      said.push(message);
      if (message.type === 'hello') socket.send('{"type":"subscribe"}');
    });
    const tids = () => said.flatMap((one) => ('facts' in one ? one.facts.flatMap(({ tid }) => tid ?? []) : []));
    const hosts = () => said.flatMap((one) => (one.type === 'hosts' ? [one.hosts.map(({ id }) => id)] : []));
    return { tids, hosts };
  };
  await server.post(storyOf('n1', 0).join('\n'));
  const first = open('n1');
  await until(() => first.tids().includes(20));
  expect(first.hosts()).toEqual([]);
  await server.post(of('n2', forkLine(at(9), born(1, 8), born(40, 9))));
  await until(() => first.hosts().length > 0);
  expect(first.hosts()[0]).toEqual(['n1', 'n2']);
  const second = open('n2');
  await until(() => second.tids().includes(40));
  expect(second.hosts()[0]).toEqual(['n1', 'n2']);
  await server.post(of('n1', forkLine(at(10), born(1, 0), born(30, 10))));
  await until(() => first.tids().includes(30));
  expect(first.tids()).not.toContain(40);
  expect(second.tids()).not.toContain(20);
});

test('a recording holds one host: each goes to a file of its own', async () => {
  const file = join(folder, 'feed.dendro');
  const server = await start({ recording: { file, isForced: false } });
  const long = '/'.repeat(64);
  await server.post(mixed(storyOf('n1', 0), storyOf('n2', 500)));
  await server.post(of(long, exitLine(at(0), born(5, 0))));
  const told = livesOf(await treeOf(server, 'n2'));
  await server.client.stop();
  for (const [name, path] of [
    ['n1', file],
    ['n2', join(folder, 'feed.n2.dendro')],
  ] as const) {
    const replayed = await start({ source: `replay:${path}` });
    expect(await replayed.client.untilComplete(8000)).toBe(true);
    expect(replayed.client.first.info.name).toBe(name);
    if (name === 'n2') expect(livesOf(await treeOf(replayed, 'local'))).toEqual(told);
  }
  expect(existsSync(join(folder, 'feed.host2.dendro'))).toBe(true);
});
