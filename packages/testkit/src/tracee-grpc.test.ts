// Tracee's gRPC stream, from a real server to the tree.

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessTree } from '@dendro/engine';
import { DendroError, type TaskEvent } from '@dendro/protocol';
import { HostSplit, TraceeDecoder, TraceeGrpcSource } from '@dendro/sources';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { messageOf, TraceeServer } from './tracee-server.ts';
import { describeTree } from './tree-text.ts';

const VECTORS = join(import.meta.dirname, '../vectors/tracee');
const linesOf = (vector: string) =>
  readFileSync(join(VECTORS, `${vector}.ndjson`), 'utf8')
    .trim()
    .split('\n');

let folder: string;
let closing: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-grpc-'));
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  rmSync(folder, { recursive: true });
});

async function serve(address: string): Promise<TraceeServer> {
  const server = await TraceeServer.start(address);
  closing.push(() => server.stop());
  return server;
}

async function listen(address: string): Promise<{ source: TraceeGrpcSource; host: ProcessTree; events: TaskEvent[] }> {
  const source = new TraceeGrpcSource(address, { hosts: new HostSplit(), firstPauseMs: 20 });
  closing.push(() => source.stop());
  const host = new ProcessTree();
  const events: TaskEvent[] = [];
  await source.start((event) => {
    events.push(event);
    host.apply(event);
  });
  return { source, host, events };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !isTrue(); ) {
    if (Date.now() > end) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function fromLines(lines: readonly string[]): { host: ProcessTree; events: TaskEvent[] } {
  const host = new ProcessTree();
  const events: TaskEvent[] = [];
  const decoder = new TraceeDecoder((event) => {
    events.push(event);
    host.apply(event);
  });
  decoder.push(Buffer.from(lines.join('\n')));
  decoder.end();
  return { host, events };
}

const ADDRESSES: [string, () => string][] = [
  ['a unix socket', () => `unix:${join(folder, 'tracee.sock')}`],
  ['tcp', () => '127.0.0.1:0'],
];

test.each(ADDRESSES)(
  'over %s a stream that breaks in the middle gives the tree of the file',
  async (_over, address) => {
    for (const vector of ['v1beta1', 'v1beta1-threads']) {
      const lines = linesOf(vector);
      const middle = lines.length >> 1;
      const first = await serve(address());
      const { source, host, events } = await listen(first.address);
      await until(() => first.calls.length === 1);
      expect(source.status()).toMatchObject({ state: 'running', lost: 0 });
      expect(source.status().detail).toMatch(/: connected since \d{4}-/);
      first.send(lines.slice(0, middle));
      await until(() => source.status().events === middle);

      first.stop();
      await until(() => source.status().detail.includes('reconnecting since'));
      const second = await serve(first.address);
      await until(() => second.calls.length === 1);
      second.send(lines.slice(middle));
      await until(() => source.status().events === lines.length);

      const file = fromLines(lines);
      const gaps = events.filter(({ type }) => type === 'gap');
      expect(gaps).toEqual([{ type: 'gap', from: expect.any(Number), to: expect.any(Number), lost: 0 }]);
      expect(events.filter(({ type }) => type !== 'gap')).toEqual(file.events);
      expect(describeTree(host.tree)).toEqual(describeTree(file.host.tree));
      expect(source.status()).toMatchObject({ state: 'running', rejected: {} });
      expect(source.status().notices.join()).toMatch(/broke once, for \d+\.\d s in all .*nobody knows how much/);
      await source.stop();
      second.stop();
    }
  },
);

test('what is no event of the tree is counted, whatever is in it, and the stream goes on', async () => {
  const server = await serve('127.0.0.1:0');
  const { source } = await listen(server.address);
  await until(() => server.calls.length === 1);
  const [call] = server.calls;
  call?.write({});
  call?.write({ event: { name: 'security_file_open', data: [{ name: 'pathname', str: '/x' }] } });
  call?.write({ event: { name: 'sched_process_exit' } });
  call?.write({
    event: { name: 'sched_process_exit', timestamp: { seconds: '-9223372036854775808', nanos: -1 }, workload: {} },
  });
  server.send(linesOf('v1beta1').slice(-1));
  await until(() => source.status().events === 1);
  expect(source.status().rejected).toEqual({
    'not-an-object': 1,
    'not-a-lifecycle-event': 1,
    'missing-field': 1,
    'bad-timestamp': 1,
  });
});

test('a long stream comes whole and in order, and the server never has much more underway than was taken', async () => {
  const server = await serve(`unix:${join(folder, 'tracee.sock')}`);
  const { source } = await listen(server.address);
  await until(() => server.calls.length === 1);
  const count = 20_000;
  const exit = linesOf('v1beta1').at(-1) ?? '';
  const [call] = server.calls;
  let underway = 0;
  for (let sent = 0; sent < count; sent++) {
    const hasRoom = call?.write({ event: messageOf(exit) });
    underway = Math.max(underway, sent - source.status().events);
    if (hasRoom === false) await once(call as NonNullable<typeof call>, 'drain');
  }
  await until(() => source.status().events === count);
  expect(source.status()).toMatchObject({ rejected: {} });
  expect(underway).toBeLessThan(5000);
});

test.each([
  ['no socket', () => `unix:${join(folder, 'missing.sock')}`, /there is no such socket/],
  ['no listener', () => '127.0.0.1:1', /nobody listens there/],
])('where there is %s, the start fails with one sentence', async (_what, address, sentence) => {
  const source = new TraceeGrpcSource(address());
  const thrown = await source.start(() => {}).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(DendroError);
  expect(thrown).toMatchObject({ code: 'DENDRO_SOURCE_UNAVAILABLE' });
  expect((thrown as DendroError).message).toMatch(sentence);
  expect((thrown as DendroError).message).toMatch(/^Tracee cannot be heard at [^\n]*--server grpc[^\n]*\.$/);
  expect(source.status().state).toBe('failed');
});

test('a gRPC server of something else is refused with one sentence', async () => {
  const other = new Server();
  const port = await new Promise<number>((resolve, reject) => {
    other.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  closing.push(() => other.forceShutdown());
  await expect(new TraceeGrpcSource(`127.0.0.1:${port}`).start(() => {})).rejects.toThrow(/is no Tracee/);
});

test('addresses are those of sockets and ports', () => {
  for (const address of [
    '',
    'tracee.sock',
    'http://x:1',
    'host',
    'host:0',
    'host:70000',
    'unix:',
    'a b:1',
    'dns:///x:1',
  ]) {
    expect(() => new TraceeGrpcSource(address)).toThrow(/no address of Tracee's gRPC server/);
  }
  const isLocal = (address: string) => new TraceeGrpcSource(address).isLocal;
  expect(['unix:/run/tracee.sock', '127.0.0.1:4466', 'localhost:4466', '[::1]:4466'].map(isLocal)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(isLocal('n1.example:4466')).toBe(false);
  expect(new TraceeGrpcSource('n1.example:4466').status().notices.join()).toMatch(/n1\.example is not encrypted/);
});

test('policies are passed on, and by default all events are asked for', async () => {
  const server = await serve('127.0.0.1:0');
  for (const policies of [[], ['tree', 'more']]) {
    const source = new TraceeGrpcSource(server.address, { policies });
    closing.push(() => source.stop());
    await source.start(() => {});
    expect(server.calls.at(-1)?.request).toEqual(policies.length === 0 ? {} : { policies });
  }
});

test('a source that is stopped lets go of the connection, also while it waits to make it again', async () => {
  const server = await serve('127.0.0.1:0');
  const { source } = await listen(server.address);
  await until(() => server.calls.length === 1);
  server.stop();
  await until(() => source.status().detail.includes('reconnecting'));
  await source.stop();
  await source.stop();
  const again = await serve(server.address);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(again.calls).toEqual([]);
  expect(source.status().state).toBe('ended');
});
