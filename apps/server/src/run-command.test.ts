// `dendro run` as a user runs it, on the real kernel.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DendroError } from '@dendro/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { cannotTrace } from './run-command.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const INSTANCES = '/sys/kernel/tracing/instances';
const GIVE_UP_MS = 25_000;
const isRoot = process.geteuid?.() === 0;
const TOKEN = 'a-token-that-nobody-guesses';
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGTERM');
});

class Dendro {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #said: (() => void)[] = [];

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [MAIN, 'run', '--port', '0', ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, DENDRO_TOKEN: TOKEN },
      timeout: GIVE_UP_MS,
    });
    children.push(this.child);
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]?.setEncoding('utf8').on('data', (part: string) => {
        this[name] += part;
        for (const look of this.#said) look();
      });
    }
  }

  async says(pattern: RegExp): Promise<void> {
    if (pattern.test(this.stderr)) return;
    await new Promise<void>((resolve, reject) => {
      this.#said.push(() => {
        if (pattern.test(this.stderr)) resolve();
      });
      this.child.once('close', () => reject(new Error(`it ended and had said: ${this.stderr}`)));
    });
  }

  async status(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  /** Every process of the tree, ended ones too. */
  async tasks(): Promise<Task[]> {
    const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(this.stderr)?.[1];
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/hosts/local/tree?exited=true`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    return ((await answer.json()) as { tasks: Task[] }).tasks;
  }
}

interface Task {
  readonly taskId: number;
  readonly parentTaskId: number | null;
  readonly pid: number;
  readonly comm: string | null;
  readonly exitCode: number | null;
  readonly signal: number | null;
}

const instances = () => (existsSync(INSTANCES) ? readdirSync(INSTANCES) : []);

describe.skipIf(!isRoot)('dendro run (only root may trace)', () => {
  test('the command has our streams, its tree is whole and nothing else is in it, and it is served on', async () => {
    const script = 'read line; echo "got $line"; (exit 3); /bin/true; (exec sh -c "exit 5"); exit 7';
    const dendro = new Dendro('--', 'sh', '-c', script);
    await dendro.says(/Dendro is running at/);
    const foreign = spawn('sh', ['-c', 'sleep 0.01; exit 9']);
    await once(foreign, 'exit');
    dendro.child.stdin?.end('a line\n');
    await dendro.says(/sh ended with status 7\. Its tree is served until Ctrl-C\./);
    await expect.poll(async () => (await dendro.tasks()).filter(({ exitCode }) => exitCode === 7)).toHaveLength(1);
    const tasks = await dendro.tasks();
    const root = tasks.find(({ exitCode }) => exitCode === 7);
    const below = tasks.filter(({ parentTaskId }) => parentTaskId === root?.taskId);

    expect(dendro.stdout).toBe('got a line\n');
    expect(tasks.find(({ taskId }) => taskId === root?.parentTaskId)).toMatchObject({ pid: dendro.child.pid });
    expect(below.map(({ exitCode }) => exitCode)).toEqual([3, 0, 5]);
    expect(tasks.some(({ pid }) => pid === foreign.pid)).toBe(false);

    dendro.child.kill('SIGINT');
    expect(await dendro.status()).toBe(0);
    expect(instances().filter((name) => name.includes(`-${dendro.child.pid}-`))).toEqual([]);
  });

  test('Ctrl-C is for the command first', async () => {
    const dendro = new Dendro('--', 'sleep', '600');
    await dendro.says(/Dendro is running at/);
    await expect.poll(async () => (await dendro.tasks()).filter(({ comm }) => comm === 'sleep')).toHaveLength(1);
    dendro.child.kill('SIGINT');
    await dendro.says(/sleep was ended by SIGINT\. Its tree is served until Ctrl-C\./);
    await expect.poll(async () => (await dendro.tasks()).some(({ signal }) => signal === 2)).toBe(true);
    dendro.child.kill('SIGINT');
    expect(await dendro.status()).toBe(0);
  });

  test('--exit ends with the status of the command, also of one that a signal ends or that does not start', async () => {
    expect(await new Dendro('--exit', '--', 'sh', '-c', 'exit 42').status()).toBe(42);
    expect(await new Dendro('--exit', 'sh', '-c', 'kill -KILL $$').status()).toBe(137);
    const missing = new Dendro('--exit', 'no-such-program', '--option');
    expect(await missing.status()).toBe(127);
    expect(missing.stderr).toContain('no-such-program cannot be started: there is no such program.');
  });

  test('-o keeps what it sees as a recording', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dendro-run-'));
    const file = join(folder, 'run.dendro');
    try {
      expect(await new Dendro('--exit', '-o', file, '--', 'sh', '-c', '(exit 3); exit 8').status()).toBe(8);
      const source = ['--source', `replay:${file}`];
      const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'tree', ...source], { encoding: 'utf8' });
      expect(stdout).toContain('main.ts run --port 0');
      const again = new Dendro('--exit', '-o', file, 'true');
      expect(await again.status()).not.toBe(0);
      expect(again.stderr).toContain(file);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('SIGTERM ends the command, and dendro with it', async () => {
    const dendro = new Dendro('sleep', '600');
    await dendro.says(/Dendro is running at/);
    await expect.poll(async () => (await dendro.tasks()).some(({ comm }) => comm === 'sleep')).toBe(true);
    dendro.child.kill('SIGTERM');
    expect(await dendro.status()).toBe(143);
    expect(dendro.stderr).toContain('sleep was ended by SIGTERM.\n');
  });

  test('a process goes on in the tree when another of its threads calls exec', async () => {
    const script = `import os, threading
threading.Thread(target=lambda: os.execv('/bin/sh', ['sh', '-c', 'sleep 0.3; (exit 4); exit 6'])).start()
threading.Event().wait()`;
    const dendro = new Dendro('python3', '-c', script);
    await dendro.says(/python3 ended with status 6/);
    await expect.poll(async () => (await dendro.tasks()).filter(({ exitCode }) => exitCode === 6)).toHaveLength(1);
    const tasks = await dendro.tasks();
    const root = tasks.find(({ exitCode }) => exitCode === 6);
    expect(root).toMatchObject({ comm: 'sh' });
    const children = tasks.filter(({ parentTaskId }) => parentTaskId === root?.taskId);
    // Others may come before: python3 can be a script that looks for the real one.
    expect(children.slice(-2).map(({ exitCode }) => exitCode)).toEqual([0, 4]);
  });
});

test('without kernel events one sentence says what is needed', () => {
  const missing = new DendroError(
    'DENDRO_SOURCE_UNAVAILABLE',
    'Source tracefs cannot be used: this kernel has no tracefs (there is no /sys/kernel/tracing); use --source procfs.',
  );
  expect(cannotTrace(missing).message).toBe(
    'dendro run needs root and eBPF or the tracefs of the kernel, and neither can be used here (dendro doctor tells more): this kernel has no tracefs (there is no /sys/kernel/tracing).',
  );
});
