// Tracee's output as a source: a file of NDJSON, a named pipe, or standard input.

import { constants, createReadStream, fstatSync, openSync, type ReadStream, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty, ReadStream as TerminalStream } from 'node:tty';
import { DendroError, type SourceStatus, toError } from '@dendro/protocol';
import type { EventSink, Source } from '../source.ts';
import { HostFilter } from './host-filter.ts';
import { TraceeDecoder } from './tracee-decoder.ts';

const STDIN = '-';
const CHUNK_BYTES = 256 * 1024;

export interface TraceeSourceOptions {
  /** Which host's events are taken. */
  readonly hosts?: HostFilter | undefined;
}

export class TraceeSource implements Source {
  readonly name: string;
  readonly isLive: boolean;
  readonly #target: string;
  readonly #hosts: HostFilter;
  #decoder: TraceeDecoder | undefined;
  #stream: Input | undefined;
  #state: SourceStatus['state'] = 'starting';
  #totalBytes = 0;
  #failure: string | undefined;

  /** @param target path of a file or a named pipe, or `-` for standard input */
  constructor(target: string, { hosts = new HostFilter() }: TraceeSourceOptions = {}) {
    this.#hosts = hosts;
    this.#target = target;
    this.name = `tracee:${target}`;
    this.isLive = target === STDIN || isNamedPipe(target);
  }

  async start(sink: EventSink): Promise<void> {
    this.#decoder = new TraceeDecoder(sink, { hosts: this.#hosts });
    try {
      this.#stream = this.#open();
    } catch (thrown) {
      this.#state = 'failed';
      throw unreadable(this.#target, toError(thrown));
    }
    this.#state = 'running';
    void this.#read(this.#stream, this.#decoder, sink);
  }

  status(): SourceStatus {
    const decoder = this.#decoder;
    const done = this.#stream?.bytesRead ?? 0;
    return {
      name: this.name,
      state: this.#state,
      detail: this.#detail,
      notices: [
        ...(this.#failure === undefined ? [] : [this.#failure]),
        ...(this.#state === 'ended' && decoder?.decoded === 0
          ? ['No line in it was an event that could be used.']
          : []),
        ...(decoder?.notices ?? []),
      ],
      events: decoder?.decoded ?? 0,
      lost: 0,
      rejected: { ...decoder?.rejected },
      progress:
        this.#totalBytes > 0 && this.#state === 'running'
          ? { done: Math.min(done, this.#totalBytes), total: this.#totalBytes }
          : undefined,
    };
  }

  get #detail(): string {
    const events = 'Events of Tracee, one JSON object a line';
    if (this.#target === STDIN) return `${events}, from standard input.`;
    if (this.isLive) return `${events}, from the pipe ${this.#target}, which is kept open for the next writer.`;
    return `${events}, from ${this.#target}; what is written to it after its end was reached is not read.`;
  }

  async stop(): Promise<void> {
    this.#stream?.destroy();
    if (this.#state === 'running') this.#state = 'ended';
  }

  #open(): Input {
    // A worker thread has no stream of its own for standard input, but the file descriptor is the process'.
    if (this.#target === STDIN) return openInput(0);
    const stats = statSync(this.#target);
    if (stats.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
    // Held open for writing too, a named pipe has no end when one writer goes and another comes.
    const flags = stats.isFIFO() ? constants.O_RDWR | constants.O_NONBLOCK : constants.O_RDONLY;
    if (stats.isFile()) this.#totalBytes = stats.size;
    return openInput(openSync(this.#target, flags));
  }

  // Each chunk comes in a turn of its own, so what was read is committed and shown while reading goes on.
  async #read(stream: Input, decoder: TraceeDecoder, sink: EventSink): Promise<void> {
    try {
      for await (const chunk of stream) decoder.push(chunk as Buffer);
      decoder.end();
    } catch (thrown) {
      if (this.#state !== 'running') return; // stopped
      this.#failure = `Reading broke off: ${toError(thrown).message}.`;
      this.#state = 'failed';
      return;
    }
    if (decoder.decoded === 0) sink({ type: 'clock', epochNs: 0n });
    this.#state = 'ended';
  }
}

type Input = ReadStream | Socket;

// A blocking read of a pipe that nobody writes to cannot be called off, not even by the end of the process: pipes and
// terminals are read as sockets are.
function openInput(fd: number): Input {
  const stats = fstatSync(fd);
  if (isatty(fd)) return new TerminalStream(fd);
  if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: true, writable: false });
  return createReadStream('', { fd, autoClose: fd !== 0, highWaterMark: CHUNK_BYTES });
}

function isNamedPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO();
  } catch {
    return false; // `start` says why
  }
}

function unreadable(target: string, cause: Error): DendroError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const why = WHY[code] ?? `it cannot be read (${cause.message})`;
  const what = target === STDIN ? 'Standard input' : `The file ${target}`;
  return new DendroError(
    'DENDRO_SOURCE_UNREADABLE',
    `${what} cannot be used: ${why}; give --source tracee:FILE a file with Tracee's JSON lines.`,
    { cause },
  );
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
  EBADF: 'it is closed',
};
