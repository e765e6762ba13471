// The browser's own socket is tested in a browser (e2e); here, what is done
// when, with a socket that the test holds.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Replica } from '../replica/replica.ts';
import { Connection } from './connection.ts';

const HOST = { id: 'local', name: 'here', baseEpochNs: '1700000000000000000', isLive: true, users: {} };

class TestSocket {
  readyState = 1;
  binaryType = '';
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: string[] = [];

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = 3;
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

let sockets: TestSocket[];
let status: number;
let isServerUp: boolean;
let replica: Replica;
let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  status = 200;
  isServerUp = true;
  replica = new Replica(() => 0);
  connection = new Connection({
    replica,
    origin: 'http://127.0.0.1:7337',
    fetch: async () => {
      if (!isServerUp) throw new TypeError('refused');
      return Response.json({ hosts: [HOST] }, { status });
    },
    openSocket: (url) => {
      expect(url).toBe('ws://127.0.0.1:7337/api/v1/hosts/local/live');
      const socket = new TestSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    random: () => 1,
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

test('without the cookie it does not try again and again', async () => {
  status = 401;
  await connection.connect();
  expect(connection.status).toEqual({ kind: 'signed-out' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets).toEqual([]);
});

test('a lost socket is opened again, later and later while the server is away, at most every ten seconds', async () => {
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
  expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  isServerUp = true;
  await vi.advanceTimersByTimeAsync(10_000);
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
