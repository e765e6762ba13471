import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { TreeClient } from '../tree-worker/tree-client.ts';

/** `/metrics`: numbers of tree, source and server in Prometheus' text format. Needs the token, as data does. */
export function metricsRoute(app: FastifyInstance, client: TreeClient): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  // Counted elsewhere: what is there is taken over, so that they rise as counters do.
  const counter = (name: string, help: string, value: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  gauge('dendro_processes', 'Living processes, kernel threads included.', () => client.status.stats.processes);
  gauge('dendro_threads', 'Living threads, leaders included.', () => client.status.stats.threads);
  gauge('dendro_tasks', 'Tasks in memory, ended ones too.', () => client.status.stats.tasks);
  gauge('dendro_gaps', 'Spans of time in which events were lost.', () => client.status.stats.gaps);
  gauge('dendro_source_up', 'Is the source being read, or has it been read to its end?', () =>
    client.isRunning && client.status.source.state !== 'failed' ? 1 : 0,
  );
  counter('dendro_batches_total', 'Batches committed.', () => client.version);
  counter('dendro_events_total', 'Events taken in.', () => client.status.source.events);
  counter(
    'dendro_events_lost_total',
    'Events that the kernel or the feed says were lost.',
    () => client.status.source.lost,
  );
  counter('dendro_evicted_total', 'Tasks that left memory.', () => client.status.stats.evicted);
  counter(
    'dendro_rings_refused_total',
    'Parents and creators refused because they would make a task its own ancestor.',
    () => client.status.stats.ringsRefused,
  );
  counter(
    'dendro_enrichments_dropped_total',
    'Questions to /proc dropped because too many waited.',
    () => client.status.stats.enrichmentsDropped,
  );
  new Counter({
    name: 'dendro_rejected_total',
    help: 'Input that could not be used, by reason.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, times] of Object.entries(client.status.source.rejected)) this.inc({ reason }, times);
    },
  });

  app.get(
    '/metrics',
    { schema: { summary: "Numbers in Prometheus' text format", produces: ['text/plain'] } },
    async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  );
}
