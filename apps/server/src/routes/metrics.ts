import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { HostHistory } from '../history/host-history.ts';
import type { HostClient } from '../tree-worker/host-client.ts';
import type { HostStatus } from '../tree-worker/messages.ts';
import type { TreeClient } from '../tree-worker/tree-client.ts';

/** `/metrics`: numbers of tree, source and server in Prometheus' text format. Needs the token, as data does. */
export function metricsRoute(app: FastifyInstance, client: TreeClient): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const meters = new Meters(registry);
  treeMetrics(meters, client);
  sourceMetrics(meters, client);
  procfsMetrics(meters, client);
  historyMetrics(meters, client);

  app.get(
    '/metrics',
    { schema: { summary: "Numbers in Prometheus' text format", produces: ['text/plain'] } },
    async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  );
}

function treeMetrics(meters: Meters, client: TreeClient): void {
  const { gauge, gauges, counters } = meters.ofHosts(client);
  meters.gauge('dendro_hosts', 'Hosts that have a tree (--max-hosts).', () => client.hosts.length);
  gauge('dendro_processes', 'Living processes, kernel threads included.', ({ counts }) => counts.processes);
  gauge('dendro_threads', 'Living threads, leaders included.', ({ counts }) => counts.threads);
  gauges(
    'dendro_tasks',
    'Tasks in memory. The thread of a leader is its process; how many of the ended ones were threads is not counted.',
    ['kind', 'state'],
    ({ counts: { processes, threads, tasks } }) => [
      [processes, 'process', 'living'],
      [threads - processes, 'thread', 'living'],
      [tasks - threads, 'any', 'ended'],
    ],
  );
  gauges(
    'dendro_tasks_limit',
    'Tasks that may be in memory, ended ones too; leaders are processes.',
    ['kind'],
    ({ counts }) => [
      [counts.maxProcesses, 'process'],
      [counts.maxThreads, 'thread'],
    ],
  );
  counters('dendro_evicted_total', 'Tasks that left memory to make room.', ['kind'], ({ counts }) => [
    [counts.evictedProcesses, 'process'],
    [counts.evictedThreads, 'thread'],
  ]);
  gauge('dendro_stubs', 'Evicted tasks that others in memory still refer to.', ({ counts }) => counts.stubs);
  gauge(
    'dendro_placeholders',
    'Tasks in memory known only because something else mentioned them.',
    ({ counts }) => counts.placeholders,
  );
  gauge('dendro_trimmed_fields', 'Fields that have lost their oldest values.', ({ counts }) => counts.trimmedFields);
  gauge('dendro_texts', 'Different texts in memory.', ({ counts }) => counts.texts);
  gauge('dendro_gaps', 'Spans of time in which events were lost.', ({ counts }) => counts.gaps);
  gauge('dendro_newest_event_age_seconds', 'How long ago, in the time of the host, its newest event was.', (status) =>
    status.newest === undefined ? 0 : (status.now - status.newest) / 1e9,
  );
  counters('dendro_batches_total', 'Batches committed.', [], (_status, { version }) => [[version]]);
  counters(
    'dendro_rings_refused_total',
    'Parents and creators refused because they would make a task its own ancestor.',
    [],
    ({ counts }) => [[counts.ringsRefused]],
  );
  counters(
    'dendro_enrichments_dropped_total',
    'Questions to /proc dropped because too many waited.',
    [],
    ({ counts }) => [[counts.enrichmentsDropped]],
  );
}

function sourceMetrics(meters: Meters, client: TreeClient): void {
  const { counters } = meters.ofHosts(client);
  meters.gauge('dendro_source_up', 'Is the source being read, or has it been read to its end?', () =>
    client.isRunning && client.first.status.source.state !== 'failed' ? 1 : 0,
  );
  counters('dendro_events_total', 'Events taken in.', [], ({ source }) => [[source.events]]);
  counters('dendro_events_lost_total', 'Events that the kernel or the feed says were lost.', [], ({ source }) => [
    [source.lost],
  ]);
  counters(
    'dendro_rejected_total',
    'Input that could not be used, by reason; what is of no host in particular with the first.',
    ['reason'],
    ({ source }) => Object.entries(source.rejected).map(([reason, times]) => [times, reason]),
  );
}

function procfsMetrics({ gauge, counter, counters }: Meters, client: TreeClient): void {
  const procfs = () => client.first.status.procfs;
  counter('dendro_procfs_seconds_total', 'CPU time taken by reading /proc.', () => procfs().spentMs / 1000);
  counter('dendro_procfs_reads_total', 'Processes read from /proc.', () => procfs().reads);
  counter(
    'dendro_procfs_vanished_total',
    'Processes that had gone before they could be read.',
    () => procfs().vanished,
  );
  counter(
    'dendro_procfs_skipped_total',
    'Programs that were not read when they started, as --procfs-budget was spent. Those that go on are read later.',
    () => procfs().skipped,
  );
  counter('dendro_procfs_denied_total', 'Files of /proc that were not to be read.', () => procfs().denied);
  gauge(
    'dendro_procfs_waiting',
    'Processes that wait to be read.',
    () => client.first.status.counts.enrichmentsWaiting + procfs().waiting,
  );
  const hashes = () => client.first.status.hashes;
  gauge('dendro_hashes_waiting', 'Binaries that wait to be hashed (--hash).', () => hashes()?.waiting ?? 0);
  counter('dendro_hashes_total', 'Binaries hashed.', () => hashes()?.done ?? 0);
  counters('dendro_hashes_skipped_total', 'Binaries without a hash, by reason.', ['reason'], () =>
    Object.entries(hashes()?.skipped ?? {}).map(([reason, times]) => [times, reason]),
  );
}

function historyMetrics(meters: Meters, client: TreeClient): void {
  const { gauges, counters } = meters.ofHosts(client);
  const of =
    (value: (history: HostHistory) => number) =>
    (_status: HostStatus, { history }: HostClient) =>
      history === undefined ? [] : [[value(history)] as const];
  gauges(
    'dendro_history_up',
    'Is what happens recorded? Without a history there is no such number.',
    [],
    of(({ problem }) => (problem === undefined ? 1 : 0)),
  );
  gauges(
    'dendro_history_bytes',
    'Size of the file.',
    [],
    of(({ state }) => state.fileBytes),
  );
  gauges(
    'dendro_history_pending_bytes',
    'Not on the disk yet.',
    [],
    of(({ state }) => state.pendingBytes),
  );
  gauges(
    'dendro_history_oldest_age_seconds',
    'How far it reaches back.',
    [],
    of(({ state: { oldestEpochNs: from = 0n, newestEpochNs: to = 0n } }) => Number(to - from) / 1e9),
  );
  gauges(
    'dendro_history_facts',
    'Facts that it holds.',
    [],
    of(({ state }) => state.facts),
  );
  counters(
    'dendro_history_dropped_batches_total',
    'Batches that could not be kept. A snapshot makes up for them, and the time in between is a gap.',
    [],
    of(({ state }) => state.droppedBatches),
  );
  gauges(
    'dendro_history_damaged_parts',
    'Parts of the file that cannot be read.',
    [],
    of(({ state }) => state.damagedParts),
  );
}

/** A value and the values of its labels, in the order of their names. */
type Labelled = readonly [value: number, ...labels: string[]];

/** Makes meters of what is counted elsewhere: they are set when somebody asks. */
class Meters {
  readonly #registers: Registry[];

  constructor(registry: Registry) {
    this.#registers = [registry];
  }

  /** Makes meters of what is counted for each host. */
  ofHosts({ hosts }: TreeClient) {
    type Values = (status: HostStatus, host: HostClient) => readonly Labelled[];
    const all = (values: Values) => () =>
      hosts.flatMap((host) =>
        values(host.status, host).map(([value, ...labels]): Labelled => [value, host.info.id, ...labels]),
      );
    return {
      gauge: (name: string, help: string, value: (status: HostStatus) => number): void =>
        this.gauges(
          name,
          help,
          ['host'],
          all((status) => [[value(status)]]),
        ),
      gauges: (name: string, help: string, labelNames: string[], values: Values): void =>
        this.gauges(name, help, ['host', ...labelNames], all(values)),
      counters: (name: string, help: string, labelNames: string[], values: Values): void =>
        this.counters(name, help, ['host', ...labelNames], all(values)),
    };
  }

  readonly gauge = (name: string, help: string, value: () => number): void =>
    this.gauges(name, help, [], () => [[value()]]);

  readonly counter = (name: string, help: string, value: () => number): void =>
    this.counters(name, help, [], () => [[value()]]);

  readonly gauges = (name: string, help: string, labelNames: string[], values: () => readonly Labelled[]): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: this.#registers,
      collect() {
        this.reset();
        for (const [value, ...labels] of values()) this.labels(...labels).set(value);
      },
    });
  };

  readonly counters = (name: string, help: string, labelNames: string[], values: () => readonly Labelled[]): void => {
    new Counter({
      name,
      help,
      labelNames,
      registers: this.#registers,
      collect() {
        this.reset();
        for (const [value, ...labels] of values()) this.labels(...labels).inc(value);
      },
    });
  };
}
