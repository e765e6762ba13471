import { type EventNs, epochOf } from '@dendro/protocol';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { HostHistory } from '../history/host-history.ts';
import type { HostClient } from '../tree-worker/host-client.ts';
import type { TreeClient } from '../tree-worker/tree-client.ts';
import { At, HostId, Ns, Nullable, Problem } from './schemas.ts';

const Host = Type.Object({
  id: Type.String({ description: 'Made of the name, or `local`, which also always means the first' }),
  name: Type.String({ description: 'As the feed says it: any text of up to 64 characters' }),
  baseEpochNs: Ns,
  isLive: Type.Boolean(),
  users: Type.Record(Type.String(), Type.String()),
  oldestEpochNs: Type.Optional(
    Type.String({ description: 'First instant of the history, epoch nanoseconds; absent without one' }),
  ),
  ownPids: Type.Array(Type.Integer(), { description: 'Of the processes of Dendro on this host' }),
  href: Type.String(),
  source: Type.Object({
    name: Type.String(),
    state: Type.String({ description: 'starting, running, ended or failed' }),
    detail: Type.String(),
    events: Type.Integer({ description: 'Taken in, of this host' }),
    eventsPerSecond: Type.Integer({ description: 'Of the last second' }),
    lost: Type.Integer(),
    rejected: Type.Record(Type.String(), Type.Integer(), {
      description: 'By reason; what is of no host in particular is counted with the first',
    }),
    notices: Type.Array(Type.String()),
  }),
  counts: Type.Object({
    processes: Type.Integer({ description: 'Living' }),
    threads: Type.Integer({ description: 'Living, leaders included' }),
    tasks: Type.Integer({ description: 'In memory, ended ones too' }),
    maxProcesses: Type.Integer({ description: 'May be in memory; each host has as much' }),
    maxThreads: Type.Integer(),
    evicted: Type.Integer(),
  }),
  newestAt: Nullable(Type.String({ description: 'Time of the newest event, epoch nanoseconds' })),
  lagSeconds: Nullable(Type.Number({ description: 'How long ago the newest event of a live host was' })),
  gaps: Type.Integer({ description: 'Spans of time in which events were lost' }),
  history: Nullable(
    Type.Object({
      state: Type.String({ description: 'recording, stopped (see problem) or closed' }),
      problem: Nullable(Type.String()),
      oldest: Nullable(Ns),
      newest: Nullable(Ns),
      bytes: Type.Integer({ description: 'Of the file' }),
    }),
    'What is recorded; null where nothing is',
  ),
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
      const hosts = client.hosts.map(hostJson);
      return { hosts, returned: hosts.length, total: hosts.length, reason: null };
    },
  );

  app.get(
    '/api/v1/hosts/:host/tree',
    {
      schema: {
        summary: 'The tree as of an instant, as a flat list with parent ids',
        params: HostId,
        querystring: Type.Object({
          at: At,
          exited: Type.Boolean({ default: false, description: 'Also tasks that had ended by then' }),
        }),
        response: {
          200: Type.Intersect([
            Type.Object({ host: Type.String(), at: Ns, version: Type.Integer() }),
            listOf('tasks', Task),
            Type.Object({
              lacks: Type.Array(
                Type.Object({
                  why: Type.String({
                    description:
                      'As of gaps, or before (dendro watched), evicted (from memory), exited (those that had ended are left out)',
                  }),
                  nearest: Nullable(
                    Type.String({ description: 'The nearest instant for which that does not hold, epoch nanoseconds' }),
                  ),
                }),
                { description: 'What reason says, for programs' },
              ),
            }),
          ]),
          400: Problem,
          404: Problem,
          410: Problem,
          429: Problem,
        },
      },
    },
    async (request, reply) => {
      const host = client.host(request.params.host);
      const json = await host.ask({ kind: 'tree', at: request.query.at, withExited: request.query.exited });
      // The worker has made the JSON: bytes are passed on as they are.
      return reply.type('application/json; charset=utf-8').send(Buffer.from(json) as never);
    },
  );
};

function hostJson({ info, status, history }: HostClient) {
  const { source, counts, stats, now, newest } = status;
  const { name, state, detail, events, lost, rejected, notices } = source;
  const { processes, threads, tasks, maxProcesses, maxThreads } = counts;
  const { oldestEpochNs, ...known } = info;
  return {
    ...known,
    ...(oldestEpochNs === undefined ? {} : { oldestEpochNs }),
    ownPids: [...(info.ownPids ?? [])],
    href: `/api/v1/hosts/${info.id}`,
    source: {
      name,
      state,
      detail,
      events,
      eventsPerSecond: stats.eventsPerSecond,
      lost,
      rejected: { ...rejected },
      notices: [...notices],
    },
    counts: { processes, threads, tasks, maxProcesses, maxThreads, evicted: stats.evicted },
    newestAt: newest === undefined ? null : epochText(info, newest),
    lagSeconds: newest === undefined || !info.isLive ? null : (now - newest) / 1e9,
    gaps: counts.gaps,
    history: history === undefined ? null : historyJson(history),
  };
}

function historyJson({ state: { state, oldestEpochNs, newestEpochNs, fileBytes }, problem }: HostHistory) {
  return {
    state: problem === undefined ? state : 'stopped',
    problem: problem ?? null,
    oldest: oldestEpochNs === undefined ? null : String(oldestEpochNs),
    newest: newestEpochNs === undefined ? null : String(newestEpochNs),
    bytes: fileBytes,
  };
}

function epochText({ baseEpochNs }: HostClient['info'], time: EventNs): string {
  return String(epochOf({ epochNs: BigInt(baseEpochNs) }, time));
}
