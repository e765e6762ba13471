// `GET /api/v1/hosts/{host}/live`: the WebSocket.

import { DendroError } from '@dendro/protocol';
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import type { TreeClient } from '../tree-worker/tree-client.ts';
import { LiveHub } from './hub.ts';

/** The largest message that a client has reason to send is a few dozen bytes. */
const MAX_CLIENT_MESSAGE = 4096;
const PING_MS = 15_000;

export async function livePlugin(app: FastifyInstance, { client }: { readonly client: TreeClient }): Promise<void> {
  const hub = new LiveHub(client);
  await app.register(websocket, {
    options: { maxPayload: MAX_CLIENT_MESSAGE, perMessageDeflate: false },
    errorHandler: (_error, socket) => socket.terminate(),
  });
  app.addHook('preClose', async () => hub.close());

  app.route<{ Params: { host: string }; Querystring: { format?: string } }>({
    method: 'GET',
    url: '/api/v1/hosts/:host/live',
    schema: { hide: true },
    handler: ({ params }) => {
      if (params.host !== client.host.id) throw new DendroError('DENDRO_HOST_UNKNOWN');
      throw new DendroError('DENDRO_REQUEST_INVALID', 'This is the live socket: open it as a WebSocket.');
    },
    wsHandler: (socket, request) => {
      // First of all: a socket error without a listener would end the server.
      socket.on('error', () => socket.terminate());
      const session = hub.join(socket, request.query.format === 'json');
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
      if (request.params.host !== client.host.id) {
        session.say({
          type: 'error',
          code: 'DENDRO_HOST_UNKNOWN',
          message: new DendroError('DENDRO_HOST_UNKNOWN').message,
        });
        session.end(1008, 'DENDRO_HOST_UNKNOWN');
      }
    },
  });
}
