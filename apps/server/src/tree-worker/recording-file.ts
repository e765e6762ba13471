// A recording that is being written. The worker writes it itself, and waits for
// the disk: what cannot be written yet waits in the kernel's buffers, which count
// what they lose, and not in memory. Whatever happens to this process, what
// was written is in the file.

import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { deflateSync } from 'node:zlib';
import {
  DendroError,
  type EventNs,
  encodeBatchRecord,
  encodeRecordingEnd,
  encodeRecordingStart,
  type SourceStatus,
  toError,
} from '@dendro/protocol';
import type { FromWorker, RecordingTarget } from './messages.ts';

/** Command lines hold secrets. */
const MODE = 0o600;
/** Facts compress to a third at the lowest level; higher ones cost far more than they save. */
const DEFLATE_LEVEL = 1;

export class RecordingFile {
  readonly #path: string;
  readonly #isNew: boolean;
  #fd: number | undefined;
  /** Whose events they are, as it was said last. */
  #host: Extract<FromWorker, { type: 'host' }> | undefined;
  #isBegun = false;

  /** @throws DendroError DENDRO_RECORDING_UNWRITABLE */
  constructor({ file, isForced }: RecordingTarget) {
    this.#path = file;
    this.#isNew = !isForced || !existsSync(file);
    try {
      // An older file keeps what it holds until there is something to put in its place.
      const { O_CREAT, O_EXCL, O_WRONLY, O_NONBLOCK } = constants;
      this.#fd = openSync(file, O_WRONLY | O_CREAT | O_NONBLOCK | (this.#isNew ? O_EXCL : 0), MODE);
      if (!fstatSync(this.#fd).isFile()) throw new Error('it is not a file');
    } catch (thrown) {
      this.close();
      throw unwritable(file, toError(thrown));
    }
  }

  /**
   * Records what the worker says, as far as it belongs there.
   * @throws DendroError DENDRO_RECORDING_UNWRITABLE
   */
  take(message: FromWorker): void {
    if (message.type === 'host') this.#host = message;
    if (message.type === 'batch') this.#addBatch(message);
  }

  /** @throws DendroError DENDRO_RECORDING_UNWRITABLE */
  end(now: EventNs, { events, lost, rejected, notices }: SourceStatus): void {
    this.#begin();
    this.#write((fd) => {
      writeAll(fd, encodeRecordingEnd(now, { events, lost, rejected, notices }));
      fdatasyncSync(fd);
    });
    this.close();
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** The source did not start: leaves things as they were. */
  discard(): void {
    this.close();
    if (this.#isNew && !this.#isBegun) rmSync(this.#path, { force: true });
  }

  #begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    const { host, source } = this.#host ?? { host: { name: '', baseEpochNs: '0', users: {} }, source: '' };
    const { name, baseEpochNs, users } = host;
    const createdEpochNs = String(BigInt(Date.now()) * 1_000_000n);
    this.#write((fd) => {
      fchmodSync(fd, MODE);
      ftruncateSync(fd);
      writeAll(fd, encodeRecordingStart({ host: { name, baseEpochNs, users }, source, createdEpochNs }));
    });
  }

  #addBatch({ from, to, now, bytes: batch }: Extract<FromWorker, { type: 'batch' }>): void {
    this.#begin();
    this.#write((fd) => {
      const deflated = deflateSync(batch, { level: DEFLATE_LEVEL });
      const isDeflated = deflated.length < batch.length;
      const bytes = isDeflated ? deflated : batch;
      const about = { from, to, now, isDeflated, batchBytes: batch.length, isLast: false };
      writeAll(fd, encodeBatchRecord({ kind: 'batch', bytes, ...about }));
    });
  }

  #write(write: (fd: number) => void): void {
    if (this.#fd === undefined) return;
    try {
      write(this.#fd);
    } catch (thrown) {
      throw thrown instanceof DendroError ? thrown : unwritable(this.#path, toError(thrown));
    }
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

function unwritable(file: string, cause: NodeJS.ErrnoException): DendroError {
  const why = WHY[cause.code ?? ''] ?? `${cause.message}; choose another file`;
  return new DendroError('DENDRO_RECORDING_UNWRITABLE', `The recording ${file} cannot be written: ${why}.`, { cause });
}

const WHY: Readonly<Record<string, string>> = {
  EEXIST: 'it exists already; choose another name, or overwrite it with --force',
  ENOENT: 'its folder is not there; make it first',
  EISDIR: 'it is a folder; give the name of a file',
  ENXIO: 'it is not a file; choose another name',
  EACCES: 'this user may not write there; choose another folder',
  ENOSPC: 'the disk is full; what is in the file up to there can be replayed',
};
