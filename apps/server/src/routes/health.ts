import { DendroError } from '@dendro/protocol';
import type { FastifyInstance } from 'fastify';
import { problemOf } from '../errors.ts';
import type { TreeClient } from '../tree-worker/tree-client.ts';

/** `/healthz`: the process answers. `/readyz`: the tree is being fed, or was fed to the end. */
export function healthRoutes(app: FastifyInstance, client: TreeClient): void {
  app.get('/healthz', { schema: { summary: 'Does the server answer?' } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { summary: 'Is the tree being fed?' } }, async (_request, reply) => {
    if (client.isRunning && client.first.status.source.state !== 'failed') return { status: 'ready' };
    // Not thrown: whoever asks does so every few seconds, and the log is not for that.
    const error = new DendroError('DENDRO_TREE_UNAVAILABLE', 'The tree is not being fed.');
    return reply.code(error.status).send(problemOf(error));
  });
}
