import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

// Each test sets up a copy of this workspace, without its node_modules, in which one thing is wrong.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COPIED = ['tools', 'package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'apps', 'packages', 'e2e'];
/** Nothing listens on this port of the discard protocol. */
const DEAD_REGISTRY = 'http://127.0.0.1:9/';

let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dendro-run-'));
  for (const name of COPIED) {
    cpSync(join(ROOT, name), join(root, name), {
      recursive: true,
      filter: (path) => !/\/(node_modules|dist|test-results)$/.test(path),
    });
  }
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(root, 'tools/run.mjs'), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status, stdout, lastLine: stderr.trim().split('\n').at(-1) };
}

/** A PATH with Node and nothing else. */
function pathWithNodeAlone(): string {
  const folder = join(root, 'bin');
  mkdirSync(folder);
  symlinkSync(process.execPath, join(folder, 'node'));
  return folder;
}

/** Lets the copy use the pnpm that the workspace has fetched already, so that no test needs a network. */
function giveTools(): void {
  const { node, pnpm } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).config;
  const file = join(ROOT, '.tools/paths.json');
  const known = JSON.parse(readFileSync(file, 'utf8'));
  const key = [node, pnpm, process.platform, process.arch, process.version].join(' ');
  mkdirSync(join(root, '.tools'));
  writeFileSync(join(root, '.tools/paths.json'), JSON.stringify({ key, node: process.execPath, pnpm: known.pnpm }));
}

const hasTools = existsSync(join(ROOT, '.tools/paths.json'));

test('without npx the set-up says what is missing', async () => {
  const { status, lastLine } = await run(['setup'], { PATH: pathWithNodeAlone() });
  expect(status).toBe(1);
  expect(lastLine).toBe('npx was not found: install npm (it comes with Node) and see that npx is on the PATH.');
});

test('an unreachable registry is named as the reason when the tools are to be fetched', async () => {
  const { status, lastLine } = await run(['setup'], {
    npm_config_registry: DEAD_REGISTRY,
    npm_config_cache: join(root, 'npm-cache'),
    npm_config_fetch_retries: '0',
  });
  expect(status).toBe(1);
  expect(lastLine).toMatch(/^pnpm@\S+ could not be fetched because the npm registry cannot be reached/);
});

test.runIf(hasTools)('an unreachable registry is named as the reason when packages are to be installed', async () => {
  giveTools();
  const { status, lastLine } = await run(['setup'], {
    pnpm_config_registry: DEAD_REGISTRY,
    pnpm_config_store_dir: join(root, 'store'),
    pnpm_config_fetch_retries: '0',
  });
  expect(status).toBe(1);
  expect(lastLine).toMatch(/^The dependencies could not be fetched because the npm registry cannot be reached/);
  expect(existsSync(join(root, 'node_modules/.dendro-installed'))).toBe(false);
});

test.runIf(hasTools)('a lockfile that does not match its manifests is named as the reason', async () => {
  giveTools();
  const manifest = join(root, 'packages/protocol/package.json');
  const json = JSON.parse(readFileSync(manifest, 'utf8'));
  writeFileSync(manifest, JSON.stringify({ ...json, dependencies: { ...json.dependencies, fastify: '^5.0.0' } }));
  const { status, lastLine } = await run(['setup']);
  expect(status).toBe(1);
  expect(lastLine).toMatch(/^pnpm-lock.yaml does not match a package.json/);
});

test('npm test that cannot be set up still ends with its closing line and fails', async () => {
  const { status, stdout } = await run(['test'], { PATH: pathWithNodeAlone() });
  expect(status).toBe(1);
  expect(stdout).toContain('npx was not found');
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
});

test('an unknown task or stage is refused in one sentence', async () => {
  expect(await run(['fly'])).toMatchObject({ status: 2, lastLine: 'Unknown task "fly": use start, test or setup.' });
  const { status, lastLine } = await run(['test', '--only', 'units']);
  expect(status).toBe(1);
  expect(lastLine).toMatch(/^Usage: npm test .* typecheck, lint, edges, unit, build, size, e2e\.$/);
});

test('npm runs the scripts without a shell in between, which would keep signals to itself', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(scripts.start).toBe('exec node tools/run.mjs start');
  expect(scripts.test).toBe('exec node tools/run.mjs test');
});
