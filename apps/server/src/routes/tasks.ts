import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Question } from '../tree-worker/messages.ts';
import type { TreeClient } from '../tree-worker/tree-client.ts';
import { At, HostId, Ns, Nullable, Problem } from './schemas.ts';

const MAX_DEPTH = 10_000;

const Id = Type.Object({
  id: Type.String({ maxLength: 32, description: 'A task id, `e:ENTITY_ID`, or `pid:PID` (as of the time)' }),
});
const File = Type.Object({
  path: Type.String(),
  device: Type.Optional(Type.Integer()),
  inode: Type.Optional(Type.String()),
  ctime: Type.Optional(Ns),
  mode: Type.Optional(Type.Integer()),
  hash: Type.Optional(Type.String({ description: 'sha256 of the contents; with --hash, or where the feed says it' })),
  links: Type.Optional(
    Type.Integer({ description: 'Names that the file had: 0 of one that was deleted or in memory only' }),
  ),
});
const RelatedTask = Type.Object({ tid: Type.Integer(), taskId: Type.Integer(), entityId: Type.Integer() });
const Trimmed = Type.Array(Type.String(), {
  description: 'Fields whose value of that time is no longer kept: they read as not known',
});
const KNOWN_FROM = 'event, sighting (seen, as in /proc) or inferred';
const Common = {
  taskId: Type.Integer(),
  entityId: Type.Integer(),
  pid: Type.Integer(),
  nsTid: Nullable(Type.Integer()),
  nsPid: Nullable(Type.Integer()),
  pidNs: Nullable(Type.Integer({ description: 'Inode of the pid namespace that nsTid and nsPid are of' })),
  uid: Nullable(Type.Integer()),
  gid: Nullable(Type.Integer()),
  euid: Nullable(Type.Integer({ description: 'Effective user: whose rights it has' })),
  egid: Nullable(Type.Integer()),
  startTime: Ns,
  exitTime: Nullable(Ns),
  exitCode: Nullable(Type.Integer()),
  signal: Nullable(Type.Integer()),
  isAlive: Type.Boolean(),
  placeholder: Type.Boolean(),
  trimmed: Trimmed,
};
const Process = Type.Object({
  timestamp: Ns,
  info: Type.Object({
    ...Common,
    ppid: Type.Integer({ description: '0 where there is no parent or none is known' }),
    nsPpid: Nullable(Type.Integer({ description: "The parent's pid in its own namespace" })),
    parentTaskId: Nullable(Type.Integer()),
    parentEntityId: Nullable(Type.Integer()),
    parentSince: Nullable(Type.String({ description: 'Since when it has that parent, epoch nanoseconds' })),
    parentSource: Nullable(Type.String({ description: `How the parent is known: ${KNOWN_FROM}` })),
    comm: Nullable(Type.String()),
    cmd: Nullable(Type.Array(Type.String())),
    executionBinary: Nullable(File),
    interpreter: Nullable(File),
    interp: Nullable(Type.String()),
    cwd: Nullable(Type.String()),
    containerId: Nullable(Type.String()),
    execTime: Nullable(Ns),
    threadIds: Type.Array(RelatedTask, { description: 'Living threads, the leader first' }),
    childProcessIds: Type.Array(RelatedTask, { description: 'Living children, in no order' }),
    isEvicted: Type.Boolean({ description: 'No longer in memory but for what its descendants have from it' }),
    source: Type.String({ description: `How its existence is known: ${KNOWN_FROM}` }),
  }),
});
const Thread = Type.Object({
  timestamp: Ns,
  info: Type.Object({
    ...Common,
    tid: Type.Integer(),
    processTaskId: Nullable(Type.Integer()),
    processEntityId: Nullable(Type.Integer()),
    name: Nullable(Type.String()),
  }),
});
const Lineage = Type.Object({
  timestamp: Ns,
  lineage: Type.Array(Process, { description: 'The process, then each parent at the start of its child' }),
  returned: Type.Integer(),
  end: Type.String({
    description: 'Why there are no more: root, unknown (who the parent is), depth, evicted or trimmed',
  }),
});
const problems = { 400: Problem, 404: Problem, 409: Problem, 410: Problem };

export interface TaskRoutesOptions {
  readonly client: TreeClient;
  /** Of the host in the address, or, without one, of the first? */
  readonly hasHost: boolean;
}

/** `GET /api/v1/hosts/{host}/processes/{id}`, `threads/{id}`, `lineage/{id}`; without a host, those of the first. */
export const taskRoutes: FastifyPluginAsyncTypebox<TaskRoutesOptions> = async (app, { client, hasHost }) => {
  const root = hasHost ? '/api/v1/hosts/:host' : '/api/v1';
  const params = hasHost ? Type.Intersect([HostId, Id]) : Id;
  // The worker has made the JSON: bytes are passed on as they are.
  const ask = async (about: object, question: Question) => {
    const host = 'host' in about ? client.host(String(about.host)) : client.first;
    return Buffer.from(await host.ask(question)) as never;
  };

  app.get(
    `${root}/processes/:id`,
    {
      schema: {
        summary: 'Everything known of a process as of an instant',
        params,
        querystring: Type.Object({ at: At }),
        response: { 200: Process, ...problems },
      },
    },
    async ({ params, query }, reply) =>
      reply
        .type('application/json; charset=utf-8')
        .send(await ask(params, { kind: 'process', id: params.id, at: query.at })),
  );

  app.get(
    `${root}/threads/:id`,
    {
      schema: {
        summary: 'Everything known of a thread as of an instant',
        params,
        querystring: Type.Object({ at: At }),
        response: { 200: Thread, ...problems },
      },
    },
    async ({ params, query }, reply) =>
      reply
        .type('application/json; charset=utf-8')
        .send(await ask(params, { kind: 'thread', id: params.id, at: query.at })),
  );

  app.get(
    `${root}/lineage/:id`,
    {
      schema: {
        summary: 'What started it, and what started that',
        params,
        querystring: Type.Object({
          at: At,
          depth: Type.Integer({ default: 64, minimum: 0, maximum: MAX_DEPTH, description: 'Ancestors at most' }),
        }),
        response: { 200: Lineage, ...problems },
      },
    },
    async ({ params, query }, reply) =>
      reply
        .type('application/json; charset=utf-8')
        .send(await ask(params, { kind: 'lineage', id: params.id, at: query.at, depth: query.depth })),
  );
};
