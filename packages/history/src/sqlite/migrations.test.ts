// Files that earlier versions have left are opened and answer; those of later versions are refused.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { NO_TASK, type TaskIndex } from '@dendro/engine';
import { type EventNs, epochOf } from '@dendro/protocol';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { exec, fork, RecordedHost } from '../contract.ts';
import { testFolders } from '../test-folders.ts';
import { FILE_NAME } from './database.ts';
import { MIGRATIONS } from './migrations.ts';
import { SqliteHistory } from './store.ts';

const folder = testFolders();
const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const FIRST = { epochNs: 1_795_459_682_000_000_000n };
const SECOND = { epochNs: FIRST.epochNs + 100_000_000_000n };
const MS = 1_000_000;

/** A directory as a dendro of that schema has left it. */
function leftBy(schema: number): string {
  const place = folder();
  for (const name of [FILE_NAME, `${FILE_NAME}-wal`]) {
    const packed = readFileSync(join(FIXTURES, `schema-${schema}-${name}.zst`));
    writeFileSync(join(place, name), zstdDecompressSync(packed));
  }
  return place;
}

function livingAt(history: SqliteHistory, epochNs: bigint): number[] {
  const { tree, at } = history.asOf(epochNs);
  const pids: number[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (tree.isPresent(task) && !tree.isThread(task) && tree.isAliveAt(task, at)) pids.push(tree.pidOf(task));
  }
  return pids.sort((a, b) => a - b);
}

test('there is a file of every schema', () => {
  const schemas = new Set(readdirSync(FIXTURES).flatMap((name) => /^schema-(\d+)-/.exec(name)?.[1] ?? []));
  expect([...schemas].map(Number).sort((a, b) => a - b)).toEqual(MIGRATIONS.map((_, i) => i + 1));
});

test.each(MIGRATIONS.map((_, i) => i + 1))('a file of schema %i answers as it did, and is recorded on', (schema) => {
  const place = leftBy(schema);
  let history = new SqliteHistory(place, { graceNs: 0, blockLives: 4 });
  /** @param more programs that were begun since */
  const check = (more = 0) => {
    for (const [name, base] of [
      ['first', FIRST],
      ['second', SECOND],
    ] as const) {
      const epoch = (ms: number) => epochOf(base, (ms * MS) as EventNs);
      // Every fifth goes on, of the others one at a time is there.
      expect(livingAt(history, epoch(1225))).toEqual([1, 300, 1000, 1002]);
      expect(livingAt(history, epoch(4999))).toEqual([1, 300, 1000, 1005, 1010, 1015, 1020, 1025, 1030, 1035]);
      expect(livingAt(history, epoch(6001))).not.toContain(1000);
      const found = history.search({ path: `/usr/bin/${name}-7`, exitCode: 1 });
      expect(found.lives).toMatchObject([
        {
          pid: 1007,
          argv: [`/usr/bin/${name}-7`, '--number', '7'],
          startEpochNs: epoch(1700),
          endEpochNs: epoch(1750),
          uid: 1000,
        },
      ]);
      expect(history.search({ container: 'f00d', path: name }).total).toBe(4);
      expect(history.gaps(epoch(5000), epoch(5300))).toMatchObject([{ lost: 7, why: 'source' }]);
      const { births, execs, exits } = history.histogram(epoch(0), epoch(7000), 1);
      expect([births, execs, exits].map((counts) => counts.reduce((sum, count) => sum + count))).toEqual([41, 40, 33]);
      // Counters go on in minutes and hours, of both boots.
      for (const days of [1, 3, 8, 30]) {
        const around = BigInt(days) * 86_400_000_000_000n;
        const both = history.histogram(FIRST.epochNs - around, SECOND.epochNs + around, 500);
        const sums = [both.births, both.execs, both.exits].map((counts) => counts.reduce((sum, count) => sum + count));
        expect(sums).toEqual([82 + more, 80 + more, 66]);
      }
      const { tree, taskId, at } = history.taskAsOf({ pid: 1005 }, epoch(5050));
      const task = taskId === undefined ? NO_TASK : tree.indexOf(taskId);
      expect(tree.textAt(task, 'comm', at)).toBe(`${name}-5`);
    }
    expect(history.clock()).toEqual([{ epochNs: FIRST.epochNs + 100_000_000n, wallNs: FIRST.epochNs + 100_000_000n }]);
    expect([...history.batches(FIRST.epochNs, SECOND.epochNs - 1n)].length).toBeGreaterThan(100);
  };
  check();
  const { isSameEra, newestTaskId } = history.begin({
    bootId: 'second boot',
    base: SECOND,
    bootNs: 9n,
    at: (7000 * MS) as EventNs,
  });
  expect(isSameEra).toBe(true);
  const host = new RecordedHost(history, SECOND, newestTaskId + 1);
  host.tell(fork(8000, 3000, 1), exec(8001, 3000, ['/bin/today']));
  expect(history.gaps(epochOf(SECOND, (6600 * MS) as EventNs), epochOf(SECOND, (7000 * MS) as EventNs))).toMatchObject([
    { why: 'killed' },
  ]);
  check(1);
  history.close();
  history = new SqliteHistory(place);
  check(1);
  expect(history.search({ comm: 'today' }).total).toBe(1);
  expect(history.state.damagedParts).toBe(0);
  history.close();
  const file = new Sqlite(join(place, FILE_NAME));
  expect(file.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
  file.close();
});

test('a file of a later schema is refused in a sentence that says which, and is left as it is', () => {
  const place = leftBy(1);
  const file = new Sqlite(join(place, FILE_NAME));
  file.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  file.close();
  const before = readFileSync(join(place, FILE_NAME));
  expect(() => new SqliteHistory(place)).toThrow(
    expect.objectContaining({
      code: 'DENDRO_HISTORY_VERSION',
      message: `The history in ${place} was written by a newer dendro (version ${MIGRATIONS.length + 1} of its schema, and this one knows ${MIGRATIONS.length}): start that one, or name another directory.`,
    }),
  );
  expect(readFileSync(join(place, FILE_NAME)).equals(before)).toBe(true);
});
