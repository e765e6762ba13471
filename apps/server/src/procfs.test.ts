// What is read of /proc beside and instead of kernel events: hashes, cost and
// short lives, through the whole server.

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { TestServer } from './test-server.ts';

const isRoot = process.geteuid?.() === 0;
const sources = isRoot ? ['procfs', 'tracefs+cn_proc', 'cn_proc'] : ['procfs'];
let server: TestServer;
let child: ChildProcess | undefined;

afterEach(async () => {
  if (child?.kill('SIGKILL')) await once(child, 'exit');
  child = undefined;
  await server.stop();
});

interface Info {
  readonly executionBinary?: { readonly path: string; readonly hash?: string } | null;
  readonly cmd?: readonly string[] | null;
}

/** Empty of a process that is not known. */
async function processOf(pid: number): Promise<Info> {
  const answer = (await server.get(`/api/v1/processes/pid:${pid}`)).json() as { info?: Info };
  return answer.info ?? {};
}

test.each(sources)('with --hash a program has its sha256, by %s, and without it has none', async (source) => {
  server = await TestServer.start({ source, maxProcesses: 10_000, maxThreads: 20_000, hashMaxMb: 64 });
  child = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const { pid = 0 } = child;
  const hash = createHash('sha256').update(readFileSync('/bin/sleep')).digest('hex');
  await expect.poll(async () => (await processOf(pid)).executionBinary?.hash, { timeout: 10_000 }).toBe(hash);
  await expect
    .poll(async () => (await server.metrics()).get('dendro_hashes_total'), { timeout: 10_000 })
    .toBeGreaterThan(0);
  expect((await processOf(pid)).executionBinary?.path).toMatch(/sleep$|busybox|coreutils/);
  await server.stop();
  server = await TestServer.start({ source, maxProcesses: 10_000, maxThreads: 20_000 });
  await expect.poll(async () => (await processOf(pid)).cmd, { timeout: 10_000 }).toEqual(['/bin/sleep', '600']);
  expect((await processOf(pid)).executionBinary).not.toHaveProperty('hash');
});

test.each(sources)('what reading /proc costs is in /metrics, by %s', async (source) => {
  server = await TestServer.start({ source, maxProcesses: 10_000, maxThreads: 20_000 });
  const metric = async (name: string) => (await server.metrics()).get(`dendro_procfs_${name}`);
  await expect.poll(() => metric('reads_total'), { timeout: 10_000 }).toBeGreaterThan(0);
  expect(await metric('seconds_total')).toBeGreaterThan(0);
  await expect.poll(() => metric('waiting'), { timeout: 10_000 }).toBe(0);
  expect(await metric('skipped_total')).toBe(0);
});

test.skipIf(!isRoot)('arguments of programs that live some milliseconds are known (needs root)', async () => {
  server = await TestServer.start({ source: 'tracefs+cn_proc', maxProcesses: 10_000, maxThreads: 20_000 });
  // Other tests take the processors now and then: of a few rounds the best one counts.
  let best = 0;
  for (let round = 0; round < 3 && best < 10; round++) {
    const pids: number[] = [];
    for (let i = 0; i < 20; i++) {
      const short = spawn('/bin/sleep', ['0.01', '0'], { stdio: 'ignore' });
      await once(short, 'exit');
      pids.push(short.pid ?? 0);
    }
    await setTimeout(500); // what was read is passed on after some 100 ms
    const answers = await Promise.all(pids.map(processOf));
    best = Math.max(best, answers.filter(({ cmd }) => cmd?.join(' ') === '/bin/sleep 0.01 0').length);
  }
  // Without a thread that reads as they start there are none.
  expect(best).toBeGreaterThanOrEqual(10);
});
