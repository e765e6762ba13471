// A feed of text as a stream: a file, a named pipe, a terminal, or standard
// input, each read so that reading can be called off.

import { constants, createReadStream, fstatSync, openSync, type ReadStream, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty, ReadStream as TerminalStream } from 'node:tty';
import { DendroError } from '@dendro/protocol';

export const STDIN = '-';
const CHUNK_BYTES = 256 * 1024;

export type InputStream = ReadStream | Socket;

export interface Input {
  readonly stream: InputStream;
  /** Of a file; undefined where nobody knows how much will come. */
  readonly totalBytes: number | undefined;
}

/**
 * @param target path of a file or a named pipe, or `-` for standard input
 * @throws Error as the file system gives it, see `unreadable`
 */
export function openInput(target: string): Input {
  // A worker thread has no stream of its own for standard input, but the file descriptor is the process'.
  if (target === STDIN) return { stream: streamOf(0), totalBytes: undefined };
  const stats = statSync(target);
  if (stats.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  // Held open for writing too, a named pipe has no end when one writer goes and another comes.
  const flags = stats.isFIFO() ? constants.O_RDWR | constants.O_NONBLOCK : constants.O_RDONLY;
  return { stream: streamOf(openSync(target, flags)), totalBytes: stats.isFile() ? stats.size : undefined };
}

// A blocking read of a pipe that nobody writes to cannot be called off, not even by the end of the process: pipes and
// terminals are read as sockets are.
function streamOf(fd: number): InputStream {
  const stats = fstatSync(fd);
  if (isatty(fd)) return new TerminalStream(fd);
  if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: true, writable: false });
  return createReadStream('', { fd, autoClose: fd !== 0, highWaterMark: CHUNK_BYTES });
}

export function isNamedPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO();
  } catch {
    return false; // opening it says why
  }
}

/** @param remedy what to do instead, as the end of the sentence: `give --source tracee:FILE a file with …` */
export function unreadable(target: string, remedy: string, cause: Error): DendroError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const why = WHY[code] ?? `it cannot be read (${cause.message})`;
  return cannotBeUsed(target, `${why}; ${remedy}`, cause);
}

export function cannotBeUsed(target: string, why: string, cause?: Error): DendroError {
  const what = target === STDIN ? 'Standard input' : `The file ${target}`;
  return new DendroError('DENDRO_SOURCE_UNREADABLE', `${what} cannot be used: ${why}.`, { cause });
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
  EBADF: 'it is closed',
};
