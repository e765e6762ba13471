import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';

// The launcher runs as it does in life: a process of its own, signalled from outside.

const HAND_OVER = new URL('./hand-over.mjs', import.meta.url).href;
const LAUNCHER = `
  import { handOver } from ${JSON.stringify(HAND_OVER)};
  const [script, ...args] = process.argv.slice(2);
  process.exitCode = await handOver(process.execPath, script, args, { cwd: process.cwd(), env: process.env });
`;
/** Says what it hears, and ends when it is told to on standard input or by two signals. */
const SERVER = `
  let signals = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      console.log(name);
      if (++signals === 2) process.exit(7);
    });
  }
  console.log('pid', process.pid);
  console.log('ready');
  setInterval(() => {}, 1000);
`;

let folder = '';
/** Ends a launcher and, being in a process group of its own, its server. */
const started: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-hand-over-'));
  writeFileSync(join(folder, 'launcher.mjs'), LAUNCHER);
});

afterEach(() => {
  for (const end of started.splice(0)) end();
  rmSync(folder, { recursive: true, force: true });
});

function launch(server: string, ...args: string[]) {
  const script = join(folder, 'server.mjs');
  writeFileSync(script, server);
  const child = spawn(process.execPath, [join(folder, 'launcher.mjs'), script, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const exit = once(child, 'close').then(([code, signal]) => code ?? signal);
  started.push(() => {
    child.kill('SIGKILL');
    const pid = serverPidOf(lines);
    if (pid !== undefined) endIfAlive(pid);
  });
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const hears = (text: string) => expect.poll(() => lines, { timeout: 10_000 }).toContain(text);
  return { child, lines, exit, hears };
}

function serverPidOf(lines: readonly string[]): number | undefined {
  const line = lines.find((text) => text.startsWith('pid '));
  return line === undefined ? undefined : Number(line.slice(4));
}

function endIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}

function groupOf(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2];
}

test('arguments reach the server and its exit status comes back', async () => {
  const { lines, exit } = launch(
    "console.log(process.argv.slice(2).join('|')); process.exitCode = 3;",
    '--port',
    '80 80',
  );
  expect(await exit).toBe(3);
  expect(lines).toEqual(['--port|80 80']);
});

test('a server that ended by a signal is reported as shells do', async () => {
  const { exit } = launch("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);");
  expect(await exit).toBe(137);
});

test('standard input reaches the server to its end', async () => {
  const { child, lines, exit } = launch('process.stdin.pipe(process.stdout);');
  child.stdin?.end('one\ntwo\n');
  expect(await exit).toBe(0);
  expect(lines).toEqual(['one', 'two']);
});

test('copies of one signal arrive as one, and a later signal as a second', async () => {
  const { child, lines, exit, hears } = launch(SERVER);
  await hears('ready');
  child.kill('SIGINT');
  await sleep(20); // npm's copy of the terminal's Ctrl-C
  child.kill('SIGINT');
  await hears('SIGINT');
  await sleep(300);
  expect(lines.filter((line) => line === 'SIGINT')).toHaveLength(1);
  child.kill('SIGINT');
  expect(await exit).toBe(7);
  expect(lines.filter((line) => line === 'SIGINT')).toHaveLength(2);
});

test('a terminal that closes ends the server as SIGTERM does', async () => {
  const { child, hears } = launch(SERVER);
  await hears('ready');
  child.kill('SIGHUP');
  await hears('SIGTERM');
});

test('the terminal does not reach the server past the launcher', async () => {
  const { child, lines, hears } = launch(SERVER);
  await hears('ready');
  const pid = serverPidOf(lines)!;
  expect(groupOf(pid)).toBe(String(pid));
  expect(groupOf(child.pid!)).not.toBe(String(pid));
});

test('when the launcher is killed outright, the server is told to end', async () => {
  const { child, hears } = launch(SERVER);
  await hears('ready');
  child.kill('SIGKILL');
  await hears('SIGTERM');
});

test('a server with nothing to do ends, whether or not somebody listens to its launcher', async () => {
  const { exit } = launch('');
  expect(await exit).toBe(0);
});
