// The file of a history: opened by one process at a time, in the schema of today.

import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DendroError } from '@dendro/protocol';
import Sqlite from 'better-sqlite3';
import { MIGRATIONS } from './migrations.ts';

export type Database = Sqlite.Database;

export const FILE_NAME = 'history.db';
/** "DnHs": says to others what the file is. */
const APPLICATION_ID = 0x446e_4873;
export const PAGE_BYTES = 8192;
const CACHE_KIB = 32 * 1024;
/** Of `PRAGMA auto_vacuum`. */
const INCREMENTAL = 2;
/** Bytes of the journal after which it goes into the file: so long it is, and longer by one transaction at most. */
const JOURNAL_BYTES = 1000 * PAGE_BYTES;
const MIN_JOURNAL_PAGES = 4;
/** Of all that a history may take the journal is to be this part. */
const JOURNAL_SHARE = 1 / 32;

export function journalPagesOf(maxBytes: number): number {
  return Math.max(MIN_JOURNAL_PAGES, Math.round(Math.min(JOURNAL_BYTES, maxBytes * JOURNAL_SHARE) / PAGE_BYTES));
}

/**
 * @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE
 */
export function openDatabase(
  directory: string,
  migrations = MIGRATIONS,
  maxBytes = Number.POSITIVE_INFINITY,
): Database {
  const pages = journalPagesOf(maxBytes);
  let database: Database | undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Command lines are secrets. The journal gets the mode of the file.
    closeSync(openSync(join(directory, FILE_NAME), 'a', 0o600));
    database = new Sqlite(join(directory, FILE_NAME), { timeout: 0 });
    // The lock is the kernel's: whatever ends the process gives it back.
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma(`page_size = ${PAGE_BYTES}`);
    // Of a file of before it is what it becomes when it is written anew (room.ts). Of one that has it, to say so again would be
    // to write, and the disk may be full.
    if (!canGiveBack(database)) database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    database.pragma(`cache_size = -${CACHE_KIB}`);
    database.pragma(`wal_autocheckpoint = ${pages}`);
    database.pragma(`journal_size_limit = ${pages * PAGE_BYTES}`);
    database.exec('BEGIN IMMEDIATE; COMMIT');
    migrate(database, directory, migrations);
    return database;
  } catch (thrown) {
    database?.close();
    throw explain(thrown, directory);
  }
}

/** Can pages that are free go back to the disk? */
export function canGiveBack(database: Database): boolean {
  return database.pragma('auto_vacuum', { simple: true }) === INCREMENTAL;
}

function migrate(database: Database, directory: string, migrations: readonly string[]): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  const application = database.pragma('application_id', { simple: true }) as number;
  const isEmpty = version === 0 && database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
  if (!isEmpty && application !== APPLICATION_ID) {
    throw new DendroError(
      'DENDRO_HISTORY_UNREADABLE',
      `The file ${FILE_NAME} in ${directory} is no history of dendro.`,
    );
  }
  if (version > migrations.length) {
    throw new DendroError(
      'DENDRO_HISTORY_VERSION',
      `The history in ${directory} was written by a newer dendro (version ${version} of its schema, and this one knows ${migrations.length}): start that one, or name another directory.`,
    );
  }
  // The disk may be full: nothing is written where nothing is to change.
  if (version === migrations.length) return;
  database.transaction(() => {
    database.pragma(`application_id = ${APPLICATION_ID}`);
    for (let step = version; step < migrations.length; step++) database.exec(migrations[step] as string);
    database.pragma(`user_version = ${migrations.length}`);
  })();
}

export interface FileSizes {
  readonly file: number;
  readonly journal: number;
}

/** 0 for what is not there. */
export function sizesOf(directory: string): FileSizes {
  const sizeOf = (name: string) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
  return { file: sizeOf(FILE_NAME), journal: sizeOf(`${FILE_NAME}-wal`) };
}

/**
 * Gives back what one great transaction has left of the journal. On a disk that cannot be written to it stays, and the next
 * transaction says so.
 */
export function shrinkJournal(database: Database): void {
  try {
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch (thrown) {
    if (!isDiskFailure(thrown)) throw thrown;
  }
}

/** Any failure to use the file, as one sentence for people. */
export function explain(thrown: unknown, directory: string): DendroError {
  if (thrown instanceof DendroError) return thrown;
  const code = thrown instanceof Sqlite.SqliteError ? thrown.code : undefined;
  if (code?.startsWith('SQLITE_BUSY')) {
    return new DendroError(
      'DENDRO_HISTORY_IN_USE',
      `Another dendro keeps its history in ${directory}: stop it, or name another directory.`,
      { cause: thrown },
    );
  }
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new DendroError('DENDRO_HISTORY_UNREADABLE', `The history in ${directory} cannot be used: ${why}.`, {
    cause: thrown,
  });
}

/** Is it that there is no room on the disk, or that it cannot be written for another reason that may pass? */
export function isDiskFailure(thrown: unknown): boolean {
  if (!(thrown instanceof Sqlite.SqliteError)) return false;
  return /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(thrown.code);
}
