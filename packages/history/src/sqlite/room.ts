// What the file and its journal take of the disk. Room in which nothing is any more is kept for what comes next as far as that
// will need it soon; the rest goes back to the disk: the last pages move into holes, some at a time, and the file ends
// earlier. A file of before cannot do that, as SQLite lays out files for it from the beginning. It is written anew, once, as soon
// as that gives back enough: https://www.sqlite.org/pragma.html#pragma_auto_vacuum

import { statfsSync } from 'node:fs';
import {
  canGiveBack,
  type Database,
  isDiskFailure,
  journalPagesOf,
  PAGE_BYTES,
  shrinkJournal,
  sizesOf,
} from './database.ts';

/** For more than this part of all that there may be no room is made: so much comes at once only after the disk was full. */
const COMING_SHARE = 1 / 8;
/** Of what is in use, so much is kept for what comes. */
const SPARE_SHARE = 1 / 16;
/** Pages that are given back in one transaction: so much of the journal is enough for it, on a disk that is nearly full. */
const PAGES_PER_SLICE = 4;
/** With one flush, so long at most and one slice longer. */
const GIVING_MS = 4;
/** A file of before that is too great is written anew when it is by this part of what is in it; any, when it is half empty. */
const REWRITE_SHARE = 1 / 8;
/** Of what is in use: once in a temporary file, once in the journal, and a little. */
const REWRITE_ROOM = 2.1;
const REWRITE_RETRY_MS = 10 * 60_000;

export class Room {
  readonly #database: Database;
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #journalBytes: number;
  readonly #now: () => number;
  #canGiveBack: boolean;
  #rewriteAt = Number.NEGATIVE_INFINITY;

  /**
   * @param maxBytes of the file and its journal
   * @param now milliseconds that rise
   */
  constructor(database: Database, directory: string, maxBytes: number, now: () => number) {
    this.#database = database;
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#journalBytes = journalPagesOf(maxBytes) * PAGE_BYTES;
    this.#now = now;
    this.#canGiveBack = canGiveBack(database);
  }

  /** Bytes of the file that hold something, and those of its journal. */
  get usedBytes(): number {
    return this.#usedPages * PAGE_BYTES + sizesOf(this.#directory).journal;
  }

  /**
   * By how much what is in use will be more than there may be, when so many bytes more are written: they are in the
   * journal and in the file for a while.
   */
  excessWith(bytes: number): number {
    const coming = Math.min(bytes, this.#maxBytes * COMING_SHARE);
    return this.#usedPages * PAGE_BYTES + this.#journalWith(coming) + coming - this.#maxBytes;
  }

  /**
   * Gives back some of what is free. Outside of a transaction; what fails for want of room is tried again with the next flush.
   * @param bytes that are to be written next
   * @param isSettled whether retention has nothing to delete just now
   */
  giveBack(bytes: number, isSettled: boolean): void {
    try {
      if (this.#canGiveBack) this.#giveBackSome(bytes);
      else if (isSettled && this.#isWorthRewriting()) this.#rewrite();
    } catch (thrown) {
      if (!isDiskFailure(thrown)) throw thrown;
    }
  }

  /** Gives back what a great transaction has left of the journal. */
  shrinkJournal(): void {
    if (sizesOf(this.#directory).journal > 2 * this.#journalBytes) shrinkJournal(this.#database);
  }

  #giveBackSome(bytes: number): void {
    const pages = this.#pragma('page_count');
    const free = this.#pragma('freelist_count');
    const spare = Math.max((pages - free) * SPARE_SHARE, this.#journalBytes / PAGE_BYTES);
    const tooMany = Math.ceil(pages + (this.#journalWith(bytes) - this.#maxBytes) / PAGE_BYTES);
    const coming = Math.ceil(bytes / PAGE_BYTES);
    const until = this.#now() + GIVING_MS;
    for (let left = Math.max(free - spare, Math.min(free - coming, tooMany)); left > 0; left -= PAGES_PER_SLICE) {
      this.#database.pragma(`incremental_vacuum(${PAGES_PER_SLICE})`);
      if (this.#now() >= until) break;
    }
    // The file ends earlier with the next checkpoint only. While it is small enough that may take a while.
    const { file, journal } = sizesOf(this.#directory);
    const mayWait = file + journal > this.#maxBytes ? 0 : this.#journalBytes;
    if (file > this.#pragma('page_count') * PAGE_BYTES + mayWait) shrinkJournal(this.#database);
  }

  #isWorthRewriting(): boolean {
    if (this.#now() < this.#rewriteAt) return false;
    const used = this.#usedPages;
    const free = this.#pragma('freelist_count');
    const isTooGreat = (used + free) * PAGE_BYTES + this.#journalBytes > this.#maxBytes;
    return free > this.#journalBytes / PAGE_BYTES && free >= used * (isTooGreat ? REWRITE_SHARE : 1);
  }

  /** Killed in the middle of it, the file is as before. */
  #rewrite(): void {
    this.#rewriteAt = this.#now() + REWRITE_RETRY_MS;
    const { bavail, bsize } = statfsSync(this.#directory);
    if (bavail * bsize < this.#usedPages * PAGE_BYTES * REWRITE_ROOM) return;
    try {
      this.#database.exec('VACUUM');
    } finally {
      shrinkJournal(this.#database);
    }
    this.#canGiveBack = canGiveBack(this.#database);
  }

  #journalWith(bytes: number): number {
    return Math.max(this.#journalBytes, sizesOf(this.#directory).journal) + bytes;
  }

  get #usedPages(): number {
    return this.#pragma('page_count') - this.#pragma('freelist_count');
  }

  #pragma(name: string): number {
    return this.#database.pragma(name, { simple: true }) as number;
  }
}
