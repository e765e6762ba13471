// `dendro tree`: the tree in a terminal, now and as it was.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { MAIN } from './helpers/dendro.ts';

const RECORDING = fileURLToPath(new URL('../packages/testkit/recordings/core-strace', import.meta.url));

function dendroTree(...args: string[]) {
  return spawnSync(process.execPath, [MAIN, 'tree', ...args], { encoding: 'utf8', timeout: 30_000 });
}

test('a recording is printed as it was at an instant, and differently at another', () => {
  const at = (time: string) => dendroTree('--source', `replay:${RECORDING}`, '--at', time);
  // The workload's script and its three children, which were born within two milliseconds.
  const early = at('1795459682838000000');
  expect(early.stderr).toBe('');
  expect(early.stdout).toMatch(/└─wl\.sh\(14677\)/);
  for (const pid of [14678, 14679, 14680]) expect(early.stdout).toMatch(new RegExp(`[├└]─\\S+\\(${pid}\\)`));
  const late = at('2026-11-23T18:48:03.1Z');
  expect(late.stdout).toContain('wl.sh(14677)');
  expect(late.stdout).not.toContain('(14678)');
  expect(at('1000000000000000000').stdout).toBe('(no process is known to have lived then)\n');
});

test('a living host is printed with this very command in it, below the one that called it', () => {
  const { stdout, status } = dendroTree();
  expect(status).toBe(0);
  const lines = stdout.split('\n');
  const own = lines.findIndex((line) => /\(\d+\) .*main\.ts tree/.test(line));
  const caller = lines.findLastIndex((line, i) => i < own && line.includes(`(${process.pid})`));
  expect(caller).toBeGreaterThan(0);
  expect(stdout).toMatch(/\(\d+ kernel threads not shown\)\n$/);
});

test('a time that is none is refused in one sentence', () => {
  const { stderr, status } = dendroTree('--source', 'procfs', '--at', 'never');
  expect([status, stderr]).toEqual([
    1,
    'dendro: "never" is not a time: use epoch nanoseconds, RFC 3339, -5m or live.\n',
  ]);
});
