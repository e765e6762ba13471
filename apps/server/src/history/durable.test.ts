// The history of a real host, kept by real servers: stopped, killed, two in one directory, without a disk to write on.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const TOKEN = 'a-token-that-nobody-guesses';
const IS_ROOT = process.geteuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), 'dendro-durable-'));
const started: ChildProcess[] = [];
const mounted: string[] = [];
let directories = 0;
const newDirectory = () => join(folder, `data-${directories++}`);

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const place of mounted.splice(0)) execFileSync('umount', ['-l', place]);
});
afterAll(() => rmSync(folder, { recursive: true }));

class Server {
  readonly process: ChildProcess;
  output = '';
  readonly #port: number;

  constructor(port: number, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#port = port;
    const all = [MAIN, '--port', String(port), ...args];
    this.process = spawn(process.execPath, all, { env: { ...process.env, DENDRO_TOKEN: TOKEN, ...env } });
    started.push(this.process);
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  /** Waits until it serves, or has refused to. */
  static async start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Server> {
    const server = new Server(await freePort(), args, env);
    await until(
      () => server.output.includes('is running') || server.process.exitCode !== null,
      () => server.output,
    );
    return server;
  }

  // biome-ignore lint/suspicious/noExplicitAny: JSON, of which each test says what it expects
  async ask(path: string): Promise<any> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return (await fetch(`http://127.0.0.1:${this.#port}/api/v1/hosts${path}`, { headers })).json();
  }

  async metrics(): Promise<string> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return (await fetch(`http://127.0.0.1:${this.#port}/metrics`, { headers })).text();
  }

  /** The task id of a process that lives. */
  async idOf(pid: number): Promise<number> {
    let id: number | undefined;
    await until(
      async () => {
        const { info } = await this.ask(`/local/processes/pid:${pid}`);
        id = info?.comm === 'sleep' ? info.taskId : undefined;
        return id !== undefined;
      },
      () => `${pid} is not seen`,
    );
    return id as number;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.process, 'exit');
    this.process.kill(signal);
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function until(isSo: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await isSo()) return;
    await sleep(200);
  }
  throw new Error(`waited in vain: ${what()}`);
}

function startSleep(): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['600']);
  started.push(child);
  if (child.pid === undefined) throw new Error('no sleep');
  return child as ChildProcess & { readonly pid: number };
}

/** Until nothing more fits: the server writes at the same time. */
function fill(place: string): void {
  const ballast = openSync(join(place, 'ballast'), 'w');
  try {
    for (;;) writeSync(ballast, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(ballast);
  }
}

const now = () => BigInt(Date.now()) * 1_000_000n;

// The second with whatever works best here, as root the events of the kernel.
test.each([
  ['SIGTERM', ['--source', 'procfs']],
  ['SIGKILL', []],
] as const)(
  'after %s and a start anew a task is who it was, and who has ended is found',
  { timeout: 240_000 },
  async (signal, source) => {
    const args = [...source, '--data-dir', newDirectory()];
    const first = await Server.start(args);
    const [staying, leaving, dying] = [startSleep(), startSleep(), startSleep()];
    const [stays, leaves, dies] = [
      await first.idOf(staying.pid),
      await first.idOf(leaving.pid),
      await first.idOf(dying.pid),
    ];
    const allLive = now();
    leaving.kill();
    await until(
      async () => (await first.ask(`/local/processes/${leaves}`)).info.isAlive === false,
      () => 'its end',
    );
    // What is not on the disk yet goes with a kill: wait until it is.
    await until(
      async () => {
        const { newest } = await first.ask('/local/history');
        return BigInt(newest) > allLive + 1_000_000_000n;
      },
      () => 'the history to be of later',
    );
    await sleep(500);
    await first.end(signal);
    const whileDown = now();
    dying.kill();
    await once(dying, 'exit');

    const second = await Server.start(args);
    expect(await second.idOf(staying.pid)).toBe(stays);
    const then = await second.ask(`/local/tree?at=${allLive}`);
    const living = then.tasks.map(({ taskId }: { readonly taskId: number }) => taskId);
    expect(living).toEqual(expect.arrayContaining([stays, leaves, dies]));
    expect((await second.ask(`/local/lineage/${leaves}?at=${allLive}`)).lineage[0].info).toMatchObject({
      taskId: leaves,
      pid: leaving.pid,
      comm: 'sleep',
    });
    const { lives } = await second.ask(`/local/search?comm=sleep&pid=${leaving.pid}`);
    expect(lives[0]).toMatchObject({ taskId: leaves, cmd: ['sleep', '600'] });
    expect(BigInt(lives[0].exitTime)).toBeGreaterThan(allLive);
    // Who ended while nobody looked has ended, as the first scan of /proc finds.
    await until(
      async () => (await second.ask(`/local/processes/${dies}`)).info.isAlive === false,
      () => 'the end of who is not there',
    );
    const { gaps } = await second.ask('/local/gaps');
    const gap = gaps.find(({ why }: { readonly why: string }) => why === (signal === 'SIGKILL' ? 'killed' : 'stopped'));
    expect(BigInt(gap.from)).toBeLessThanOrEqual(whileDown);
    expect(BigInt(gap.to)).toBeGreaterThanOrEqual(whileDown);
    const counted = await second.ask(`/local/histogram?from=${allLive - 60_000_000_000n}`);
    expect(counted.gaps).toEqual(expect.arrayContaining([gap]));
    await second.end('SIGTERM');
  },
);

test('a directory is of one server; with another it refuses to start, and where none was named it goes without', {
  timeout: 240_000,
}, async () => {
  const state = newDirectory();
  const directory = join(state, 'dendro');
  const first = await Server.start(['--source', 'procfs', '--data-dir', directory]);
  const refused = await Server.start(['--source', 'procfs', '--data-dir', directory]);
  expect(refused.process.exitCode).toBe(1);
  expect(refused.output).toMatch(/^dendro: Another dendro keeps its history in .*: stop it, or .* --no-history\.\n$/);
  const without = await Server.start(['--source', 'procfs'], { XDG_STATE_HOME: state });
  expect(without.output).toMatch(/note: Nothing is recorded, .* Another dendro keeps its history in/);
  expect((await without.ask('')).hosts[0].source.notices[0]).toMatch(/^Nothing is recorded/);
  expect(await without.ask('/local/history')).toMatchObject({ code: 'DENDRO_HISTORY_OFF' });
  expect((await first.ask('/local/history')).state).toBe('recording');
});

test('with --no-history nothing is written, and options that do not fit together are refused', {
  timeout: 120_000,
}, async () => {
  const state = newDirectory();
  mkdirSync(state);
  const server = await Server.start(['--source', 'procfs', '--no-history'], { XDG_STATE_HOME: state });
  expect(server.output).not.toContain('history:');
  await server.end('SIGTERM');
  expect(readdirSync(state)).toEqual([]);
  const both = await Server.start(['--no-history', '--data-dir', state]);
  expect(both.output).toBe('dendro: Give either --data-dir or --no-history, not both.\n');
});

test.skipIf(!IS_ROOT)(
  'a full disk is loud, serving goes on, and so does recording when there is room',
  { timeout: 240_000 },
  async () => {
    const place = newDirectory();
    mkdirSync(place);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'dendro-test', place]);
    mounted.push(place);
    const server = await Server.start(['--source', 'procfs', '--data-dir', place]);
    const child = startSleep();
    const id = await server.idOf(child.pid);
    fill(place);
    const problemOf = async () => (await server.ask('/local/history')).problem;
    await until(
      async () => {
        execFileSync('true'); // something to record
        return (await problemOf()) !== null;
      },
      () => 'a problem',
    );
    expect(await problemOf()).toMatch(/cannot be written .* recording has stopped/);
    await until(
      async () =>
        (await server.ask('')).hosts[0].source.notices.some((notice: string) => notice.includes('cannot be written')),
      () => 'a notice',
    );
    expect(await server.metrics()).toContain('dendro_history_up{host="local"} 0');
    expect(server.output).toMatch(/dendro: The history in .* cannot be written/);
    expect((await server.ask(`/local/processes/${id}`)).info.isAlive).toBe(true);
    rmSync(join(place, 'ballast'));
    await until(
      async () => (await problemOf()) === null,
      () => 'the end of the problem',
    );
    await until(
      async () => server.output.includes('is recorded again'),
      () => 'that it is said',
    );
    expect((await server.ask('/local/history')).state).toBe('recording');
  },
);
