// The browser's own socket is tested in a browser (e2e); here, what is done
// when, with a socket that the test holds.

import { BatchWriter, type EventNs, encodeFrame, type Version } from '@dendro/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Replica } from '../replica/replica.ts';
import { Connection } from './connection.ts';

const HOST = { id: 'local', name: 'here', baseEpochNs: '1700000000000000000', isLive: true, users: {} };

const OTHER = { ...HOST, id: 'n2', name: 'there' };

class TestSocket {
  readyState = 1;
  binaryType = '';
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: string[] = [];

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = 3;
  }

  frame(kind: 'batch' | 'snapshot', from: number, to: number, batch = new BatchWriter().finish()): void {
    const header = { kind, isLast: true, from: from as Version, to: to as Version, now: 0 as EventNs };
    this.onmessage?.({ data: encodeFrame({ ...header, batch }).buffer });
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

let sockets: TestSocket[];
let status: number;
let isServerUp: boolean;
let wanted: string | undefined;
let urls: string[];
let replica: Replica;
let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  status = 200;
  isServerUp = true;
  wanted = undefined;
  urls = [];
  replica = new Replica(() => 0);
  connection = new Connection({
    replica,
    origin: 'http://127.0.0.1:7337',
    fetch: async () => {
      if (!isServerUp) throw new TypeError('refused');
      const source = { name: 'procfs', state: 'running' };
      return Response.json({ hosts: [HOST, OTHER].map((host) => ({ ...host, source })) }, { status });
    },
    openSocket: (url) => {
      urls.push(url);
      const socket = new TestSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    random: () => 1,
    wantedHost: () => wanted,
  });
});
afterEach(() => {
  connection.stop();
  vi.useRealTimers();
});

const last = () => sockets.at(-1)!;

async function greeted(): Promise<TestSocket> {
  await connection.connect();
  last().say({ type: 'hello', protocol: 1, host: HOST, version: 0 });
  return last();
}

test('after the greeting it subscribes and is connected', async () => {
  const socket = await greeted();
  expect(socket.sent).toEqual(['{"type":"subscribe"}']);
  expect(connection.status.kind).toBe('connected');
});

const SOCKET = 'ws://127.0.0.1:7337/api/v1/hosts';

test('the first host is shown, or the one that is wanted, and another one as soon as it is', async () => {
  await greeted();
  expect(urls).toEqual([`${SOCKET}/local/live`]);
  expect(connection.hosts.map(({ id, source, state }) => [id, source, state])).toEqual([
    ['local', 'procfs', 'running'],
    ['n2', 'procfs', 'running'],
  ]);
  wanted = 'n2';
  connection.restart();
  await vi.waitFor(() => expect(sockets).toHaveLength(2));
  expect(urls[1]).toBe(`${SOCKET}/n2/live`);
  last().say({ type: 'hello', protocol: 1, host: OTHER, version: 5 });
  expect(last().sent).toEqual(['{"type":"subscribe"}']);
  expect(replica.host?.name).toBe('there');
});

test('a host that the server does not have is waited for', async () => {
  wanted = 'n3';
  await connection.connect();
  expect(connection.status).toMatchObject({ kind: 'waiting', missingHost: 'n3', reason: 'The server has no host n3.' });
  expect(connection.hosts.length).toBe(2);
  expect(sockets).toEqual([]);
  wanted = 'n2';
  await vi.advanceTimersByTimeAsync(250);
  expect(urls).toEqual([`${SOCKET}/n2/live`]);
});

test('which hosts there are is told again on the socket', async () => {
  const socket = await greeted();
  const told = vi.fn();
  connection.subscribe(told);
  const hosts = [{ id: 'local', name: 'here', isLive: true, source: 'none', state: 'running' }];
  socket.say({ type: 'hosts', hosts });
  expect(connection.hosts).toEqual(hosts);
  expect(told).toHaveBeenCalledOnce();
});

test('without the cookie it does not try again and again', async () => {
  status = 401;
  await connection.connect();
  expect(connection.status).toEqual({ kind: 'signed-out' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets).toEqual([]);
});

test('a lost socket is opened again, later and later while the server is away, at least every two seconds', async () => {
  const socket = await greeted();
  isServerUp = false;
  socket.onclose?.();
  const delays: number[] = [];
  for (let i = 0; i < 8; i++) {
    const { status } = connection;
    if (status.kind !== 'waiting') throw new Error(`not waiting but ${status.kind}`);
    delays.push(status.retryAt - Date.now());
    await vi.advanceTimersByTimeAsync(status.retryAt - Date.now());
  }
  expect(delays).toEqual([250, 500, 1000, 2000, 2000, 2000, 2000, 2000]);
  isServerUp = true;
  await vi.advanceTimersByTimeAsync(2000);
  await vi.waitFor(() => expect(sockets).toHaveLength(2));
  last().say({ type: 'hello', protocol: 1, host: HOST, version: 0 });
  expect(connection.status.kind).toBe('connected');
});

test('silence is a loss too', async () => {
  const socket = await greeted();
  await vi.advanceTimersByTimeAsync(5000);
  socket.say({ type: 'stats', now: 0 });
  await vi.advanceTimersByTimeAsync(5000);
  expect(connection.status.kind).toBe('connected');
  await vi.advanceTimersByTimeAsync(1500);
  expect(connection.status.kind).not.toBe('connected');
  expect(socket.readyState).toBe(3);
});

test('a hidden page asks for nothing, expects no word, and catches up when it is seen again', async () => {
  const socket = await greeted();
  connection.pause();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(connection.status.kind).toBe('connected');
  connection.resume();
  expect(socket.sent.slice(1)).toEqual(['{"type":"pause"}', '{"type":"resume"}']);
});

test('something that is no message ends the socket, and it is tried again', async () => {
  const socket = await greeted();
  socket.onmessage?.({ data: 'gibberish' });
  expect(connection.status.kind).toBe('waiting');
});

async function snapshotAt(version: number): Promise<TestSocket> {
  const socket = await greeted();
  socket.say({ type: 'resync', reason: 'first' });
  socket.frame('snapshot', 0, version);
  expect(replica.version).toBe(version);
  socket.sent.length = 0;
  return socket;
}

test('after a loss it asks for what it missed', async () => {
  const socket = await snapshotAt(7);
  socket.onclose?.();
  await vi.advanceTimersByTimeAsync(250);
  last().say({ type: 'hello', protocol: 1, host: HOST, version: 9 });
  expect(last().sent).toEqual(['{"type":"subscribe","version":7}']);
});

test('a batch that does not come makes it ask for everything, once', async () => {
  const socket = await snapshotAt(7);
  socket.frame('batch', 9, 10);
  expect(socket.sent).toEqual([]);
  for (let from = 10; from < 30; from++) socket.frame('batch', from, from + 1);
  expect(socket.sent).toEqual(['{"type":"subscribe"}']);
  socket.say({ type: 'resync', reason: 'first' });
  socket.frame('snapshot', 0, 30);
  socket.frame('batch', 30, 31);
  expect([replica.version, connection.status.kind]).toEqual([31, 'connected']);
  expect(socket.sent).toEqual(['{"type":"subscribe"}']);
});

test('what could not be read is not asked for again', async () => {
  const socket = await snapshotAt(7);
  socket.frame('batch', 7, 8, new Uint8Array(40));
  expect(connection.status.kind).toBe('waiting');
  await vi.advanceTimersByTimeAsync(250);
  last().say({ type: 'hello', protocol: 1, host: HOST, version: 8 });
  expect(last().sent).toEqual(['{"type":"subscribe"}']);
});

test('a server that greets and ends the connection again and again is asked less and less often', async () => {
  const delays: number[] = [];
  await greeted();
  for (let i = 0; i < 4; i++) {
    last().onclose?.();
    const { status } = connection;
    if (status.kind !== 'waiting') throw new Error(`not waiting but ${status.kind}`);
    delays.push(status.retryAt - Date.now());
    await vi.advanceTimersByTimeAsync(status.retryAt - Date.now());
    last().say({ type: 'hello', protocol: 1, host: HOST, version: 0 });
  }
  expect(delays).toEqual([250, 500, 1000, 2000]);
  for (let second = 0; second < 10; second++) {
    await vi.advanceTimersByTimeAsync(1000);
    last().say({ type: 'stats', now: 0 });
  }
  last().onclose?.();
  expect(connection.status).toMatchObject({ retryAt: Date.now() + 250 });
});

test('two who ask at once get one socket', async () => {
  await Promise.all([connection.connect(), connection.connect()]);
  expect(sockets).toHaveLength(1);
});

test('asked to begin anew, it leaves the socket and asks for everything', async () => {
  const socket = await snapshotAt(7);
  connection.restart();
  await vi.waitFor(() => expect(sockets).toHaveLength(2));
  expect(socket.readyState).toBe(3);
  last().say({ type: 'hello', protocol: 1, host: HOST, version: 9 });
  expect(last().sent).toEqual(['{"type":"subscribe"}']);
});

test('a page that shows something else has left, comes back only when asked to, and then asks for everything', async () => {
  await snapshotAt(7);
  connection.leave();
  expect(connection.status).toEqual({ kind: 'left' });
  await connection.connect();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets).toHaveLength(1);
  connection.restart();
  await vi.waitFor(() => expect(sockets).toHaveLength(2));
  last().say({ type: 'hello', protocol: 1, host: HOST, version: 9 });
  expect(last().sent).toEqual(['{"type":"subscribe"}']);
});

test('who leaves while the server is looked for does not open a socket', async () => {
  const looking = connection.connect();
  connection.leave();
  await looking;
  expect([connection.status.kind, sockets.length]).toEqual(['left', 0]);
});

test('a server without a host is asked again', async () => {
  connection.stop();
  connection = new Connection({
    replica,
    origin: 'http://127.0.0.1:7337',
    fetch: async () => Response.json({ hosts: [] }),
    openSocket: () => {
      throw new Error('there is nothing to open');
    },
    random: () => 1,
    wantedHost: () => wanted,
  });
  await connection.connect();
  expect(connection.status).toMatchObject({ kind: 'waiting', reason: 'The server watches no host yet.' });
});
