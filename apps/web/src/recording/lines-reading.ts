// Lines of a file that somebody has opened in the page, taken into a tree of its own by the decoders of the server.

import { DendroError, type EventNs, type TaskEvent } from '@dendro/protocol';
import {
  AuditDecoder,
  HostFilter,
  HostSplit,
  type LineDecoder,
  StraceDecoder,
  type TextKind,
  TraceeDecoder,
  textKindOf,
} from '@dendro/sources/decoders';
import { type FileReading, newTree, type OpenedFile, openedFile, overfullNotice } from './file-reading.ts';

/** Some milliseconds of work. */
const STEP_BYTES = 64 * 1024;
/** So much of it, at most, says what it is. */
const HEAD_BYTES = 64 * 1024;

const NOT_READABLE =
  "This is not a recording of dendro, nor Tracee's JSON lines, a Linux audit log or output of strace -f -ttt, all of which also packed with gzip.";
const IS_TRACE_TEXT =
  'This is the text of a kernel trace, which leaves out what a tree needs: dendro --source replay:FOLDER shows its raw pages (trace_pipe_raw).';

const DAMAGED = 'The gzip archive is damaged or cut off, or there is another one behind it';

type Sink = (event: TaskEvent) => void;

interface Format {
  /** As in `--source KIND:FILE`. */
  readonly kind: string;
  readonly what: string;
  readonly decoder: LineDecoder;
  /** Of the host, as far as the lines say it. */
  name(): string | undefined;
}

export class LinesReading implements FileReading {
  readonly #file: string;
  readonly #tree = newTree();
  /** Pieces that have not been decoded. */
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #readBytes = 0;
  #format: Format | undefined;
  /** Was there more, which could not be unpacked? */
  isDamaged = false;

  constructor(file: string) {
    this.#file = file;
  }

  get readBytes(): number {
    return this.#readBytes;
  }

  push(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  async step(): Promise<boolean> {
    if (this.#format === undefined && this.#waitingBytes < HEAD_BYTES) return false;
    return this.#decode();
  }

  finish(): OpenedFile {
    while (this.#decode());
    const format = this.#formatOf();
    const { decoder } = format;
    decoder.end();
    this.#tree.commit();
    this.#refuse(decoder);
    if (decoder.decoded === 0) {
      throw unreadable(['No line in it was an event that could be used.', ...decoder.notices].join(' '));
    }
    return this.#opened(format);
  }

  #decode(): boolean {
    const [piece] = this.#waiting;
    if (piece === undefined) return false;
    const { decoder } = this.#formatOf();
    const rest = piece.subarray(STEP_BYTES);
    if (rest.length > 0) this.#waiting[0] = rest;
    else this.#waiting.shift();
    const bytes = piece.subarray(0, STEP_BYTES);
    this.#waitingBytes -= bytes.length;
    this.#readBytes += bytes.length;
    decoder.push(bytes);
    this.#tree.commit(); // nobody follows this tree: what it would tell them is dropped
    this.#refuse(decoder);
    return true;
  }

  /** @throws DendroError when it is none that can be read here */
  #formatOf(): Format {
    if (this.#format !== undefined) return this.#format;
    const head = new Uint8Array(Math.min(HEAD_BYTES, this.#waitingBytes));
    let at = 0;
    for (const piece of this.#waiting) {
      head.set(piece.subarray(0, head.length - at), at);
      at += Math.min(piece.length, head.length - at);
    }
    const kind = textKindOf(head);
    if (head.length === 0 && this.isDamaged)
      throw unreadable(`${DAMAGED}, and nothing of it could be read: unpack it first.`);
    if (kind === undefined) throw unreadable(NOT_READABLE);
    if (kind === 'trace') throw unreadable(IS_TRACE_TEXT);
    this.#format = formatOf(kind, (event) => this.#tree.apply(event));
    return this.#format;
  }

  #refuse({ refusal }: LineDecoder): void {
    if (refusal !== undefined) throw unreadable(`It cannot be used: ${refusal}.`);
  }

  #opened({ kind, what, decoder, name }: Format): OpenedFile {
    const tree = this.#tree;
    const newest = Number.isFinite(tree.newest) ? tree.newest : (0 as EventNs);
    const host = {
      file: this.#file,
      name: name() ?? this.#file,
      baseEpochNs: String(tree.base?.epochNs ?? 0n),
      users: {},
      now: newest,
    };
    return openedFile(tree, host, {
      detail: `${what}, opened in this page.`,
      notices: [...this.#notices(kind, decoder), ...decoder.notices],
      events: decoder.decoded,
      lost: 0,
      rejected: { ...decoder.rejected },
    });
  }

  *#notices(kind: string, { rejected }: LineDecoder): Generator<string> {
    if (this.isDamaged) {
      yield `${DAMAGED}: what comes before that is shown. dendro --source ${kind}:FILE reads several in one.`;
    }
    if ((rejected['too-many-hosts'] ?? 0) > 0) {
      yield `It is of several hosts, and this page shows the first: dendro --source ${kind}:FILE shows all.`;
    }
    yield* overfullNotice(this.#tree, kind);
  }
}

function formatOf(kind: Exclude<TextKind, 'trace'>, sink: Sink): Format {
  switch (kind) {
    case 'tracee': {
      const hosts = new HostSplit({ maxHosts: 1 });
      const decoder = new TraceeDecoder(sink, { hosts });
      return { kind, what: 'Events of Tracee', decoder, name: () => hosts.first.name };
    }
    case 'audit': {
      const hosts = new HostFilter();
      const decoder = new AuditDecoder(sink, { hosts });
      return { kind, what: 'Records of the Linux audit system', decoder, name: () => hosts.name };
    }
    case 'strace':
      return { kind, what: 'Calls that strace saw', decoder: new StraceDecoder(sink), name: () => undefined };
  }
}

function unreadable(message: string): DendroError {
  return new DendroError('DENDRO_SOURCE_UNREADABLE', message);
}
