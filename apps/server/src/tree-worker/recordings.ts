// What is recorded of a feed. A recording holds one host: the one that is there
// from the start goes to the file that was asked for, each further one to a file
// beside it that has the host's id in its name.

import { join, parse } from 'node:path';
import type { EventNs, SourceStatus } from '@dendro/protocol';
import type { FromWorker, RecordingTarget } from './messages.ts';
import { RecordingFile } from './recording-file.ts';

/** Names of files are no longer than 255 bytes. */
const MAX_ID = 100;

export class Recordings {
  readonly #target: RecordingTarget;
  readonly #files: RecordingFile[];

  /** @throws DendroError DENDRO_RECORDING_UNWRITABLE */
  constructor(target: RecordingTarget) {
    this.#target = target;
    this.#files = [new RecordingFile(target)];
  }

  /**
   * Records what the worker says, as far as it belongs there.
   * @throws DendroError DENDRO_RECORDING_UNWRITABLE
   */
  take(message: FromWorker): void {
    if (message.type !== 'host' && message.type !== 'batch') return;
    const { number } = message;
    if (message.type === 'host' && this.#files[number] === undefined) {
      const { file, isForced } = this.#target;
      this.#files[number] = new RecordingFile({ file: recordingOf(file, number, message.host.id), isForced });
    }
    this.#files[number]?.take(message);
  }

  /** @throws DendroError DENDRO_RECORDING_UNWRITABLE */
  end(number: number, now: EventNs, status: SourceStatus): void {
    this.#files[number]?.end(now, status);
  }

  close(): void {
    for (const file of this.#files) file.close();
  }

  /** The source did not start: leaves things as they were. */
  discard(): void {
    for (const file of this.#files) file.discard();
  }
}

/** `feed.dendro` of the host `n2`: `feed.n2.dendro` */
export function recordingOf(file: string, number: number, hostId: string): string {
  if (number === 0) return file;
  const { dir, name, ext } = parse(file);
  return join(dir, `${name}.${hostId.length <= MAX_ID ? hostId : `host${number}`}${ext}`);
}
