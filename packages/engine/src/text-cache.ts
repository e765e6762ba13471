// Files and argument lists that came lately, and the indexes of their texts: the
// same programs are run again and again, and to compare a file by its parts
// costs less than to make its text and look that up.

import { type FileInfo, toWireText } from '@dendro/protocol';
import { LRUCache } from 'lru-cache';

const MAX_KNOWN = 4096;

interface Known<T> {
  readonly value: T;
  readonly index: number;
}

export class TextCache {
  readonly #intern: (wire: string) => number;
  readonly #files = new LRUCache<string, Known<FileInfo>>({ max: MAX_KNOWN }); // by path
  readonly #lists = new LRUCache<string, Known<readonly string[]>>({ max: MAX_KNOWN }); // by last argument

  /** @param intern gives the index of a wire text */
  constructor(intern: (wire: string) => number) {
    this.#intern = intern;
  }

  /** @returns index of the wire text of a file */
  file(file: FileInfo): number {
    const known = this.#files.get(file.path);
    if (known !== undefined && isSameFile(known.value, file)) return known.index;
    return this.#note(this.#files, file.path, file, this.#intern(toWireText('file', file)));
  }

  /** @returns index of the wire text of a list of strings */
  list(list: readonly string[]): number {
    const key = list.at(-1) ?? '';
    const known = this.#lists.get(key);
    if (known !== undefined && isSameList(known.value, list)) return known.index;
    return this.#note(this.#lists, key, list, this.#intern(toWireText('strings', list)));
  }

  /** To be called when indexes have become void. */
  clear(): void {
    this.#files.clear();
    this.#lists.clear();
  }

  #note<T>(cache: LRUCache<string, Known<T>>, key: string, value: T, index: number): number {
    cache.set(key, { value, index });
    return index;
  }
}

function isSameFile(a: FileInfo, b: FileInfo): boolean {
  return (
    a.path === b.path &&
    a.inode === b.inode &&
    a.device === b.device &&
    a.ctime === b.ctime &&
    a.mode === b.mode &&
    a.hash === b.hash
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
