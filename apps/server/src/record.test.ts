// `dendro record` as a user runs it, and what is replayed of it.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { TestServer } from './test-server.ts';
import type { WorkerOptions } from './tree-worker/messages.ts';
import { TreeClient } from './tree-worker/tree-client.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const VECTOR = fileURLToPath(new URL('../../../packages/testkit/vectors/tracee/legacy.ndjson', import.meta.url));
const isRoot = process.geteuid?.() === 0;
const SOURCE = isRoot ? 'tracefs+cn_proc' : 'procfs';
const folder = mkdtempSync(join(tmpdir(), 'dendro-record-'));
const LIMITS = { maxProcesses: 16_384, maxThreads: 32_768 };
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(command: string, ...args: string[]): ChildProcess {
  const child = spawn(command, args, { timeout: 25_000, killSignal: 'SIGKILL' });
  children.push(child);
  return child;
}

async function dendro(...args: string[]) {
  const child = start(process.execPath, MAIN, ...args);
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  const [code] = await once(child, 'close');
  return { ...text, code };
}

async function textAt(client: TreeClient, at: string): Promise<string> {
  return new TextDecoder().decode(await client.first.ask({ kind: 'text', at }));
}

async function jsonAt(client: TreeClient, at: string): Promise<object> {
  const json = await client.first.ask({ kind: 'tree', at, withExited: true });
  // How many batches a tree has had is its own affair.
  return { ...(JSON.parse(new TextDecoder().decode(json)) as object), version: 0 };
}

async function replay(file: string, more: Partial<WorkerOptions> = {}): Promise<TreeClient> {
  const client = await TreeClient.start({ ...LIMITS, source: `replay:${file}`, ...more });
  expect(await client.untilComplete(20_000)).toBe(true);
  return client;
}

function nowNs(): string {
  return String(BigInt(Date.now()) * 1_000_000n);
}

/** Waits until a file has been written to, and then for as long again as a batch takes. */
async function untilGrown(file: string, bytes: number): Promise<void> {
  while ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= bytes) await sleep(20);
}

test('replayed, a live capture says as of any instant what the recorder said', { timeout: 60_000 }, async () => {
  const file = join(folder, 'live');
  const recorder = await TreeClient.start({ ...LIMITS, source: SOURCE, recording: { file, isForced: false } });
  await recorder.untilComplete(10_000);
  const instants = [nowNs()];
  for (let round = 0; round < 5; round++) {
    const script = `sleep 0.4 & (exec -a round-${round} sleep 0.6) & sh -c 'sleep 0.05; exit ${round}'; wait`;
    start('bash', '-c', script);
    await sleep(500);
    instants.push(nowNs());
  }
  await sleep(300);
  // Relative to the newest event, both trees may mean different times; these are epoch times, all of the past.
  const [texts, trees] = [new Map<string, string>(), new Map<string, object>()];
  for (const at of instants) {
    texts.set(at, await textAt(recorder, at));
    trees.set(at, await jsonAt(recorder, at));
  }
  const { counts } = recorder.first.status;
  await recorder.stop();
  expect([...texts.values()].join('')).toMatch(/round-4/);
  expect(new Set(texts.values()).size).toBeGreaterThan(3);

  const replayed = await replay(file);
  try {
    for (const at of instants) {
      expect(await textAt(replayed, at)).toBe(texts.get(at));
      expect(await jsonAt(replayed, at)).toEqual(trees.get(at));
    }
    expect(replayed.first.info).toMatchObject({
      name: recorder.first.info.name,
      isLive: false,
      users: recorder.first.info.users,
    });
    expect(replayed.first.status.counts.gaps).toBe(counts.gaps);
    const { source } = replayed.first.status;
    expect(source).toMatchObject({ state: 'ended', rejected: recorder.first.status.source.rejected });
  } finally {
    await replayed.stop();
  }
  const printed = await dendro('tree', '--source', `replay:${file}`, '--at', instants[3] as string);
  expect(printed).toMatchObject({ code: 0, stderr: '', stdout: texts.get(instants[3] as string) });
});

test('after kill -9 everything up to then is in the file, and that it has no end is said', {
  timeout: 60_000,
}, async () => {
  const file = join(folder, 'killed');
  const recorder = start(process.execPath, MAIN, 'record', '-o', file, '--source', SOURCE);
  await untilGrown(file, 1000);
  const child = start('sleep', '54.321');
  const sleeping = `sleep(${child.pid}) 54.321`;
  // Until the recorder has written that, it does not count.
  let replayed: TreeClient | undefined;
  for (let tries = 0; tries < 20; tries++) {
    await sleep(300);
    replayed = await replay(file);
    if ((await textAt(replayed, 'live')).includes(sleeping)) break;
    await replayed.stop();
  }
  const before = nowNs();
  await sleep(200);
  recorder.kill('SIGKILL');
  await once(recorder, 'close');
  await replayed?.stop();

  const whole = await replay(file);
  const cut = join(folder, 'cut');
  writeFileSync(cut, readFileSync(file));
  truncateSync(cut, statSync(file).size - 7);
  const shorter = await replay(cut);
  try {
    const text = await textAt(whole, before);
    expect(text).toContain(sleeping);
    expect(text).toContain(`(${process.pid})`);
    expect(whole.first.status.source.notices.join()).toMatch(/has no end: it was cut off, or is still being written\./);
    expect(shorter.first.status.source.notices.join()).toMatch(/bytes of a record that is not whole were left out/);
    const [{ counts }, { counts: wholeCounts }] = [shorter.first.status, whole.first.status];
    expect(counts.tasks).toBeLessThanOrEqual(wholeCounts.tasks);
    expect(counts.tasks).toBeGreaterThan(0);
  } finally {
    await whole.stop();
    await shorter.stop();
    // The next start takes away the tracing instance that the killed one has left.
    await dendro('tree', '--source', SOURCE);
  }
});

describe('the file', () => {
  test('can be read by its owner only, ends with the source, and is not overwritten without --force', async () => {
    const file = join(folder, 'tracee');
    const first = await dendro('record', '-o', file, '--source', `tracee:${VECTOR}`);
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toMatch(/^dendro: recording tracee:.*\n(.*\n)*dendro: 00:00:0\d {2}\d+ events, \d+ kB\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(file);

    const refused = await dendro('record', '-o', file, '--source', `tracee:${VECTOR}`);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/exists already; .*--force\.\n$/) });
    expect(readFileSync(file).equals(bytes)).toBe(true);

    writeFileSync(file, 'x'.repeat(1_000_000), { mode: 0o644 });
    expect(await dendro('record', '-o', file, '--force', '--source', `tracee:${VECTOR}`)).toMatchObject({ code: 0 });
    expect(statSync(file).size).toBeLessThan(10_000);
    const ofFile = await dendro('tree', '--source', `tracee:${VECTOR}`);
    expect(await dendro('tree', '--source', `replay:${file}`)).toEqual(ofFile);
  });

  test('holds what the recorder could not keep in memory', async () => {
    const events = join(folder, 'many.ndjson');
    const file = join(folder, 'many');
    writeFileSync(events, birthsOfInit(500));
    const limit = ['--max-processes', '16'];
    expect(await dendro('record', '-o', file, '--source', `tracee:${events}`, ...limit)).toMatchObject({ code: 0 });
    const roomy = await replay(file);
    const narrow = await replay(file, { maxProcesses: 100 });
    expect(roomy.first.status.counts).toMatchObject({ tasks: 501, evictedProcesses: 0 });
    expect(narrow.first.status.counts).toMatchObject({ tasks: 100, evictedProcesses: 401 });
    expect(roomy.first.status.source.rejected).toEqual({});
    expect(narrow.first.status.source.rejected).toEqual({});
    await roomy.stop();
    await narrow.stop();
  });

  test('that cannot be written is one sentence, and nothing is left of it', async () => {
    const missing = join(folder, 'none', 'file');
    expect(await dendro('record', '-o', missing, '--source', 'procfs')).toMatchObject({
      code: 1,
      stderr: `dendro: The recording ${missing} cannot be written: its folder is not there; make it first.\n`,
    });
    const unused = join(folder, 'unused');
    expect(await dendro('record', '-o', unused, '--source', 'tracee:/nothing')).toMatchObject({ code: 1 });
    expect(statSync(unused, { throwIfNoEntry: false })).toBeUndefined();
  });

  test.skipIf(!isRoot)(
    'on a full disk ends the recording, and can be replayed as far as it goes (root mounts a small disk)',
    async () => {
      const disk = join(folder, 'disk');
      const events = join(folder, 'many-more.ndjson');
      mkdirSync(disk);
      writeFileSync(events, birthsOfInit(20_000));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk]);
      try {
        const file = join(disk, 'recording');
        const { code, stderr } = await dendro('record', '-o', file, '--source', `tracee:${events}`);
        expect([code, stderr]).toEqual([1, expect.stringMatching(/cannot be written: the disk is full; .*\n/)]);
        const replayed = await replay(file);
        expect(replayed.first.status.source.notices.join()).toMatch(/has no end: it was cut off/);
        await replayed.stop();
      } finally {
        execFileSync('umount', [disk]);
      }
    },
  );

  test('is a file and nothing else', async () => {
    expect(await dendro('record', '-o', '/dev/null', '--force', '--source', 'procfs')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^dendro: The recording \/dev\/null cannot be written: it is not a file/),
    });
  });

  test('ends after --for, and on a signal', async () => {
    const timed = join(folder, 'timed');
    const file = join(folder, 'stopped');
    expect(await dendro('record', '-o', timed, '--source', 'procfs', '--for', '1')).toMatchObject({ code: 0 });
    const stopped = start(process.execPath, MAIN, 'record', '-o', file, '--source', 'procfs');
    await untilGrown(file, 1000);
    await sleep(500);
    stopped.kill('SIGINT');
    expect(await once(stopped, 'close')).toEqual([0, null]);
    const replayed = await replay(file);
    expect(replayed.first.status.source.notices.join()).not.toMatch(/no end/);
    await replayed.stop();
  });
});

test('a replay is served: by pid, by task id and by entity id its tasks are found', async () => {
  const file = join(folder, 'served');
  await dendro('record', '-o', file, '--source', `tracee:${VECTOR}`);
  const [ofFile, ofRecording] = await Promise.all(
    [`tracee:${VECTOR}`, `replay:${file}`].map((source) => TestServer.start({ source })),
  );
  if (ofFile === undefined || ofRecording === undefined) throw new Error('not started');
  await Promise.all([ofFile, ofRecording].map((server) => server.client.untilComplete(10_000)));
  const tree = (await ofFile.get('/api/v1/hosts/local/tree')).body;
  const ids = [...tree.matchAll(/"(?:taskId|id)":"?(\d+)/g)].map(([, id]) => id);
  const entities = [...tree.matchAll(/"entityId":(\d+)/g)].map(([, id]) => `e:${id}`);
  const pids = [...tree.matchAll(/"pid":(\d+)/g)].map(([, pid]) => `pid:${pid}`);
  expect(pids.length).toBeGreaterThan(0);
  for (const id of [...ids, ...entities, ...pids]) {
    const [want, got] = await Promise.all(
      [ofFile, ofRecording].map((server) => server.get(`/api/v1/processes/${id}?at=live`)),
    );
    expect([got?.statusCode, got?.body]).toEqual([want?.statusCode, want?.body]);
  }
  await ofFile.stop();
  await ofRecording.stop();
});

test('--speed is for files of recordings', async () => {
  const said = await dendro('--source', 'procfs', '--speed', '2');
  expect(said).toMatchObject({ code: 1, stderr: expect.stringMatching(/--speed is for recordings/) });
  expect(await dendro('--speed', 'fast')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/number from 0\.001/),
  });
});

/** Lines of Tracee in which init forks so many processes, a millisecond apart. */
function birthsOfInit(count: number): string {
  const epochMs = 1_700_000_000_000;
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      eventName: 'sched_process_fork',
      timestamp: `${epochMs + i}000000`,
      threadStartTime: `${epochMs}000000`,
      hostThreadId: 1,
      hostProcessId: 1,
      hostParentProcessId: 0,
      processName: 'sh',
      args: [
        { name: 'child_tid', value: 1000 + i },
        { name: 'child_pid', value: 1000 + i },
        { name: 'start_time', value: `${epochMs + i}000000` },
      ],
    }),
  ).join('\n');
}
