// Programs and files that came lately, and the indexes of their texts: the same
// programs are run again and again, and to compare them by their parts costs less than
// to make their texts and look these up.

import { type FileInfo, toWireText } from '@dendro/protocol';
import { LRUCache } from 'lru-cache';
import { NO_TEXT } from './string-table.ts';

const MAX_KNOWN = 4096;

/** What an exec says of the program that it starts, and the indexes of these texts; NO_TEXT where it does not say. */
export interface Program {
  readonly file: FileInfo;
  readonly argv: readonly string[] | undefined;
  readonly comm: string | undefined;
  readonly fileText: number;
  readonly argvText: number;
  readonly commText: number;
}

interface KnownFile {
  readonly file: FileInfo;
  readonly text: number;
}

export class TextCache {
  readonly #intern: (wire: string) => number;
  readonly #programs = new LRUCache<string, Program>({ max: MAX_KNOWN }); // by path
  readonly #files = new LRUCache<string, KnownFile>({ max: MAX_KNOWN }); // by path

  /** @param intern gives the index of a wire text */
  constructor(intern: (wire: string) => number) {
    this.#intern = intern;
  }

  /** The texts of a program, its arguments and its name. */
  program(file: FileInfo, argv: readonly string[] | undefined, comm: string | undefined): Program {
    const known = this.#programs.get(file.path);
    if (known !== undefined && known.comm === comm && isSameFile(known.file, file) && isSameList(known.argv, argv)) {
      return known;
    }
    const program: Program = {
      file,
      argv,
      comm,
      fileText: this.#intern(toWireText('file', file)),
      argvText: argv === undefined ? NO_TEXT : this.#intern(toWireText('strings', argv)),
      commText: comm === undefined ? NO_TEXT : this.#intern(toWireText('string', comm)),
    };
    this.#programs.set(file.path, program);
    return program;
  }

  /** @returns index of the wire text of a file */
  file(file: FileInfo): number {
    const known = this.#files.get(file.path);
    if (known !== undefined && isSameFile(known.file, file)) return known.text;
    const text = this.#intern(toWireText('file', file));
    this.#files.set(file.path, { file, text });
    return text;
  }

  /** To be called when indexes have become void. */
  clear(): void {
    this.#programs.clear();
    this.#files.clear();
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

function isSameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === undefined || b === undefined || a.length !== b.length) return a === b;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
