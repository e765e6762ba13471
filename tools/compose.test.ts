import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const compose = read('docker-compose.yml');
const dockerfile = read('Dockerfile');
const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0;

test.skipIf(!hasCompose)(
  'docker compose accepts the file, with every profile (skipped: no docker compose here)',
  () => {
    execFileSync('docker', ['compose', '--profile', '*', 'config', '--quiet'], { cwd: ROOT, stdio: 'pipe' });
  },
);

test('every published port is on loopback', () => {
  const published = compose.split('\n').filter((line) => /^\s*- .*\d+:\d+$/.test(line) && !line.includes('/'));
  expect(published).toHaveLength(2);
  for (const line of published) expect(line).toMatch(/- 127\.0\.0\.1:\d+:\d+$/);
});

test('what the images run exists in the workspace, on the pinned Node', () => {
  const { config } = JSON.parse(read('package.json'));
  const scripts = [dockerfile, compose].map((text) => /node\S* \/dendro\/(\S+\.ts)|"\/dendro\/(\S+\.ts)"/.exec(text));
  for (const match of scripts) expect(existsSync(join(ROOT, match?.[1] ?? match?.[2] ?? 'nothing'))).toBe(true);
  for (const [, major] of dockerfile.matchAll(/^FROM node:(\d+)-slim/gm)) expect(config.node).toMatch(`${major}.`);
});
