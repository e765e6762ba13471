// What is exported is asked of a real gateway, and read by programs that know the formats.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { exitLine, forkLine, TestServer, type TraceeTask, traceeLine } from '../test-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'dendro-export-'));
const INIT: TraceeTask = { tid: 1, pid: 1, start: 1_700_000_000_000_000_000n, comm: 'init' };
const HOSTILE = '=1+2,"<b>&\n\u202e\\';
let server: TestServer;
let start = 0n;
const at = (ms: number) => start + BigInt(ms) * 1_000_000n;

afterEach(() => server.stop());
afterAll(() => rmSync(folder, { recursive: true }));

async function begin(dataDir?: string): Promise<void> {
  server = await TestServer.start({}, dataDir === undefined ? undefined : { directory: dataDir });
  start = BigInt(Date.now()) * 1_000_000n;
  const tool = { tid: 42, pid: 42, start: at(1), comm: 'tool' };
  const args = { pathname: '/bin/tool', argv: ['/bin/tool', HOSTILE] };
  const short = { tid: 43, pid: 43, start: at(5), comm: 'short' };
  const lines = [
    forkLine(at(1), INIT, tool),
    traceeLine('sched_process_exec', at(2), tool, args),
    traceeLine('task_rename', at(3), tool, { new_name: HOSTILE }, { syscall: 'prctl' }),
    forkLine(at(5), { ...tool, comm: HOSTILE }, short),
    exitLine(at(9), short),
  ];
  expect((await server.post(lines.join('\n'))).json()).toMatchObject({ accepted: lines.length });
}

const exported = (query: string) => server.get(`/api/v1/hosts/local/export?${query}`);

test('JSON, lines of it and CSV hold the same tasks, and say what they are an extract of', async () => {
  await begin();
  const time = `at=${at(6)}`;
  const tree = (await server.get(`/api/v1/hosts/local/tree?${time}`)).json();
  const json = await exported(`format=json&${time}`);
  expect(json.headers['content-disposition']).toBe('attachment; filename="dendro-local.json"');
  const { about, tasks } = json.json();
  expect(about).toMatchObject({
    dendro: '0.0.0',
    host: 'local',
    at: String(at(6)),
    returned: 3,
    total: 3,
    reason: null,
    lacks: [],
    filter: { exited: false },
    version: tree.version,
  });
  expect(tasks).toMatchObject(tree.tasks);
  expect(tasks.find(({ pid }: { readonly pid: number }) => pid === 42)).toMatchObject({
    comm: HOSTILE,
    cmd: ['/bin/tool', HOSTILE],
    cwd: null,
  });
  const [head, ...lines] = (await exported(`format=ndjson&${time}`)).body.trimEnd().split('\n');
  expect(JSON.parse(head ?? '')).toEqual({ about });
  expect(lines.map((line) => JSON.parse(line))).toEqual(tasks);

  const file = join(folder, 'tree.csv');
  writeFileSync(file, (await exported(`format=csv&${time}`)).body);
  const script = `import csv,json,sys
f = open(${JSON.stringify(file)}, newline='', encoding='utf-8')
about = json.loads(f.readline()[2:])
print(json.dumps([about, list(csv.DictReader(f))]))`;
  const python = spawnSync('python3', ['-c', script], { encoding: 'utf8' });
  expect(python.stderr).toBe('');
  const [told, rows] = JSON.parse(python.stdout);
  expect(told).toEqual(about);
  const row = rows.find(({ pid }: { readonly pid: string }) => pid === '42');
  // Nothing that a spreadsheet would compute.
  expect(row).toMatchObject({ comm: `'${HOSTILE}`, cmd: JSON.stringify(['/bin/tool', HOSTILE]), alive: 'true' });
});

test('drawings write out what would be markup, line ends or turn the text around', async () => {
  await begin();
  const written = '\\u{a}\\u{202e}\\';
  const dot = (await exported(`format=dot&at=${at(6)}`)).body;
  expect(dot).toContain(`"=1+2,\\"<b>&amp;${written.replaceAll('\\', '\\\\')}(42)"`);
  expect(dot.match(/->/g)).toHaveLength(2);
  expect(dot.split('\n').every((line) => !line.includes('\u202e'))).toBe(true);
  const svg = (await exported(`format=svg&at=${at(6)}`)).body;
  expect(svg).toContain(`=1+2,&quot;&lt;b&gt;&amp;${written}(42)`);
  const file = join(folder, 'tree.svg');
  writeFileSync(file, svg);
  const script = `import xml.etree.ElementTree as t
print(len(t.parse(${JSON.stringify(file)}).getroot().findall('{http://www.w3.org/2000/svg}text')))`;
  expect(spawnSync('python3', ['-c', script], { encoding: 'utf8' }).stdout).toBe('4\n');
  const text = await exported(`format=text&at=${at(6)}`);
  expect(text.headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(text.headers['content-disposition']).toBe('attachment; filename="dendro-local.txt"');
  const [head = '', ...lines] = text.body.trimEnd().split('\n');
  expect(head).toMatch(/^# \{.*"filter":\{"exited":false,"threads":false,"kernelThreads":false\}.*\}$/);
  expect(lines).toEqual([
    expect.stringContaining('(1)'),
    expect.stringContaining(`=1+2,"<b>&${written}(42)`),
    expect.any(String),
  ]);
});

test('each format has who had ended when that is asked for, or says that it has not', async () => {
  await begin();
  const ended = await exported(`format=json&at=${at(20)}&exited=true`);
  expect(ended.json().about).toMatchObject({ filter: { exited: true }, returned: 3 });
  expect((await exported(`format=json&at=${at(20)}`)).json()).toMatchObject({ about: { returned: 2 } });
  const dot = async (query: string) => (await exported(`format=dot&at=${at(20)}${query}`)).body;
  expect([await dot(''), await dot('&exited=true')].map((body) => body.match(/^ {2}t\d+ \[/gm)?.length)).toEqual([
    2, 3,
  ]);
  const svg = (await exported(`format=svg&at=${at(20)}&exited=true`)).body;
  expect(svg).toContain('&quot;filter&quot;:{&quot;exited&quot;:false');
});

test.each(['=cmd|x', '+1', '-1', '@SUM(1)', '\t=1', '\r=1', '\n=1', '\uff1d1'])(
  'no spreadsheet computes a name such as %j',
  async (name) => {
    server = await TestServer.start({});
    start = BigInt(Date.now()) * 1_000_000n;
    const task = { tid: 42, pid: 42, start: at(1), comm: name };
    await server.post(traceeLine('sched_process_exec', at(2), task, { pathname: name, argv: [name] }));
    const { body } = await exported('format=csv');
    const cells = body.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((cell) => cell.replace(/^"|"$/g, ''));
    expect(cells.filter((cell) => cell.startsWith(`'${name}`)).length).toBeGreaterThan(0);
    expect(cells.filter((cell) => /^[=+@\t\r\n\uff1d]|^-\D/.test(cell))).toEqual([]);
  },
);

test('a stretch of the history is a recording that is replayed', async () => {
  await begin(join(folder, 'data'));
  const idOf = (tree: { readonly tasks: readonly { readonly pid: number; readonly taskId: number }[] }, pid: number) =>
    tree.tasks.find((task) => task.pid === pid)?.taskId;
  const before = (await server.get(`/api/v1/hosts/local/tree?at=${at(6)}`)).json();
  const response = await exported(`format=recording&from=${at(4)}&to=${at(8)}`);
  expect(response.statusCode).toBe(200);
  const file = join(folder, 'window.dendro');
  writeFileSync(file, response.rawPayload);
  await server.stop();

  server = await TestServer.start({ source: `replay:${file}` });
  expect(await server.client.untilComplete(60_000)).toBe(true);
  const again = (await server.get(`/api/v1/hosts/local/tree?at=${at(6)}`)).json();
  for (const pid of [1, 42, 43]) expect(idOf(again, pid), String(pid)).toBe(idOf(before, pid));
  const { source } = (await server.get('/api/v1/hosts')).json().hosts[0];
  expect(source.rejected).toEqual({});
  expect(JSON.stringify(source.notices)).toContain('An extract of a history');
});

test('an extract of this host plays as it was, at its speed, and its trees are those of the history', {
  timeout: 120_000,
}, async () => {
  const source = process.geteuid?.() === 0 ? 'tracefs+cn_proc' : 'procfs';
  const many = { maxProcesses: 20_000, maxThreads: 40_000 };
  const directory = join(folder, 'real');
  server = await TestServer.start({ source, ...many }, { directory });
  expect(await server.client.untilComplete(20_000)).toBe(true);
  await work();
  // Another run of dendro in the middle of it.
  const from = server.client.first.epochNow - 1_000_000_000n;
  await server.stop();
  server = await TestServer.start({ source, ...many }, { directory });
  expect(await server.client.untilComplete(20_000)).toBe(true);
  await work();
  const to = server.client.first.epochNow;
  await work();
  const instants = Array.from({ length: 9 }, (_, i) => from + ((to - from) * BigInt(i)) / 8n);
  const treesOf = (one: TestServer) =>
    Promise.all(instants.map(async (at) => (await one.get(`/api/v1/hosts/local/tree?at=${at}`)).json().tasks));
  const byId = (tasks: readonly { readonly taskId: number }[]) => tasks.toSorted((a, b) => a.taskId - b.taskId);
  const recorded = (await treesOf(server)).map(byId);
  const response = await exported(`format=recording&from=${from}&to=${to}`);
  expect(response.statusCode).toBe(200);
  const file = join(folder, 'real.dendro');
  writeFileSync(file, response.rawPayload);
  await server.stop();

  server = await TestServer.start({ source: `replay:${file}`, ...many });
  expect(await server.client.untilComplete(60_000)).toBe(true);
  const replayed = (await treesOf(server)).map(byId);
  for (const [i, tasks] of replayed.entries()) expect(tasks, `${i} of 8`).toEqual(recorded[i]);
  const { source: status, gaps } = (await server.get('/api/v1/hosts')).json().hosts[0];
  expect(gaps).toBeGreaterThan(0);
  expect(JSON.stringify(status.notices)).toContain('stopped');
  await server.stop();

  const began = performance.now();
  const speed = 4;
  server = await TestServer.start({ source: `replay:${file}`, ...many, speed });
  expect(await server.client.untilComplete(60_000)).toBe(true);
  const lasts = Number(to - from) / 1e6 / speed;
  expect(performance.now() - began).toBeGreaterThan(0.9 * lasts);
  expect(byId((await treesOf(server))[4])).toEqual(recorded[4]);
});

/** Processes that stay, end and run something else, for about a second. */
async function work(): Promise<void> {
  const script = `for i in 1 2 3 4 5 6; do (sleep 3 &); sh -c 'exec sleep 0.2' & sleep 0.1; done; wait`;
  await once(spawn('sh', ['-c', script], { stdio: 'ignore' }), 'exit');
}

test('a format that there is not, and a recording without a beginning, are refused', async () => {
  await begin();
  expect((await exported('format=pdf')).json()).toMatchObject({ code: 'DENDRO_REQUEST_INVALID' });
  expect((await exported('format=recording')).json()).toMatchObject({ code: 'DENDRO_REQUEST_INVALID' });
});

test('without a history a recording is of all that is in memory, and its trees are those of the server', async () => {
  await begin();
  await server.post(exitLine(at(30), { tid: 42, pid: 42, start: at(1), comm: 'tool' }));
  const instants = [0, 1, 2, 4, 6, 9, 20, 40];
  const treesNow = () =>
    Promise.all(
      instants.map(async (ms) => (await server.get(`/api/v1/hosts/local/tree?at=${at(ms)}&exited=true`)).json().tasks),
    );
  const before = await treesNow();
  const response = await exported(`format=recording&from=${at(4)}&to=${at(8)}`);
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-disposition']).toMatch(/^attachment; filename="dendro-local-\d+\.dendro"$/);
  const file = join(folder, 'memory.dendro');
  writeFileSync(file, response.rawPayload);
  await server.stop();

  server = await TestServer.start({ source: `replay:${file}` });
  expect(await server.client.untilComplete(60_000)).toBe(true);
  expect(await treesNow()).toEqual(before);
  const { source } = (await server.get('/api/v1/hosts')).json().hosts[0];
  expect(source).toMatchObject({ events: expect.any(Number), lost: 0, rejected: {} });
  expect(source.notices[0]).toMatch(/^All that was in memory when it was made.* was asked for\.$/);
});
