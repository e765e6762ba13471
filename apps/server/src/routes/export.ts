import { Readable } from 'node:stream';
import { DendroError } from '@dendro/protocol';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { MemoryRecordings } from '../export/memory-recording.ts';
import { TREE_FORMATS, type TreeFormat } from '../export/tree-export.ts';
import { recordingOf } from '../export/window-recording.ts';
import type { TreeClient } from '../tree-worker/tree-client.ts';
import { rangeOf } from './history.ts';
import { At, HostId, Problem, TIME_FORMS } from './schemas.ts';

const TYPES: Readonly<Record<TreeFormat, string>> = {
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  dot: 'text/vnd.graphviz; charset=utf-8',
  svg: 'image/svg+xml; charset=utf-8',
  text: 'text/plain; charset=utf-8',
};

export interface ExportRoutesOptions {
  readonly client: TreeClient;
  readonly version: string;
}

/** `GET /api/v1/hosts/{host}/export`: the tree as of an instant, or a stretch of the history, or without one what is in memory, as a file. */
export const exportRoutes: FastifyPluginAsyncTypebox<ExportRoutesOptions> = async (app, { client, version }) => {
  const memory = new MemoryRecordings();
  app.get(
    '/api/v1/hosts/:host/export',
    {
      schema: {
        summary:
          'The tree as of an instant as a file, or, with format=recording, a stretch of the history for replay:FILE; where there is no history, all that is in memory',
        produces: [...Object.values(TYPES), 'application/octet-stream'],
        params: HostId,
        querystring: Type.Object({
          format: Type.Union([...TREE_FORMATS, 'recording' as const].map((format) => Type.Literal(format))),
          at: At,
          exited: Type.Boolean({ default: false, description: 'Also tasks that had ended by then' }),
          from: Type.Optional(Type.String({ maxLength: 64, description: `Of a recording. ${TIME_FORMS}` })),
          to: Type.String({ default: 'live', maxLength: 64, description: `Of a recording. ${TIME_FORMS}` }),
        }),
        response: { 400: Problem, 404: Problem, 410: Problem, 413: Problem, 429: Problem },
      },
    },
    async ({ params, query: { format, at, exited, from, to } }, reply) => {
      const host = client.host(params.host);
      const name = `dendro-${host.info.id.replace(/[^\w.-]/g, '_').slice(0, 64)}`;
      if (format === 'recording') {
        if (from === undefined) throw new DendroError('DENDRO_REQUEST_INVALID', 'A recording needs a time "from".');
        const range = rangeOf(host, from, to);
        const about = { info: host.info, source: host.status.source.name };
        const { history } = host;
        const records =
          history === undefined ? memory.recordingOf(host, range) : await recordingOf(history, range, about);
        return reply
          .type('application/octet-stream')
          .header('content-disposition', `attachment; filename="${name}-${range.toEpochNs}.dendro"`)
          .send(Readable.from(records, { objectMode: false }) as never);
      }
      const bytes = await host.ask({ kind: 'export', at, withExited: exited, format, dendro: version });
      return reply
        .type(TYPES[format])
        .header('content-disposition', `attachment; filename="${name}.${format === 'text' ? 'txt' : format}"`)
        .send(Buffer.from(bytes) as never);
    },
  );
};
