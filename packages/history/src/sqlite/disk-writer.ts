// Writes that wait for better times when the disk does not take them.

import { type Database, isDiskFailure } from './database.ts';

const RETRY_MS = 1000;

export class DiskWriter {
  readonly #database: Database;
  readonly #directory: string;
  readonly #now: () => number;
  #problem: string | undefined;
  #retryAt = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds that rise */
  constructor(database: Database, directory: string, now: () => number) {
    this.#database = database;
    this.#directory = directory;
    this.#now = now;
  }

  /** Why the last write has failed, as a sentence for people; undefined when it has not. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Is it worth trying? A while after a failure it is again. */
  get mayTry(): boolean {
    return this.#problem === undefined || this.#now() >= this.#retryAt;
  }

  /** As `write`, of what can wait: that it fails says nothing about recording. */
  attempt(work: () => void): boolean {
    try {
      this.#database.transaction(work)();
      return true;
    } catch (thrown) {
      if (!isDiskFailure(thrown)) throw thrown;
      return false;
    }
  }

  /** All of it in one transaction. @returns whether it is in the file */
  write(work: () => void): boolean {
    try {
      this.#database.transaction(work)();
      this.#problem = undefined;
      return true;
    } catch (thrown) {
      if (!isDiskFailure(thrown)) throw thrown;
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      this.#problem = `The history in ${this.#directory} cannot be written (${why}): recording has stopped, and goes on as soon as there is room.`;
      this.#retryAt = this.#now() + RETRY_MS;
      return false;
    }
  }
}
