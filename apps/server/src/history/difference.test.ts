// The difference of two instants is what two trees say: of memory, and of a history over starts anew.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TaskRecord } from '@dendro/export';
import { Random } from '@dendro/testkit';
import { afterAll, afterEach, expect, test } from 'vitest';
import { TestServer } from '../test-server.ts';
import type { DifferenceJson } from '../tree-worker/difference-json.ts';
import type { TreeAnswer } from '../tree-worker/tree-json.ts';

const RECORDINGS = fileURLToPath(new URL('../../../../packages/testkit/recordings/', import.meta.url));
const SOURCE = process.geteuid?.() === 0 ? 'tracefs+cn_proc' : 'procfs';
const MANY = { maxProcesses: 20_000, maxThreads: 40_000 };
const SEED = Number(process.env['DENDRO_SEED'] ?? 1 + (Date.now() % 1_000_000));
console.log(`DENDRO_SEED=${SEED}`);
const folder = mkdtempSync(join(tmpdir(), 'dendro-difference-'));
let server: TestServer;

afterEach(() => server.stop());
afterAll(() => rmSync(folder, { recursive: true }));

type Answer = DifferenceJson & { readonly returned: number; readonly total: number; readonly reason: string | null };

const ask = async (path: string) => (await server.get(`/api/v1/hosts/local/${path}`)).json();
const treeAt = async (time: bigint) => (await ask(`tree?at=${time}`)) as TreeAnswer;
const differenceOf = async (a: bigint, b: bigint, more = '') => (await ask(`diff?a=${a}&b=${b}${more}`)) as Answer;

const byTime = (a: bigint, b: bigint) => (a < b ? -1 : 1);

/** By task id, what two trees say. */
function compared(first: TreeAnswer, second: TreeAnswer) {
  const living = ({ tasks }: TreeAnswer) => new Map(tasks.map((task) => [task.taskId, task]));
  const [before, after] = [living(first), living(second)];
  const only = (one: typeof before, other: typeof before) =>
    [...one.values()].filter(({ taskId }) => !other.has(taskId));
  const pairs = [...before.values()].flatMap((task) => {
    const later = after.get(task.taskId);
    return later === undefined ? [] : [[task, later] as const];
  });
  const values = ({ comm, path, uid }: TaskRecord) => ({ comm, executable: path, uid });
  return {
    born: only(after, before).map(aboutOf),
    died: only(before, after).map(({ taskId, pid, comm, uid, startTime }) => ({ taskId, pid, comm, uid, startTime })),
    changed: pairs
      .filter(([one, other]) => JSON.stringify(values(one)) !== JSON.stringify(values(other)))
      .map(([one, other]) => ({ taskId: one.taskId, from: values(one), to: values(other) })),
    reparented: pairs
      .filter(([one, other]) => one.parentTaskId !== other.parentTaskId)
      .map(([one, other]) => ({ taskId: one.taskId, from: one.parentTaskId, to: other.parentTaskId })),
  };
}

function aboutOf({ taskId, kind, pid, tid, comm, uid, startTime }: TaskRecord | DifferenceJson['born'][number]) {
  return { taskId, kind, pid, tid, comm, uid, startTime };
}

async function expectSame(a: bigint, b: bigint): Promise<DifferenceJson['counts']> {
  const [first, second, told] = await Promise.all([
    treeAt(a),
    treeAt(b),
    differenceOf(a, b, '&threads=true&limit=10000'),
  ]);
  const { born, died, changed, reparented } = compared(first, second);
  const byId = <T extends { readonly taskId: number }>(tasks: T[]) =>
    tasks.sort((one, other) => one.taskId - other.taskId);
  expect(told.born.map(aboutOf)).toEqual(byId(born));
  expect(told.died).toMatchObject(byId(died));
  expect(told.died).toHaveLength(died.length);
  for (const { exitTime } of told.died) {
    expect(BigInt(exitTime ?? 0)).toBeGreaterThanOrEqual(a);
    expect(BigInt(exitTime ?? 0)).toBeLessThanOrEqual(b);
  }
  // A tree says less of a task than the difference does: where it says something else, so must the difference.
  for (const { taskId, from, to } of changed) {
    const fields = told.changed.find((task) => task.taskId === taskId)?.fields ?? [];
    const value = (of: unknown) => (of !== null && typeof of === 'object' && 'path' in of ? of.path : of);
    for (const name of ['comm', 'executable', 'uid'] as const) {
      const field = fields.find((one) => one.field === name);
      const said = field === undefined ? [from[name], from[name]] : [value(field.from), value(field.to)];
      expect([taskId, name, ...said]).toEqual([taskId, name, from[name], to[name]]);
    }
  }
  const isChanged = new Set(changed.map(({ taskId }) => taskId));
  for (const { taskId, fields } of told.changed) {
    const names = fields.map(({ field }) => field);
    expect(fields.every(({ from, to }) => JSON.stringify(from) !== JSON.stringify(to))).toBe(true);
    if (names.includes('comm') || names.includes('uid')) expect(isChanged).toContain(taskId);
  }
  const parents = told.reparented.map(({ taskId, from, to }) => ({
    taskId,
    from: from?.taskId ?? null,
    to: to?.taskId ?? null,
  }));
  expect(parents).toEqual(byId(reparented));
  const returned = born.length + died.length + told.changed.length + reparented.length;
  expect(told).toMatchObject({ returned, total: returned });
  return told.counts;
}

test('of a recording of a real kernel, in memory', async () => {
  const random = new Random(SEED);
  server = await TestServer.start({ source: `replay:${join(RECORDINGS, 'changes')}`, ...MANY });
  expect(await server.client.untilComplete(20_000)).toBe(true);
  const all = await ask('tree?exited=true');
  const starts = (all.tasks as TaskRecord[]).map(({ startTime }) => BigInt(startTime)).sort(byTime);
  const [from, to] = [starts[0] as bigint, BigInt(all.at)];
  const instant = () => from + BigInt(Math.floor((random.below(1e9) / 1e9) * Number(to - from)));
  let changes = 0;
  for (let pair = 0; pair < 60; pair++) {
    const [a, b] = [instant(), instant()].sort(byTime) as [bigint, bigint];
    const counts = await expectSame(a, b);
    changes += counts.born + counts.died + counts.changed;
  }
  expect(changes).toBeGreaterThan(0);
});

test('of this host while it was recorded, and over a start anew', { timeout: 120_000 }, async () => {
  const random = new Random(SEED);
  const directory = join(folder, 'data');
  server = await TestServer.start({ source: SOURCE, ...MANY }, { directory });
  const epochNow = () => server.client.first.epochNow;
  expect(await server.client.untilComplete(20_000)).toBe(true);
  const from = epochNow();
  work();
  const middle = epochNow();
  await server.stop();
  server = await TestServer.start({ source: SOURCE, ...MANY }, { directory });
  expect(await server.client.untilComplete(20_000)).toBe(true);
  work();
  await sleep(1000); // what is concluded, and what is read of /proc, has come by then
  const to = epochNow();
  const instant = () => from + BigInt(Math.floor((random.below(1e9) / 1e9) * Number(to - from)));
  const totals = { born: 0, died: 0, changed: 0, reparented: 0 };
  const pairs = [
    [from, to],
    [from, middle],
    ...Array.from({ length: 40 }, () => [instant(), instant()].sort(byTime)),
  ] as [bigint, bigint][];
  for (const [a, b] of pairs) {
    const counts = await expectSame(a, b);
    for (const name of ['born', 'died', 'changed', 'reparented'] as const) totals[name] += counts[name];
  }
  expect(Math.min(totals.born, totals.died)).toBeGreaterThan(0);
  const few = await differenceOf(from, middle, '&limit=1&threads=true');
  expect(few.born.length).toBeLessThanOrEqual(1);
  const backwards = await server.get(`/api/v1/hosts/local/diff?a=${to}&b=${from}`);
  expect(backwards.json()).toMatchObject({ code: 'DENDRO_REQUEST_INVALID', message: expect.stringContaining('"a"') });
});

/** Processes that stay, end, are orphaned and run something else, for about a second. */
function work(): void {
  const script = `for i in 1 2 3 4 5 6 7 8; do (sleep 2 &); sh -c 'exec sleep 0.2' & sleep 0.05; done; (sh -c 'sleep 1; exec sleep 1' &); wait`;
  spawnSync('sh', ['-c', script]);
}
