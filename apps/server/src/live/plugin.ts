// `GET /api/v1/hosts/{host}/live`: the WebSocket.

import { DendroError, toError } from '@dendro/protocol';
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import type { TreeClient } from '../tree-worker/tree-client.ts';
import type { LiveHub } from './hub.ts';
import { LiveHubs } from './hubs.ts';
import type { Socket } from './session.ts';

/** The largest message that a client has reason to send is a few dozen bytes. */
const MAX_CLIENT_MESSAGE = 4096;
const PING_MS = 15_000;

export async function livePlugin(app: FastifyInstance, { client }: { readonly client: TreeClient }): Promise<void> {
  const hubs = new LiveHubs(client);
  await app.register(websocket, {
    options: { maxPayload: MAX_CLIENT_MESSAGE, perMessageDeflate: false },
    errorHandler: (_error, socket) => socket.terminate(),
  });
  app.addHook('preClose', async () => hubs.close());

  app.route<{ Params: { host: string }; Querystring: { format?: string } }>({
    method: 'GET',
    url: '/api/v1/hosts/:host/live',
    schema: { hide: true },
    handler: ({ params }) => {
      client.host(params.host);
      throw new DendroError('DENDRO_REQUEST_INVALID', 'This is the live socket: open it as a WebSocket.');
    },
    wsHandler: (socket, request) => {
      // First of all: a socket error without a listener would end the server.
      socket.on('error', () => socket.terminate());
      const hub = hubOr(hubs, request.params.host, socket);
      if (hub === undefined) return;
      const session = hubs.join(hub, socket, request.query.format === 'json');
      let isAnswering = true;
      const pings = setInterval(() => {
        if (!isAnswering) socket.terminate();
        isAnswering = false;
        socket.ping();
      }, PING_MS);
      socket.on('pong', () => {
        isAnswering = true;
      });
      socket.on('close', () => {
        clearInterval(pings);
        hub.leave(session);
      });
      socket.on('message', (data: Buffer, isBinary: boolean) => {
        if (isBinary) session.end(1003, 'DENDRO_MESSAGE_INVALID');
        else session.hear(data.toString('utf8'));
      });
    },
  });
}

/** @returns undefined when there is no such host, which the socket is told */
function hubOr(hubs: LiveHubs, id: string, socket: Socket): LiveHub | undefined {
  try {
    return hubs.hubOf(id);
  } catch (thrown) {
    const error = toError(thrown);
    if (!(error instanceof DendroError)) throw error;
    socket.send(JSON.stringify({ type: 'error', code: error.code, message: error.message }));
    socket.close(1008, error.code);
    return undefined;
  }
}
