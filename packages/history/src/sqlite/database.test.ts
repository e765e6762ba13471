import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventNs } from '@dendro/protocol';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { exec, RecordedHost, seen } from '../contract.ts';
import { testFolders } from '../test-folders.ts';
import { FILE_NAME, openDatabase } from './database.ts';
import { MIGRATIONS } from './migrations.ts';
import { SqliteHistory } from './store.ts';

const folder = testFolders();
const START = { bootId: 'boot', base: { epochNs: 1_795_459_682_000_000_000n }, bootNs: 0n, at: 0 as EventNs };

function schemaOf(place: string): unknown[] {
  const file = new Sqlite(join(place, FILE_NAME));
  const schema = file.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all();
  file.close();
  return schema;
}

test('a second process is refused while the first records, and taken when it is gone', async () => {
  const place = folder();
  const child = spawn(process.execPath, [new URL('../test-crash-recorder.ts', import.meta.url).pathname, place], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(() => new SqliteHistory(place)).toThrow(expect.objectContaining({ code: 'DENDRO_HISTORY_IN_USE' }));
  expect(() => new SqliteHistory(place)).toThrow(/Another dendro keeps its history in/);
  child.stdout.resume();
  child.kill('SIGKILL');
  await once(child, 'exit');
  new SqliteHistory(place).close();
});

test('a second one in the same process is refused too', () => {
  const place = folder();
  const first = new SqliteHistory(place);
  expect(() => new SqliteHistory(place)).toThrow(expect.objectContaining({ code: 'DENDRO_HISTORY_IN_USE' }));
  first.close();
});

test('nobody but its owner can read it: command lines are secrets', () => {
  const place = join(folder(), 'made');
  new SqliteHistory(place).close();
  expect(statSync(place).mode & 0o777).toBe(0o700);
  expect(statSync(join(place, FILE_NAME)).mode & 0o077).toBe(0);
});

test('a history of a newer dendro is refused, and not touched', () => {
  const place = folder();
  new SqliteHistory(place).close();
  const file = new Sqlite(join(place, FILE_NAME));
  file.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  file.close();
  const before = schemaOf(place);
  expect(() => new SqliteHistory(place)).toThrow(expect.objectContaining({ code: 'DENDRO_HISTORY_VERSION' }));
  expect(schemaOf(place)).toEqual(before);
});

test('a database of another program is refused, and not touched', () => {
  const place = folder();
  const file = new Sqlite(join(place, FILE_NAME));
  file.exec('CREATE TABLE theirs (x)');
  file.close();
  expect(() => new SqliteHistory(place)).toThrow(expect.objectContaining({ code: 'DENDRO_HISTORY_UNREADABLE' }));
  expect(schemaOf(place)).toHaveLength(1);
});

test('a directory that cannot be made is refused with a sentence', () => {
  const place = folder();
  writeFileSync(join(place, 'file'), '');
  expect(() => new SqliteHistory(join(place, 'file', 'below'))).toThrow(
    expect.objectContaining({ code: 'DENDRO_HISTORY_UNREADABLE' }),
  );
});

test('every version of the schema there ever was becomes that of today, with what is in it', () => {
  const today = folder();
  openDatabase(today).close();
  for (let version = 1; version <= MIGRATIONS.length; version++) {
    const place = folder();
    openDatabase(place, MIGRATIONS.slice(0, version)).close();
    if (version === MIGRATIONS.length) {
      const history = new SqliteHistory(place);
      history.begin(START);
      new RecordedHost(history, START.base).tell(seen(1, 0, 0, ['/sbin/init']), exec(5, 1, ['/bin/kept']));
      history.close();
    }
    const history = new SqliteHistory(place);
    if (version === MIGRATIONS.length) expect(history.search({ comm: 'kept' }).total).toBe(1);
    history.close();
    expect(schemaOf(place)).toEqual(schemaOf(today));
  }
});

test('steps are taken in their order, each once, and all or none', () => {
  const place = folder();
  const steps = [
    'CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)',
    'ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1',
  ];
  for (const known of [1, 1, 2, 2]) {
    const file = openDatabase(place, steps.slice(0, known));
    expect(file.prepare('SELECT * FROM a').raw().all()).toEqual([known === 1 ? [1] : [1, 2]]);
    file.close();
  }
  expect(() => openDatabase(place, [...steps, 'UPDATE a SET x = 9; this is no SQL'])).toThrow(
    expect.objectContaining({ code: 'DENDRO_HISTORY_UNREADABLE' }),
  );
  const file = openDatabase(place, steps);
  expect(file.prepare('SELECT x FROM a').pluck().all()).toEqual([1]);
  file.close();
});

test('a directory that is there already is taken', () => {
  const place = join(folder(), 'there');
  mkdirSync(place);
  new SqliteHistory(place).close();
});
