// `dendro run` as a user runs it, on the real kernel.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DendroError } from '@dendro/protocol';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cannotTrace } from './run-command.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const INSTANCES = '/sys/kernel/tracing/instances';
const GIVE_UP_MS = 25_000;
const isRoot = process.geteuid?.() === 0;
const TOKEN = 'a-token-that-nobody-guesses';
const children: ChildProcess[] = [];
const state = mkdtempSync(join(tmpdir(), 'dendro-run-'));
chmodSync(state, 0o755); // another user looks for a program in there
const runs = join(state, 'dendro', 'runs');
const run = promisify(execFile);

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGTERM');
});
afterAll(() => rmSync(state, { recursive: true }));

class Dendro {
  /** Of those that are started. */
  static env: Readonly<Record<string, string>> = {};
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #said: (() => void)[] = [];

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [MAIN, 'run', '--port', '0', ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, DENDRO_TOKEN: TOKEN, XDG_STATE_HOME: state, ...Dendro.env },
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
    return ((await (await this.get('tree?exited=true')).json()) as { tasks: Task[] }).tasks;
  }

  /** What is answered about its host. */
  get(path: string): Promise<Response> {
    return fetch(`${this.origin}/api/v1/hosts/local/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  }

  get origin(): string {
    return /http:\/\/127\.0\.0\.1:\d+/.exec(this.stderr)?.[0] ?? '';
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
      const { stdout } = await run(process.execPath, [MAIN, 'tree', ...source], { encoding: 'utf8' });
      expect(stdout).toContain('main.ts run --port 0');
      const again = new Dendro('--exit', '-o', file, 'true');
      expect(await again.status()).not.toBe(0);
      expect(again.stderr).toContain(file);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('without -o it is kept in a file of its own, and said how to see it again', async () => {
    const dendro = new Dendro('--exit', '--', 'sh', '-c', '(exit 3); exit 8');
    expect(await dendro.status()).toBe(8);
    const [, file = ''] =
      /Recorded in (\S+): drop it on the page, or see it again with {2}dendro --source replay:\1\n/.exec(
        dendro.stderr,
      ) ?? [];
    expect(file).toMatch(new RegExp(`^${runs}/sh-\\d{8}T\\d{6}Z-${dendro.child.pid}\\.dendro$`));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { stdout } = await run(process.execPath, [MAIN, 'tree', '--source', `replay:${file}`], { encoding: 'utf8' });
    expect(stdout).toContain('main.ts run --port 0');

    const before = readdirSync(runs);
    const none = new Dendro('--exit', '--no-record', 'true');
    expect(await none.status()).toBe(0);
    expect(none.stderr).not.toContain('Recorded');
    expect(readdirSync(runs)).toEqual(before);
  });

  test('when it has ended, what is in memory is a recording too; what needs a history says so', async () => {
    const dendro = new Dendro('--no-record', '--', 'sh', '-c', '(exit 3); exit 8');
    await dendro.says(/sh ended with status 8/);
    await expect.poll(async () => (await dendro.tasks()).some(({ exitCode }) => exitCode === 8)).toBe(true);
    const answer = await dendro.get('export?format=recording&from=-1h');
    expect(answer.status).toBe(200);
    const file = join(state, 'memory.dendro');
    writeFileSync(file, new Uint8Array(await answer.arrayBuffer()));
    const { stdout } = await run(process.execPath, [MAIN, 'tree', '--source', `replay:${file}`], { encoding: 'utf8' });
    expect(stdout).toContain('main.ts run --port 0');
    const refusal = (await (await dendro.get('search?q=sh')).json()) as { code: string; message: string };
    expect(refusal.code).toBe('DENDRO_HISTORY_OFF');
    expect(refusal.message).not.toContain('--no-history');
    expect(refusal.message).toContain('export?format=recording&from=-1h');
  });

  describe('with a desktop', () => {
    const told = join(state, 'told');
    const env = { PATH: `${state}:${process.env['PATH']}`, DISPLAY: ':99' };
    const opened = () =>
      expect.poll(() => (existsSync(told) ? readFileSync(told, 'utf8').trim().split('\n') : [])).toHaveLength(4);
    beforeEach(() => {
      Dendro.env = env;
      rmSync(told, { force: true });
      writeFileSync(
        told.replace('told', 'xdg-open'),
        `#!/bin/sh
umask 0
{ echo "$1"; id -u; id -G; echo "token:$DENDRO_TOKEN home:$HOME display:$DISPLAY"; } > ${told}.new && mv ${told}.new ${told}
`,
      );
      chmodSync(join(state, 'xdg-open'), 0o755);
      chmodSync(state, 0o777);
    });
    afterEach(() => {
      Dendro.env = {};
    });

    test("--open gives the browser a ticket, not the token; the ticket is for its user only, and it is in nobody's tree", async () => {
      const dendro = new Dendro('--open', '--no-record', '--', 'sh', '-c', 'sleep 0.5; (exit 3); exit 8');
      await opened();
      const [url = '', uid] = readFileSync(told, 'utf8').split('\n');
      expect(url).toMatch(new RegExp(`^${dendro.origin}/\\?ticket=[\\w-]{32}$`));
      expect(readFileSync(told, 'utf8')).not.toContain(TOKEN);
      expect(uid).toBe('0');
      await dendro.says(/sh ended with status 8/);
      await expect.poll(async () => (await dendro.tasks()).some(({ exitCode }) => exitCode === 8)).toBe(true);
      expect((await dendro.tasks()).map(({ comm }) => comm)).not.toContain('xdg-open');

      const page = await fetch(url, { redirect: 'manual' });
      expect(page.status).toBe(303);
      expect(page.headers.get('location')).toBe('/');
      expect(page.headers.get('set-cookie')).toMatch(/^dendro_\d+=/);
      expect(
        (
          await fetch(
            url.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
            { redirect: 'manual' },
          )
        ).status,
      ).toBe(401);
      const asOther = `import encodings.idna, http.client, os
os.setuid(65534)
c = http.client.HTTPConnection(${JSON.stringify(new URL(url).host)})
c.request('GET', ${JSON.stringify(new URL(url).pathname + new URL(url).search)})
r = c.getresponse()
print(r.status, r.getheader('set-cookie'))`;
      expect((await run('python3', ['-c', asOther], { encoding: 'utf8' })).stdout).toBe('401 None\n');
    });

    test('with sudo --open is for whoever called it, without anything of root', async () => {
      Dendro.env = { ...env, SUDO_UID: '65534', SUDO_GID: '65534' };
      const dendro = new Dendro('--open', '--no-record', 'sleep', '600');
      await dendro.says(/Dendro is running at/);
      await opened();
      const [, uid, groups, environment] = readFileSync(told, 'utf8').split('\n');
      expect([uid, groups]).toEqual(['65534', '65534']);
      expect(environment).toMatch(/^token: home:(?!\/root).* display::99$/);
    });

    test('root who does not ask gets none, and is told how; where there is no desktop that is said', async () => {
      const asked = `${process.execPath} ${MAIN} run --port 0 --no-record -- true`;
      const inTerminal = spawn('script', ['-qec', asked, '/dev/null'], {
        env: { ...process.env, ...env, XDG_STATE_HOME: state },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      children.push(inTerminal);
      let said = '';
      inTerminal.stdout.on('data', (part) => {
        said += part;
      });
      await expect.poll(() => said, { timeout: 20_000 }).toContain('Its tree is served until Ctrl-C.');
      expect(said).toContain('note: --open opens it in the browser');
      expect(existsSync(told)).toBe(false);

      Dendro.env = { ...env, DISPLAY: '', WAYLAND_DISPLAY: '' };
      const none = new Dendro('--open', '--exit', '--no-record', 'true');
      expect(await none.status()).toBe(0);
      expect(none.stderr).toContain('No browser is opened: there is no desktop here');
    });
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
