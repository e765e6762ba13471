import { DendroError } from '@dendro/protocol';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { TreeClient } from '../tree-worker/tree-client.ts';
import { HostId, Problem } from './schemas.ts';

const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** `POST /api/v1/hosts/{host}/events`: lines of Tracee, in either dialect, or the one event of a webhook. */
export const eventRoutes: FastifyPluginAsyncTypebox<{ readonly client: TreeClient }> = async (app, { client }) => {
  // Bytes as they are, whatever they are called: numbers of 64 bits would not survive the usual parsers, and
  // `curl --data-binary` says that it sends a form.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) =>
    done(null, body),
  );
  app.post(
    '/api/v1/hosts/:host/events',
    {
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        summary: "Take in Tracee's events: NDJSON, or a single event as its webhook sends it",
        params: HostId,
        querystring: Type.Object({
          from: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 64,
              description:
                'Name of the host that those events are of which do not say it; otherwise the one of the address',
            }),
          ),
        }),
        response: {
          200: Type.Object({
            accepted: Type.Integer({ description: 'Events that were taken in' }),
            rejected: Type.Record(Type.String(), Type.Integer(), { description: 'Lines that were not, by reason' }),
          }),
          400: Problem,
          404: Problem,
          413: Problem,
          429: Problem,
        },
      },
    },
    async (request, reply) => {
      const host = client.host(request.params.host);
      if (!Buffer.isBuffer(request.body))
        throw new DendroError('DENDRO_REQUEST_INVALID', 'The body is empty: send lines of JSON.');
      const { from: name } = request.query;
      // Whatever the first host is called, `local` is also where the events of all are posted.
      const number = request.params.host === host.info.id ? host.number : undefined;
      const json = await host.ask({ kind: 'events', ndjson: new Uint8Array(request.body), to: { number, name } });
      return reply.type('application/json; charset=utf-8').send(Buffer.from(json) as never);
    },
  );
};
