// What a user sees who starts it wrongly: one clear sentence and a non-zero
// exit. And what is left behind when it ends: nothing.

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Dendro, type DendroOptions, MAIN } from './helpers/dendro.ts';

let folder: string;
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-start-'));
  chmodSync(folder, 0o755);
});
test.afterAll(() => rmSync(folder, { recursive: true }));

/** Starts it, expects it to give up, and returns what it said. */
async function refusal(options: DendroOptions): Promise<string> {
  const dendro = new Dendro(options);
  const { code } = await dendro.ended;
  expect(code).toBe(1);
  expect(dendro.output.trim().split('\n')).toHaveLength(1);
  expect(dendro.output).toMatch(/^dendro: [A-Z"-].*\.\n$/);
  return dendro.output;
}

test('an unknown source is named, with those that there are', async () => {
  const said = await refusal({ args: ['--source', 'oracle'] });
  expect(said).toContain('"oracle"');
  for (const form of ['ebpf', 'tracefs', 'procfs', 'tracee:FILE', 'tracee:-', 'replay:DIR'])
    expect(said).toContain(form);
});

test('a file that is not there, one that may not be read, and a folder are each told apart', async () => {
  const secret = join(folder, 'secret.ndjson');
  writeFileSync(secret, '', { mode: 0o600 });
  expect(await refusal({ args: ['--source', `tracee:${folder}/none.ndjson`] })).toContain('none.ndjson');
  expect(await refusal({ args: ['--source', `tracee:${folder}`] })).toMatch(/folder|directory/);
  expect(await refusal({ args: ['--source', `replay:${folder}`] })).toContain(folder);
  expect(await refusal({ args: ['--source', `replay:${folder}/none`] })).toContain('none');
});

test('a port that is taken is named, and how to get another', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const said = await refusal({ args: ['--source', 'procfs', '--port', String(port)] });
  expect(said).toContain(`Port ${port} is in use`);
  expect(said).toContain('--port');
  await new Promise((resolve) => server.close(resolve));
});

test('without --port the next free port is taken and said', async () => {
  const first = await Dendro.start({ args: ['--source', 'procfs'] });
  const second = await Dendro.start({ args: ['--source', 'procfs'] });
  const [one, two] = [first, second].map((dendro) => Number(new URL(dendro.origin).port)) as [number, number];
  expect(one).toBeGreaterThanOrEqual(7337);
  expect(two).toBeGreaterThan(one);
  expect(second.output).toMatch(/port 7337 is taken, using \d+/);
  await Promise.all([first.stop(), second.stop()]);
});

test('tracefs without root says so and what works instead', async () => {
  const said = await refusal({ args: ['--source', 'tracefs'], asNobody: true });
  expect(said).toMatch(/root/);
  expect(said).toContain('--source procfs');
});

test('tracefs that cannot be mounted says so and what works instead', async () => {
  // Root without the right to mount, in a mount namespace of its own where tracefs is not mounted.
  const script =
    'umount -l /sys/kernel/tracing 2>/dev/null; umount -l /sys/kernel/debug 2>/dev/null; exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$0" "$@"';
  const run = spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', script, process.execPath, MAIN, '--no-history', '--source', 'tracefs'],
    {
      encoding: 'utf8',
      timeout: 20_000,
    },
  );
  expect(run.status).toBe(1);
  expect(run.stderr.trim().split('\n')).toHaveLength(1);
  expect(run.stderr).toMatch(/^dendro: .*mount.*--source procfs.*\.\n$/);
});

for (const [args, names] of [
  [['--port', 'seven'], '--port'],
  [['--port', '70000'], '--port'],
  [['--listen', '0.0.0.0'], '--insecure'],
  [['--sauce', 'procfs'], '--sauce'],
  [['--token-file', '/nonexistent/token'], '--token-file'],
  [['surplus'], 'argument'],
] as const) {
  test(`${args.join(' ')} is refused with a sentence that names ${names}`, async () => {
    expect(await refusal({ args })).toContain(names);
  });
}

test('a token that is easily guessed is refused', async () => {
  expect(await refusal({ args: ['--source', 'procfs'], env: { DENDRO_TOKEN: 'short' } })).toContain('16 characters');
});

test.describe('at the end', () => {
  const instances = (): string[] => {
    const root = readFileSync('/proc/self/mountinfo', 'utf8').includes(' - tracefs ')
      ? '/sys/kernel/tracing/instances'
      : undefined;
    return root === undefined ? [] : readdirSync(root).filter((name) => name.startsWith('dendro'));
  };
  /** Of all of its threads. */
  const childrenOf = (pid: number): string =>
    readdirSync(`/proc/${pid}/task`)
      .map((tid) => readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8').trim())
      .join('');

  test('one Ctrl-C leaves no tracefs instance, no child and no socket, even with a browser connected', async ({
    page,
  }) => {
    const dendro = await Dendro.start({ args: ['--port', '0', '--source', 'tracefs'] });
    expect(instances()).toHaveLength(1);
    await page.goto(dendro.url ?? '');
    await expect(page.getByTestId('connection-state')).toContainText(/connected/i);
    expect(childrenOf(dendro.process.pid ?? 0)).toBe('');
    const { code } = await dendro.stop('SIGINT');
    expect(code).toBe(0);
    expect(instances()).toEqual([]);
    await expect(fetch(dendro.origin)).rejects.toThrow();
  });

  test('the process that loads programs into the kernel ends with it, in order and when it is killed', async () => {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const dendro = await Dendro.start({ args: ['--port', '0', '--source', 'ebpf'] });
      const child = Number(childrenOf(dendro.process.pid ?? 0));
      expect(readFileSync(`/proc/${child}/cmdline`, 'utf8')).toContain('ebpf/child.ts');
      await dendro.stop(signal);
      await expect.poll(() => existsSync(`/proc/${child}`)).toBe(false);
    }
  });

  test('two Ctrl-C at once leave nothing either', async () => {
    const dendro = await Dendro.start({ args: ['--port', '0', '--source', 'tracefs'] });
    dendro.process.kill('SIGINT');
    dendro.process.kill('SIGINT');
    await dendro.ended;
    expect(instances()).toEqual([]);
  });

  test('what a killed run left is removed by the next one, and what a living one uses is not', async () => {
    const killed = await Dendro.start({ args: ['--port', '0', '--source', 'tracefs'] });
    const living = await Dendro.start({ args: ['--port', '0', '--source', 'tracefs'] });
    await killed.stop('SIGKILL');
    expect(instances()).toHaveLength(2);
    const next = await Dendro.start({ args: ['--port', '0', '--source', 'tracefs'] });
    expect(instances()).toHaveLength(2);
    expect((await (await living.get('/readyz')).json()) as object).toEqual({ status: 'ready' });
    await Promise.all([next.stop(), living.stop()]);
    expect(instances()).toEqual([]);
  });
});
