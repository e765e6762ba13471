import { DendroError } from '@dendro/protocol';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { TreeClient } from '../tree-worker/tree-client.ts';
import { At, Ns, Nullable, Problem } from './schemas.ts';

const Host = Type.Object({
  id: Type.String(),
  name: Type.String(),
  baseEpochNs: Ns,
  isLive: Type.Boolean(),
  users: Type.Record(Type.String(), Type.String()),
  href: Type.String(),
});
const Task = Type.Object({
  taskId: Type.Integer(),
  entityId: Type.Integer({ description: "Tracee's entity id: an alias that can collide" }),
  kind: Type.Union([Type.Literal('process'), Type.Literal('thread')]),
  pid: Type.Integer(),
  tid: Type.Integer(),
  parentTaskId: Nullable(Type.Integer()),
  leaderTaskId: Nullable(Type.Integer()),
  comm: Nullable(Type.String()),
  path: Nullable(Type.String()),
  uid: Nullable(Type.Integer()),
  startTime: Ns,
  exitTime: Nullable(Ns),
  exitCode: Nullable(Type.Integer()),
  signal: Nullable(Type.Integer()),
  alive: Type.Boolean(),
  kernelThread: Type.Boolean(),
  placeholder: Type.Boolean({ description: 'Known only because something else mentioned it' }),
});
const listOf = <T extends Parameters<typeof Type.Array>[0]>(key: string, item: T) =>
  Type.Object({
    [key]: Type.Array(item),
    returned: Type.Integer(),
    total: Type.Integer(),
    reason: Nullable(Type.String({ description: 'Why not all are returned, or why some may be missing' })),
  });

/** `GET /api/v1/hosts` and `GET /api/v1/hosts/{host}/tree`. */
export const hostRoutes: FastifyPluginAsyncTypebox<{ readonly client: TreeClient }> = async (app, { client }) => {
  app.get(
    '/api/v1/hosts',
    { schema: { summary: 'The hosts that are watched', response: { 200: listOf('hosts', Host) } } },
    async () => {
      const { host } = client;
      return { hosts: [{ ...host, href: `/api/v1/hosts/${host.id}` }], returned: 1, total: 1, reason: null };
    },
  );

  app.get(
    '/api/v1/hosts/:host/tree',
    {
      schema: {
        summary: 'The tree as of an instant, as a flat list with parent ids',
        params: Type.Object({ host: Type.String() }),
        querystring: Type.Object({
          at: At,
          exited: Type.Boolean({ default: false, description: 'Also tasks that had ended by then' }),
        }),
        response: {
          200: Type.Intersect([
            Type.Object({ host: Type.String(), at: Ns, version: Type.Integer() }),
            listOf('tasks', Task),
          ]),
          400: Problem,
          404: Problem,
          429: Problem,
        },
      },
    },
    async (request, reply) => {
      const { host } = request.params;
      if (host !== client.host.id)
        throw new DendroError('DENDRO_HOST_UNKNOWN', `There is no host "${host.slice(0, 64)}".`);
      const json = await client.ask({ kind: 'tree', at: request.query.at, withExited: request.query.exited });
      // The worker has made the JSON: bytes are passed on as they are.
      return reply.type('application/json; charset=utf-8').send(Buffer.from(json) as never);
    },
  );
};
