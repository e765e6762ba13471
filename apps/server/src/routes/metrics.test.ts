// Every number of the tree in /metrics, brought above zero by events.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { exitLine, forkLine, renameLine, TestServer, type TraceeTask, traceeLine } from '../test-server.ts';

const RECORDING = join(import.meta.dirname, '../../../../packages/testkit/recordings/core-strace');
const isRoot = process.geteuid?.() === 0;
const START = BigInt(Date.now() - 60_000) * 1_000_000n;
const at = (ms: number) => START + BigInt(ms) * 1_000_000n;
const born = (pid: number, startMs: number): TraceeTask => ({ tid: pid, pid, start: at(startMs) });
const INIT = born(1, 0);
let server: TestServer;
afterEach(() => server.stop());

/** The worker tells of its numbers once a second. */
async function untilMetrics(expected: Readonly<Record<string, unknown>>): Promise<void> {
  await expect.poll(async () => Object.fromEntries(await server.metrics()), { timeout: 5000 }).toMatchObject(expected);
}

test('what is in memory, of how much, and what had to leave it', async () => {
  server = await TestServer.start({ maxProcesses: 16, maxThreads: 20 });
  const lines: string[] = [];
  // A parent that ends and is evicted while its child lives on: a stub.
  const parent = born(50, 1);
  lines.push(forkLine(at(1), INIT, parent), forkLine(at(2), parent, born(51, 2)), exitLine(at(3), parent));
  for (let i = 0; i < 30; i++) {
    const short = born(100 + i, 10 + i);
    lines.push(forkLine(at(10 + i), INIT, short), exitLine(at(11 + i), short));
  }
  for (let i = 0; i < 25; i++) lines.push(forkLine(at(100 + i), INIT, { tid: 200 + i, pid: 1, start: at(100 + i) }));
  lines.push(exitLine(at(200), { tid: 224, pid: 1, start: at(124) }));
  // Somebody whom nobody has announced: a placeholder.
  lines.push(renameLine(at(300), { tid: 900, pid: 900 }, 'who'));
  expect((await server.post(lines.join('\n'))).json()).toEqual({ accepted: 90, rejected: {} });

  await untilMetrics({ 'dendro_evicted_total{kind="process"}': 18 });
  const metrics = await server.metrics();
  expect(
    Object.fromEntries([...metrics].filter(([name]) => /^dendro_(tasks|processes|thr|evi|stubs|place)/.test(name))),
  ).toEqual({
    dendro_processes: 3, // init, the child, and the one that was only mentioned
    dendro_threads: 3 + 19,
    'dendro_tasks{kind="process",state="living"}': 3,
    'dendro_tasks{kind="thread",state="living"}': 19,
    'dendro_tasks{kind="any",state="ended"}': 14,
    'dendro_tasks_limit{kind="process"}': 16,
    'dendro_tasks_limit{kind="thread"}': 20,
    'dendro_evicted_total{kind="process"}': 18,
    'dendro_evicted_total{kind="thread"}': 5,
    dendro_stubs: 1,
    dendro_placeholders: 1,
  });
  expect(metrics.get('dendro_texts')).toBeGreaterThanOrEqual(2);
});

test('values of a field that are no longer kept', async () => {
  server = await TestServer.start();
  expect((await server.metrics()).get('dendro_trimmed_fields')).toBe(0);
  const names = Array.from({ length: 100 }, (_, i) => renameLine(at(i), INIT, `name${i}`));
  await server.post(names.join('\n'));
  await untilMetrics({ dendro_trimmed_fields: 1 });
});

test('input that could not be used, by reason, and rings that were refused', async () => {
  server = await TestServer.start();
  const [a, b] = [born(70, 1), born(71, 2)];
  const lines = [
    forkLine(at(2), a, b),
    forkLine(at(2), b, a), // each the creator of the other
    'not json',
    'neither',
    '7',
    '{"a":1}',
    traceeLine('openat', at(3), INIT),
    forkLine(at(3), INIT, born(0, 3)),
    '{"eventName":"sched_process_exit","timestamp":"never"}',
  ];
  await server.post(lines.join('\n'));
  await untilMetrics({
    dendro_events_total: 2,
    'dendro_rejected_total{reason="not-json"}': 2,
    'dendro_rejected_total{reason="not-an-object"}': 1,
    'dendro_rejected_total{reason="not-a-tracee-event"}': 1,
    'dendro_rejected_total{reason="not-a-lifecycle-event"}': 1,
    'dendro_rejected_total{reason="wrong-type"}': 1,
    'dendro_rejected_total{reason="bad-timestamp"}': 1,
  });
  expect((await server.metrics()).get('dendro_rings_refused_total')).toBeGreaterThan(0);
});

test('events that a feed has lost, and when', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dendro-metrics-'));
  cpSync(RECORDING, folder, { recursive: true });
  // The header of a page says that 77 events were lost before it.
  const cpu = join(folder, 'cpu1.raw');
  const bytes = readFileSync(cpu);
  const used = bytes.readUInt32LE(4096 * 3 + 8) & 0xfffff;
  bytes.writeUInt32LE((used | 0xc000_0000) >>> 0, 4096 * 3 + 8);
  bytes.writeBigUInt64LE(77n, 4096 * 3 + 16 + used);
  writeFileSync(cpu, bytes);
  server = await TestServer.start({ source: `replay:${folder}` });
  await untilMetrics({ dendro_events_lost_total: 77, dendro_gaps: 1, dendro_source_up: 1 });
  rmSync(folder, { recursive: true });
});

test.skipIf(!isRoot)(
  'questions to /proc that too many others waited before (only root is told of what to ask)',
  async () => {
    server = await TestServer.start({ source: 'tracefs', maxProcesses: 20_000 });
    const now = BigInt(Date.now()) * 1_000_000n;
    // Nobody has said what these run, and they are posted at once.
    const lines = Array.from({ length: 9000 }, (_, i) =>
      traceeLine('sched_process_exec', now, { tid: 3_000_000 + i, pid: 3_000_000 + i }),
    );
    await server.post(lines.join('\n'));
    const atLeast = (least: number) => expect.toSatisfy((value: number) => value >= least);
    await untilMetrics({ dendro_enrichments_dropped_total: atLeast(9000 - 8192) });
  },
);
