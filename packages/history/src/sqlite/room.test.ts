// A history gives back what it no longer needs of the disk, and never takes more than it may.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EventNs, epochOf } from '@dendro/protocol';
import { Random } from '@dendro/testkit';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { exec, exit, fork, RecordedHost, seen } from '../contract.ts';
import { answersAt } from '../test-answers.ts';
import { testFolders } from '../test-folders.ts';
import { FILE_NAME } from './database.ts';
import { SqliteHistory, type SqliteHistoryOptions } from './store.ts';

const folder = testFolders();
const SHRINKER = new URL('../test-shrinking.ts', import.meta.url).pathname;
const BASE = { epochNs: 1_795_459_682_000_000_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };
const MIB = 1024 * 1024;
const MS = 1_000_000;
const SMALL = { graceNs: 0, blockLives: 50, keyframeFacts: 500 } as const;
const PROGRAMS = 2500;
const NEWEST = (PROGRAMS * MS + 1) as EventNs;
const LATELY = (PROGRAMS * MS - 700_000) as EventNs;

/** One that cannot be packed, of some three kilobytes. */
function tellNoise(host: RecordedHost, i: number): void {
  const argv = [`/bin/noise-${i}`, randomBytes(3000).toString('base64')];
  host.tell(fork(i, 1000 + i, 1), exec(i + 0.2, 1000 + i, argv), exit(i + 0.5, 1000 + i, 0));
}

/** Some fourteen megabytes. @returns what is said of the end of it */
function record(place: string): unknown[] {
  const history = new SqliteHistory(place, SMALL);
  history.begin(START);
  const host = new RecordedHost(history, BASE).tell(seen(1, 0, 0, ['/sbin/init']));
  for (let i = 1; i <= PROGRAMS; i++) {
    tellNoise(host, i);
    if (i % 20 === 0) history.flush();
  }
  expect(history.state.fileBytes).toBeGreaterThan(12 * MIB);
  history.close();
  return [...answersAt(host.tree.tree, LATELY)].sort();
}

/** As it was laid out before files could become shorter. */
function makeOld(place: string): void {
  const file = new Sqlite(join(place, FILE_NAME));
  file.pragma('journal_mode = DELETE');
  file.pragma('auto_vacuum = NONE');
  file.exec('VACUUM');
  expect(file.pragma('auto_vacuum', { simple: true })).toBe(0);
  file.close();
}

function checkFile(place: string): number {
  const file = new Sqlite(join(place, FILE_NAME));
  expect(file.pragma('integrity_check', { simple: true })).toBe('ok');
  const mode = file.pragma('auto_vacuum', { simple: true }) as number;
  file.close();
  return mode;
}

function openAgain(place: string, options: SqliteHistoryOptions): SqliteHistory {
  const history = new SqliteHistory(place, { ...SMALL, ...options });
  history.begin({ ...START, at: NEWEST });
  return history;
}

/** A quiet host, for so many flushes. @returns bytes of the disk after each */
function pass(history: SqliteHistory, flushes: number): number[] {
  return Array.from({ length: flushes }, (_, i) => {
    history.tick((NEWEST + i) as EventNs);
    history.flush();
    return history.state.fileBytes;
  });
}

test('what is greater than it may be becomes smaller, some pages with each flush, and says what it said', () => {
  const place = folder();
  const answers = record(place);
  let now = 0;
  const maxBytes = 3 * MIB;
  const history = openAgain(place, { maxBytes, monotonicMs: () => now++ });
  const sizes = pass(history, 300);
  const file = sizes.map((size, i) => (sizes[i - 1] ?? size) - size);
  expect(Math.max(...file)).toBeLessThan(MIB);
  expect(sizes.at(-1)).toBeLessThanOrEqual(maxBytes);
  // And not much smaller: what may stay stays.
  expect(sizes.at(-1)).toBeGreaterThan(maxBytes / 2);
  expect([...answersAt(history.asOf(epochOf(BASE, LATELY)).tree, LATELY)].sort()).toEqual(answers);
  history.close();
  expect(checkFile(place)).toBe(2);
});

test('what is gone by its age is given back too, but for what will soon be needed again', () => {
  const place = folder();
  record(place);
  const history = openAgain(place, { maxAgeNs: BigInt(PROGRAMS * MS) / 8n, maxBytes: 32 * MIB });
  const sizes = pass(history, 300);
  expect(sizes.at(-1)).toBeLessThan((sizes[0] as number) / 3);
  history.close();
});

test('a file of before is written anew when that gives back enough, and says what it said', () => {
  const place = folder();
  const answers = record(place);
  makeOld(place);
  const maxBytes = 3 * MIB;
  const history = openAgain(place, { maxBytes });
  expect(pass(history, 300).at(-1)).toBeLessThanOrEqual(maxBytes);
  expect([...answersAt(history.asOf(epochOf(BASE, LATELY)).tree, LATELY)].sort()).toEqual(answers);
  history.close();
  expect(checkFile(place)).toBe(2);
  // And goes on giving back.
  const smaller = openAgain(place, { maxBytes: maxBytes / 2 });
  expect(pass(smaller, 300).at(-1)).toBeLessThanOrEqual(maxBytes / 2);
  smaller.close();
});

test('a file of before that is as great as it may be is left as it is', () => {
  const place = folder();
  record(place);
  makeOld(place);
  const history = openAgain(place, { maxBytes: 100 * MIB });
  pass(history, 20);
  history.close();
  expect(checkFile(place)).toBe(0);
});

test('whatever is recorded, and how fast, file and journal together are never more than they may be', {
  timeout: 120_000,
}, () => {
  const place = folder();
  const maxBytes = 10 * MIB;
  const history = new SqliteHistory(place, { ...SMALL, maxBytes });
  history.begin(START);
  const host = new RecordedHost(history, BASE).tell(seen(1, 0, 0, ['/sbin/init']));
  let greatest = 0;
  for (let i = 1; i <= 2 * PROGRAMS; i++) {
    tellNoise(host, i);
    if (history.pendingBytes < maxBytes / 32) continue;
    history.flush();
    greatest = Math.max(greatest, history.state.fileBytes);
  }
  expect(greatest).toBeLessThanOrEqual(maxBytes);
  expect(greatest).toBeGreaterThan(0.8 * maxBytes);
  history.close();
});

test.each([
  ['whose pages move', false],
  ['that is written anew', true],
])('kill -9 at any moment leaves a file %s whole', { timeout: 120_000 }, async (_, isOld) => {
  const [made, place] = [folder(), folder()];
  const answers = record(made);
  if (isOld) makeOld(made);
  const random = new Random(isOld ? 3 : 4);
  for (let kill = 0; kill < 8; kill++) {
    cpSync(made, place, { recursive: true });
    const child = spawn(process.execPath, [SHRINKER, place, String(3 * MIB), String(NEWEST)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    await once(child.stdout, 'data');
    child.stdout.resume();
    await sleep(random.below(isOld ? 60 : 120));
    child.kill('SIGKILL');
    await closed;
    checkFile(place);
    const history = new SqliteHistory(place, SMALL);
    expect(history.state.damagedParts).toBe(0);
    expect([...answersAt(history.asOf(epochOf(BASE, LATELY)).tree, LATELY)].sort()).toEqual(answers);
    history.close();
  }
});
