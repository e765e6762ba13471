// What a history is asked that one instant does not answer: stretches of time, searches, differences.

import type { Ancestor, HistoryGap, LifeQuery } from '@dendro/history';
import { DendroError } from '@dendro/protocol';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { EpochRange } from '../history/epoch-range.ts';
import type { HostHistory } from '../history/host-history.ts';
import { WHY } from '../history/past-tree.ts';
import { bytesOf, cutReason, windowOf } from '../history/window.ts';
import { type DifferenceJson, differenceJson } from '../tree-worker/difference-json.ts';
import type { HostClient } from '../tree-worker/host-client.ts';
import type { DifferenceQuestion } from '../tree-worker/messages.ts';
import type { MemoryStretch } from '../tree-worker/stretch.ts';
import { epochTimeFrom } from '../tree-worker/time-text.ts';
import type { TreeClient } from '../tree-worker/tree-client.ts';
import { At, HostId, Ns, Nullable, Problem, TIME_FORMS } from './schemas.ts';

const MAX_BUCKETS = 5000;
const MAX_GAPS = 10_000;
const MAX_LIVES = 10_000;
const MAX_DEPTH = 64;
const MAX_TEXTS = 32;
/** Each is looked up by itself. */
const MAX_WITH_ANCESTORS = 100;
const MAX_CHANGES = 10_000;

const From = Type.Optional(Type.String({ maxLength: 64, description: `${TIME_FORMS}; otherwise the oldest` }));
const To = At;
const Gap = Type.Object({
  from: Ns,
  to: Ns,
  lost: Type.Integer({ description: 'Events at least; 0 where nobody can tell' }),
  why: Type.String({
    description:
      'source (lost events), stopped or killed (dendro did not run), disk (could not be written), overload, damaged',
  }),
});
const Counts = Type.Array(Type.Integer());
const Life = Type.Object({
  taskId: Type.Integer(),
  pid: Type.Integer(),
  creatorTaskId: Nullable(Type.Integer()),
  startTime: Ns,
  exitTime: Nullable(Ns),
  exitCode: Nullable(Type.Integer()),
  signal: Nullable(Type.Integer()),
  since: Type.String({ description: 'Since when it was as below, epoch nanoseconds' }),
  knownFrom: Type.String({ description: 'First instant of it that can be asked about, epoch nanoseconds' }),
  comm: Nullable(Type.String()),
  path: Nullable(Type.String()),
  cmd: Nullable(Type.Array(Type.String())),
  uid: Nullable(Type.Integer()),
  containerId: Nullable(Type.String()),
  ancestors: Nullable(
    Type.Array(
      Type.Object({ taskId: Type.Integer(), pid: Type.Integer(), comm: Nullable(Type.String()), startTime: Ns }),
      { description: 'The nearest first, each as it was when it started the one below it; null where not looked up' },
    ),
  ),
});
const Rest = {
  returned: Type.Integer(),
  total: Type.Integer(),
  reason: Nullable(Type.String({ description: 'Why not all are returned' })),
};
const DifferentTask = {
  taskId: Type.Integer(),
  kind: Type.Union([Type.Literal('process'), Type.Literal('thread')]),
  pid: Type.Integer(),
  tid: Type.Integer(),
  comm: Nullable(Type.String()),
  uid: Nullable(Type.Integer()),
  startTime: Ns,
  exitTime: Nullable(Ns),
  exitCode: Nullable(Type.Integer()),
  signal: Nullable(Type.Integer()),
};
const Parent = Type.Object({ taskId: Type.Integer(), pid: Type.Integer(), comm: Nullable(Type.String()) });
const problems = { 400: Problem, 404: Problem, 410: Problem, 429: Problem, 503: Problem };
const Text = Type.Optional(Type.String({ minLength: 1, maxLength: 1024 }));
const Time = Type.Optional(Type.String({ maxLength: 64, description: TIME_FORMS }));
const Uint32 = Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff }));

/** `histogram`, `gaps`, `search`, `diff`, `window` and `history` of `GET /api/v1/hosts/{host}/`. */
export const historyRoutes: FastifyPluginAsyncTypebox<{ readonly client: TreeClient }> = async (app, { client }) => {
  const root = '/api/v1/hosts/:host';

  app.get(
    `${root}/histogram`,
    {
      schema: {
        summary:
          'How many processes began, ran something and ended in each part of a stretch of time, and what was found',
        params: HostId,
        querystring: Type.Object({
          from: From,
          to: To,
          buckets: Type.Integer({ default: 500, minimum: 1, maximum: MAX_BUCKETS, description: 'About so many' }),
        }),
        response: {
          200: Type.Object({
            firstNs: Type.String({ description: 'When the first bucket begins, epoch nanoseconds' }),
            bucketNs: Type.String({ description: 'Nanoseconds of each, whole seconds' }),
            births: Counts,
            execs: Counts,
            exits: Counts,
            findings: Type.Array(Type.Integer(), { description: '0 as long as nothing finds anything' }),
            gaps: Type.Array(Gap, { description: `Of which something is missing; the newest ${MAX_GAPS}` }),
            oldest: Nullable(Ns),
            newest: Nullable(Ns),
          }),
          ...problems,
        },
      },
    },
    async ({ params, query: { from, to, buckets } }) => {
      const host = client.host(params.host);
      const range = rangeOf(host, from, to);
      const { history } = host;
      if (history === undefined) {
        const { counts, gaps, oldest, newest } = await fromMemory(host, { kind: 'counts', ...range, buckets });
        if (counts === undefined) throw new Error('counts were asked for');
        return {
          ...counts,
          births: [...counts.births],
          execs: [...counts.execs],
          exits: [...counts.exits],
          findings: counts.births.map(() => 0),
          gaps: [...gaps],
          oldest,
          newest,
        };
      }
      const [counts, gaps, { oldestEpochNs, newestEpochNs }] = await Promise.all([
        history.ask({ kind: 'histogram', ...range, buckets }),
        history.ask({ kind: 'gaps', ...range }),
        history.ask({ kind: 'state' }),
      ]);
      return {
        firstNs: String(counts.firstEpochNs),
        bucketNs: String(counts.bucketNs),
        births: [...counts.births],
        execs: [...counts.execs],
        exits: [...counts.exits],
        findings: counts.births.map(() => 0),
        gaps: gaps.slice(-MAX_GAPS).map(gapJson),
        oldest: textOf(oldestEpochNs),
        newest: textOf(newestEpochNs),
      };
    },
  );

  app.get(
    `${root}/gaps`,
    {
      schema: {
        summary: 'Of which times something is missing, and why',
        params: HostId,
        querystring: Type.Object({ from: From, to: To }),
        response: { 200: Type.Object({ gaps: Type.Array(Gap), ...Rest }), ...problems },
      },
    },
    async ({ params, query: { from, to } }) => {
      const host = client.host(params.host);
      const range = rangeOf(host, from, to);
      const gaps =
        host.history === undefined
          ? (await fromMemory(host, { kind: 'gaps', ...range })).gaps
          : (await host.history.ask({ kind: 'gaps', ...range })).map(gapJson);
      const newest = gaps.slice(-MAX_GAPS);
      return { gaps: newest, returned: newest.length, total: gaps.length, reason: limitReason(newest, gaps.length) };
    },
  );

  app.get(
    `${root}/search`,
    {
      schema: {
        summary: 'Processes of any time, the newest first; all that is asked for has to hold at once',
        params: HostId,
        querystring: Type.Object({
          q: Type.Optional(
            Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), {
              maxItems: MAX_TEXTS,
              description: 'In name, path, command line or container, whatever the case; several all have to be',
            }),
          ),
          from: Type.Optional(Type.String({ maxLength: 64, description: 'Lived at that time or later' })),
          to: Type.Optional(Type.String({ maxLength: 64, description: 'Lived at that time or before' })),
          limit: Type.Integer({ default: 100, minimum: 1, maximum: MAX_LIVES }),
          ancestors: Type.Integer({
            default: 16,
            minimum: 0,
            maximum: MAX_DEPTH,
            description: `How many of each are given, of the first ${MAX_WITH_ANCESTORS} lives`,
          }),
          pid: Uint32,
          parentPid: Uint32,
          uid: Uint32,
          comm: Text,
          path: Text,
          commandLine: Text,
          container: Text,
          exitCode: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
          signal: Type.Optional(Type.Integer({ minimum: 0, maximum: 64, description: '0: ended by none' })),
          startedAfter: Time,
          startedBefore: Time,
          endedAfter: Time,
          endedBefore: Time,
        }),
        response: { 200: Type.Object({ lives: Type.Array(Life), ...Rest }), ...problems },
      },
    },
    async ({ params, query: { ancestors: depth, ...asked } }) => {
      const host = client.host(params.host);
      const {
        q: [text, ...andTexts] = [],
        from,
        to,
        startedAfter,
        startedBefore,
        endedAfter,
        endedBefore,
        ...fields
      } = asked;
      const time = (asked: string | undefined) =>
        asked === undefined ? undefined : epochTimeFrom(asked, host.epochNow);
      const query: LifeQuery = {
        ...fields,
        text,
        andTexts,
        fromEpochNs: time(from),
        toEpochNs: time(to),
        startedAfterEpochNs: time(startedAfter),
        startedBeforeEpochNs: time(startedBefore),
        endedAfterEpochNs: time(endedAfter),
        endedBeforeEpochNs: time(endedBefore),
      };
      const history = historyOf(host);
      const { lives, total } = await history.ask({ kind: 'search', query });
      const looked = depth > 0 ? lives.slice(0, MAX_WITH_ANCESTORS) : [];
      const known = looked.map(({ taskId, knownFromEpochNs }) => ({ taskId, knownFromEpochNs }));
      const ancestors = await history.ask({ kind: 'ancestors', lives: known, depth });
      return {
        lives: lives.map((life, i) => ({
          taskId: life.taskId,
          pid: life.pid,
          creatorTaskId: life.creatorTaskId ?? null,
          startTime: String(life.startEpochNs),
          exitTime: textOf(life.endEpochNs),
          exitCode: life.exitCode ?? null,
          signal: life.signal ?? null,
          since: String(life.sinceEpochNs),
          knownFrom: String(life.knownFromEpochNs),
          comm: life.comm ?? null,
          path: life.path ?? null,
          cmd: life.argv === undefined ? null : [...life.argv],
          uid: life.uid ?? null,
          containerId: life.container ?? null,
          ancestors: ancestors[i]?.map(ancestorJson) ?? null,
        })),
        returned: lives.length,
        total,
        reason: limitReason(lives, total),
      };
    },
  );

  app.get(
    `${root}/diff`,
    {
      schema: {
        summary: 'What is different between two instants; who began and ended in between is not in it',
        params: HostId,
        querystring: Type.Object({
          a: Type.String({ maxLength: 64, description: TIME_FORMS }),
          b: To,
          limit: Type.Integer({ default: 1000, minimum: 1, maximum: MAX_CHANGES, description: 'Of each list' }),
          threads: Type.Boolean({ default: false, description: 'Also of threads' }),
        }),
        response: {
          200: Type.Object({
            a: Ns,
            b: Ns,
            born: Type.Array(Type.Object(DifferentTask), { description: 'Who lives at b and not at a' }),
            died: Type.Array(Type.Object(DifferentTask), { description: 'Who lives at a and not at b' }),
            changed: Type.Array(
              Type.Object({
                ...DifferentTask,
                fields: Type.Array(Type.Object({ field: Type.String(), from: Type.Any(), to: Type.Any() }), {
                  description: 'Values at a and at b; null where not known',
                }),
              }),
            ),
            reparented: Type.Array(Type.Object({ ...DifferentTask, from: Nullable(Parent), to: Nullable(Parent) })),
            counts: Type.Object({
              born: Type.Integer(),
              died: Type.Integer(),
              changed: Type.Integer(),
              reparented: Type.Integer(),
            }),
            ...Rest,
          }),
          ...problems,
        },
      },
    },
    async ({ params, query: { a, b, limit, threads } }) => {
      const host = client.host(params.host);
      const { fromEpochNs: firstEpochNs, toEpochNs: secondEpochNs } = rangeOf(host, a, b, ['a', 'b']);
      const question = { firstEpochNs, secondEpochNs, options: { limit, threads } };
      const { lacks, ...difference } = await differenceBetween(host, question);
      const { born, died, changed, reparented, counts } = difference;
      const returned = born.length + died.length + changed.length + reparented.length;
      const total = counts.born + counts.died + counts.changed + counts.reparented;
      const cut = returned < total ? [`Of each list these are the first ${limit}: counts has how many there are.`] : [];
      const reason = [...cut, ...lacks].join(' ') || null;
      return { a: String(firstEpochNs), b: String(secondEpochNs), ...difference, returned, total, reason };
    },
  );

  app.get(
    `${root}/window`,
    {
      schema: {
        summary: 'Facts about everyone who mattered at some time in between: what a page scrubs in',
        description:
          'A repetition of u32 little-endian length and a batch of facts of that length. x-dendro-base-epoch-ns is what their times count from; x-dendro-oldest-epoch-ns is the first instant of the history. x-dendro-from-epoch-ns is the first instant about which it knows all: where that is later than the one asked for, x-dendro-reason says why.',
        produces: ['application/octet-stream'],
        params: HostId,
        querystring: Type.Object({ from: From, to: To }),
        response: { ...problems, 413: Problem },
      },
    },
    async ({ params, query: { from, to } }, reply) => {
      const host = client.host(params.host);
      const history = historyOf(host);
      const range = rangeOf(host, from, to);
      const found = await windowOf(history, range);
      const { baseEpochNs, fromEpochNs } = found;
      const reason = cutReason(range, found, history.oldestEpochNs);
      return reply
        .headers({
          'x-dendro-base-epoch-ns': String(baseEpochNs),
          'x-dendro-oldest-epoch-ns': String(history.oldestEpochNs ?? baseEpochNs),
          'x-dendro-from-epoch-ns': String(fromEpochNs),
          ...(reason === null ? {} : { 'x-dendro-reason': reason }),
          'cache-control': 'no-store',
        })
        .type('application/octet-stream')
        .send(bytesOf(found) as never);
    },
  );

  app.get(
    `${root}/history`,
    {
      schema: {
        summary: 'What is recorded of the host',
        params: HostId,
        response: {
          200: Type.Object({
            state: Type.String({ description: 'recording, stopped (see problem) or closed' }),
            problem: Nullable(Type.String()),
            oldest: Nullable(Ns),
            newest: Nullable(Ns),
            written: Nullable(
              Type.String({ description: 'What was told until then is on the disk, epoch nanoseconds' }),
            ),
            bytes: Type.Integer({ description: 'Of the file' }),
            facts: Type.Integer(),
            openLives: Type.Integer({ description: 'Living, just ended, or others are known through them' }),
            pendingBytes: Type.Integer({ description: 'Not on the disk yet' }),
            droppedBatches: Type.Integer({ description: 'Could not be kept: see gaps' }),
            damagedParts: Type.Integer(),
          }),
          ...problems,
        },
      },
    },
    async ({ params }) => {
      const history = historyOf(client.host(params.host));
      const now = await history.ask({ kind: 'state' });
      const { state, oldestEpochNs, newestEpochNs, fileBytes, facts, openLives, pendingBytes, damagedParts } = now;
      const { droppedBatches } = history.state; // also those that the thread has never seen
      return {
        state: history.problem === undefined ? state : 'stopped',
        problem: history.problem ?? null,
        oldest: textOf(oldestEpochNs),
        newest: textOf(newestEpochNs),
        written: textOf(now.writtenEpochNs),
        bytes: fileBytes,
        ...{ facts, openLives, pendingBytes, droppedBatches, damagedParts },
      };
    },
  );
};

/** @throws DendroError DENDRO_HISTORY_OFF */
export function historyOf({ history, info, status, isOfCommand }: HostClient): HostHistory {
  if (history !== undefined) return history;
  if (isOfCommand) {
    throw new DendroError(
      'DENDRO_HISTORY_OFF',
      'dendro run keeps no history, its tree is in memory: tree?at=, diff, histogram and gaps answer from that, and export?format=recording&from=-1h makes a recording of it.',
    );
  }
  const why = info.isLive
    ? `start dendro without --no-history, and with a source of this host${status.source.name === 'none' ? ' or with --data-dir' : ''}`
    : 'it is a recording already';
  throw new DendroError('DENDRO_HISTORY_OFF', `Nothing is recorded of this host: ${why}.`);
}

/** @throws DendroError DENDRO_TIME_INVALID, DENDRO_REQUEST_INVALID */
export function rangeOf(
  host: HostClient,
  from: string | undefined,
  to: string,
  [first, last]: readonly [string, string] = ['from', 'to'],
): EpochRange {
  const toEpochNs = epochTimeFrom(to, host.epochNow);
  const fromEpochNs = from === undefined ? oldestOf(host, toEpochNs) : epochTimeFrom(from, host.epochNow);
  if (fromEpochNs <= toEpochNs) return { fromEpochNs, toEpochNs };
  throw new DendroError('DENDRO_REQUEST_INVALID', `The time "${first}" is after the time "${last}".`);
}

/** Memory reaches back by some minutes at least, and nobody has to know by how many. */
function oldestOf({ history, info }: HostClient, toEpochNs: bigint): bigint {
  const oldest = history?.oldestEpochNs ?? BigInt(info.baseEpochNs);
  return oldest < toEpochNs ? oldest : toEpochNs;
}

async function fromMemory(host: HostClient, question: Parameters<HostClient['ask']>[0]): Promise<MemoryStretch> {
  return JSON.parse(Buffer.from(await host.ask(question)).toString()) as MemoryStretch;
}

async function differenceBetween(host: HostClient, question: DifferenceQuestion): Promise<DifferenceJson> {
  const { history } = host;
  if (history === undefined) {
    return JSON.parse(Buffer.from(await host.ask({ kind: 'difference', ...question })).toString()) as DifferenceJson;
  }
  const instants = [question.firstEpochNs, question.secondEpochNs];
  const [difference, ...gaps] = await Promise.all([
    history.ask({ kind: 'difference', ...question }),
    ...instants.map((epochNs) => history.ask({ kind: 'gaps', fromEpochNs: epochNs, toEpochNs: epochNs })),
  ]);
  return differenceJson(difference, [...new Set(gaps.flat().map(({ why }) => WHY[why]))]);
}

function ancestorJson({ taskId, pid, comm, startEpochNs }: Ancestor) {
  return { taskId, pid, comm: comm ?? null, startTime: String(startEpochNs) };
}

function gapJson({ fromEpochNs, toEpochNs, lost, why }: HistoryGap) {
  return { from: String(fromEpochNs), to: String(toEpochNs), lost, why };
}

function textOf(epochNs: bigint | undefined): string | null {
  return epochNs === undefined ? null : String(epochNs);
}

function limitReason({ length }: readonly unknown[], total: number): string | null {
  return length >= total ? null : `Of ${total} these are the newest ${length}.`;
}
