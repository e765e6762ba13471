// `dendro tree` as a user runs it, on this host.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { traceeLine } from './test-server.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const VECTOR = fileURLToPath(new URL('../../../packages/testkit/vectors/tracee/legacy.ndjson', import.meta.url));
/** Far more than it takes, and less than a test may. */
const GIVE_UP_MS = 20_000;
const folder = mkdtempSync(join(tmpdir(), 'dendro-print-'));
const isRoot = process.geteuid?.() === 0;
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true }));

function dendroTree(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, 'tree', ...args], { timeout: GIVE_UP_MS, killSignal: 'SIGKILL' });
  children.push(child);
  return child;
}

async function printed(...args: string[]) {
  const child = dendroTree(...args);
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  const [code] = await once(child, 'close');
  return { ...text, code, pid: child.pid };
}

describe('on a host where processes are born all the time', () => {
  let storm: ChildProcess;

  beforeAll(async () => {
    storm = spawn('sh', ['-c', 'while :; do /bin/true; echo; done']);
    await once(storm.stdout!, 'data');
    storm.stdout?.resume();
  });
  afterAll(() => storm.kill('SIGKILL'));

  test.each(isRoot ? [['tracefs+cn_proc'], ['tracefs'], ['cn_proc'], ['procfs']] : [['procfs']])(
    `%s says what ran before, and ends${isRoot ? '' : ' (what the kernel says can be had by root only)'}`,
    async (source) => {
      const { stdout, code, pid } = await printed('--source', source);
      expect(code).toBe(0);
      for (const known of [process.pid, storm.pid, pid]) expect(stdout).toContain(`(${known})`);
      expect(stdout).toMatch(/\n\(\d+ kernel threads not shown\)\n$/);
    },
  );
});

test('of a feed of several hosts each tree is below its name, and --host-from leaves some out', async () => {
  const file = join(folder, 'hosts');
  const lines = ['n1', 'n\u001b[2J', 'n3'].map((hostName, i) => {
    const task = { tid: 20 + i, pid: 20 + i, start: 1_561_000_000_000_000_000n };
    return traceeLine('sched_process_exec', 1_561_000_000_000_000_001n, task, {}, { hostName });
  });
  writeFileSync(file, lines.join('\n'));
  const { stdout, code } = await printed('--source', `tracee:${file}`);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^n1:\n.*\(20\).*\n\nn\?\[2J:\n.*\(21\).*\n\nn3:\n.*\(22\)/s);
  const some = await printed('--host-from', 'n1', 'n3', '--source', `tracee:${file}`);
  expect(some.stdout).toMatch(/^n1:\n.*\(20\).*\n\nn3:\n.*\(22\)/s);
  expect(some.stderr).toBe('dendro: 1 lines could not be used.\n');
});

test('a feed that never ends is waited for so long and no longer, and that is said', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const { stdout, stderr, code } = await printed('--source', `tracee:${pipe}`, '--wait', '1');
  expect(stdout).toBe('(no process is known to have lived then)\n');
  expect(stderr).toBe(
    'dendro: the source has not told everything within 1 s, so this is what was known by then: give it more time with --wait.\n',
  );
  expect(code).toBe(0);
});

test('a file is printed whole, with a word on each kind of loss', async () => {
  const file = join(folder, 'events.ndjson');
  writeFileSync(file, `${birthsOfInit(40)}\nnot json\n`);
  const { stdout, stderr, code } = await printed('--source', `tracee:${file}`, '--max-processes', '16');
  expect(stdout.match(/[├└]─sh\(/g)).toHaveLength(15);
  expect(stderr).toMatch(
    /^dendro: 1 lines could not be used\.\ndendro: 2\d tasks had to leave memory: keep more with --max-processes and --max-threads\.\n$/,
  );
  expect(code).toBe(0);
});

test('a reader that has seen enough is no failure', async () => {
  const file = join(folder, 'many.ndjson');
  writeFileSync(file, birthsOfInit(20_000));
  const child = dendroTree('--source', `tracee:${file}`, '--max-processes', '30000');
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
  });
  child.stdout?.once('data', () => child.stdout?.destroy());
  const [code] = await once(child, 'close');
  expect([code, stderr]).toEqual([0, '']);
});

test('a source that cannot be used is one sentence and a failure', async () => {
  expect(await printed('--source', `tracee:${join(folder, 'nothing')}`)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^dendro: The file \S+ cannot be used: there is no such file; .*\.\n$/),
  });
  expect(await printed('--source', `tracee:${VECTOR}`, '--wait', '0')).toMatchObject({ code: 1, stdout: '' });
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
