import type { FastifyInstance } from 'fastify';
import type { TreeClient } from '../tree-worker/tree-client.ts';

/** `/healthz`: the process answers. `/readyz`: the tree is being fed, or was fed to the end. */
export function healthRoutes(app: FastifyInstance, client: TreeClient): void {
  app.get('/healthz', { schema: { summary: 'Does the server answer?' } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { summary: 'Is the tree being fed?' } }, async (_request, reply) => {
    const isReady = client.isRunning && client.status.source.state !== 'failed';
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not ready' });
  });
}
