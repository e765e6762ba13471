// Every host of a feed is recorded by itself, whatever it is called.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { exitLine, forkLine, TestServer, type TraceeTask, traceeLine } from '../test-server.ts';
import { hostIdOf } from '../tree-worker/host-id.ts';
import { folderOf, foldersIn } from './host-folders.ts';

const folder = mkdtempSync(join(tmpdir(), 'dendro-further-'));
const INIT: TraceeTask = { tid: 1, pid: 1, start: 1_700_000_000_000_000_000n, comm: 'init' };
/** A thread and a file of each host are opened as it appears. */
const SOON = { timeout: 30_000 };
const LIMITS = { maxProcesses: 16, maxThreads: 16 };
let directories = 0;
const newDirectory = () => join(folder, String(directories++));
let server: TestServer;
let start = 0n;
const at = (ms: number) => start + BigInt(ms) * 1_000_000n;

afterEach(() => server.stop());
afterAll(() => rmSync(folder, { recursive: true }));

type Settings = Partial<NonNullable<Parameters<typeof TestServer.start>[1]>>;

async function begin(directory: string, settings: Settings = {}): Promise<void> {
  server = await TestServer.start(LIMITS, { directory, ...settings });
}

const answer = (host: string, path: string) => server.get(`/api/v1/hosts/${hostIdOf(host)}/${path}`);
const ask = async (host: string, path: string) => (await answer(host, path)).json();
const hosts = async () => (await server.get('/api/v1/hosts')).json().hosts as { id: string; name: string }[];

async function post(host: string, lines: readonly string[]): Promise<void> {
  const named = lines.map((line) => JSON.stringify({ ...JSON.parse(line), hostName: host }));
  expect((await server.post(named.join('\n'))).json()).toMatchObject({ accepted: lines.length });
}

/** 40 programs, each of which ends: most leave memory. */
function lives(first: number): string[] {
  return Array.from({ length: 40 }, (_, i) => {
    const [pid, ms] = [first + i, 10 * i];
    const task = { tid: pid, pid, start: at(ms), comm: `job-${pid}` };
    const args = { pathname: '/bin/job', argv: ['/bin/job', `--nr=${pid}`] };
    return [
      forkLine(at(ms), INIT, task),
      traceeLine('sched_process_exec', at(ms) + 1000n, task, args),
      exitLine(at(ms + 5), task),
    ];
  }).flat();
}

const staying = (pid: number): TraceeTask => ({ tid: pid, pid, start: at(-5), comm: 'stays' });
const isOpen = async (host: string) => (await answer(host, 'history')).statusCode === 200;
const idOf = async (host: string, pid: number) => (await ask(host, `processes/pid:${pid}`)).info?.taskId;

test('what leaves memory is in the history of its host, of which a start anew knows at once', {
  timeout: 60_000,
}, async () => {
  const directory = newDirectory();
  await begin(directory);
  start = BigInt(Date.now()) * 1_000_000n;
  await post('n1', [forkLine(at(-5), INIT, staying(10)), ...lives(100)]);
  await post('n2', [forkLine(at(-5), INIT, staying(20))]);
  await expect.poll(() => isOpen('n2'), SOON).toBe(true);
  await expect.poll(async () => (await ask('n2', 'history')).openLives, SOON).toBeGreaterThan(0);
  await post('n2', lives(300));
  const found = async (host: string, pid: number) => (await ask(host, `search?q=--nr%3D${pid}`)).lives[0]?.pid;
  await expect.poll(() => found('n2', 303), SOON).toBe(303);
  expect(await found('n1', 103)).toBe(103);
  expect([await found('n1', 303), await found('n2', 103)]).toEqual([undefined, undefined]);
  const then = await ask('n2', `tree?at=${at(32)}`);
  expect(then.tasks.map(({ pid }: { readonly pid: number }) => pid).sort()).toEqual([1, 20, 303]);
  const ids = [await idOf('n1', 10), await idOf('n2', 20)];
  const { births } = await ask('n2', `histogram?from=${at(-2000)}`);
  expect(births.reduce((sum: number, n: number) => sum + n)).toBe(41);
  const difference = await ask('n2', `diff?a=${at(32)}&b=${at(42)}`);
  expect([difference.born[0].pid, difference.died[0].pid]).toEqual([304, 303]);
  const { gaps: before } = await ask('n2', 'gaps');
  expect(before).toEqual([]);
  expect((await answer('n2', `window?from=${at(0)}`)).statusCode).toBe(200);
  await server.stop();

  await begin(directory);
  expect((await hosts()).map(({ name }) => name)).toEqual(['n1', 'n2']);
  expect([await idOf('n1', 10), await idOf('n2', 20)]).toEqual(ids);
  expect(await found('n2', 303)).toBe(303);
  const { tasks } = await ask('n2', `tree?at=${at(32)}`);
  expect(tasks.map(({ taskId }: { readonly taskId: number }) => taskId).sort()).toEqual(
    then.tasks.map(({ taskId }: { readonly taskId: number }) => taskId).sort(),
  );
  const { gaps } = await ask('n2', 'gaps');
  expect(gaps).toMatchObject([{ why: 'stopped' }]);
  // Whoever posts first now is not the first host.
  start = BigInt(Date.now()) * 1_000_000n;
  await post('n2', [forkLine(at(0), staying(20), { ...staying(21), start: at(0) })]);
  expect(await idOf('n2', 21)).toBeGreaterThan(ids[1]);
  expect(await idOf('n1', 21)).toBeUndefined();
  const recording = await answer('n2', `export?format=recording&from=${at(-60_000)}`);
  expect(recording.statusCode).toBe(200);
  const file = join(folder, 'n2.dendro');
  writeFileSync(file, recording.rawPayload);
  await server.stop();
  server = await TestServer.start({ ...LIMITS, maxProcesses: 1000, source: `replay:${file}` });
  expect(await server.client.untilComplete(20_000)).toBe(true);
  expect(server.client.first.info.name).toBe('n2');
});

test('no name of a host leads out of the directory, and no two have the same folder', {
  timeout: 180_000,
}, async () => {
  const directory = newDirectory();
  const names = [
    'first',
    '../../etc',
    '..',
    'a/b',
    'a\\b',
    'local',
    'CON',
    'ä'.repeat(64),
    `${'ä'.repeat(63)}ö`,
    '~0061',
  ];
  await begin(directory);
  start = BigInt(Date.now()) * 1_000_000n;
  for (const name of names) await post(name, [forkLine(at(0), INIT, staying(10))]);
  const known = (await hosts()).map(({ name }) => name);
  expect(known).toEqual(names);
  for (const name of names.slice(1)) await expect.poll(() => isOpen(name), SOON).toBe(true);
  const { id } = (await hosts())[1] as { id: string };
  expect((await server.get(`/api/v1/hosts/${id}/history`)).json()).toMatchObject({ state: 'recording', problem: null });
  expect(
    readdirSync(directory)
      .filter((name) => !name.startsWith('history.db'))
      .sort(),
  ).toEqual(['host.json', 'hosts']);
  expect(readdirSync(join(directory, 'hosts'))).toHaveLength(names.length - 1);
  expect(
    foldersIn(directory)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(names.slice(1).sort());
  await server.stop();
  await begin(directory);
  expect((await hosts()).map(({ name }) => name).sort()).toEqual(names.toSorted());
});

test('as many are opened as there may be hosts; what is older than is kept goes, and what is none of ours stays', {
  timeout: 180_000,
}, async () => {
  const directory = newDirectory();
  await begin(directory);
  start = BigInt(Date.now()) * 1_000_000n;
  for (const name of ['n1', 'n2', 'n3', 'n4']) await post(name, [forkLine(at(0), INIT, staying(10))]);
  for (const name of ['n2', 'n3', 'n4']) await expect.poll(() => isOpen(name), SOON).toBe(true);
  await server.stop();
  const old = folderOf(directory, 'n2');
  const longAgo = new Date(Date.now() - 3 * 86_400_000);
  for (const name of readdirSync(old)) utimesSync(join(old, name), longAgo, longAgo);
  const foreign = join(directory, 'hosts', 'somebody-elses');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'host.json'), readFileSync(join(old, 'host.json')));
  utimesSync(join(foreign, 'host.json'), longAgo, longAgo);
  await begin(directory, { maxHosts: 2, maxAgeNs: 86_400_000_000_000n });
  expect(existsSync(old)).toBe(false);
  expect(existsSync(foreign)).toBe(true);
  expect(await hosts()).toHaveLength(2);
  expect(readdirSync(join(directory, 'hosts'))).toHaveLength(3);
});
