import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const compose = readFileSync(new URL('../docker-compose.yml', import.meta.url), 'utf8');
const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8');
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

test('what the image copies and runs exists in the workspace', () => {
  const { config } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(dockerfile).toContain('/dendro/apps/server/src/main.ts');
  expect(readFileSync(new URL('../apps/server/src/main.ts', import.meta.url), 'utf8')).not.toBe('');
  for (const [, major] of dockerfile.matchAll(/^FROM node:(\d+)-slim/gm)) expect(config.node).toMatch(`${major}.`);
});
