// A recording that somebody has opened in the page: its batches are taken into a tree of this page's own.

import {
  type BatchRecord,
  DendroError,
  type EventNs,
  inflate,
  RecordingReader,
  type RecordingRecord,
} from '@dendro/protocol';
import { type FileReading, newTree, type OpenedFile, openedFile, overfullNotice } from './file-reading.ts';

export class RecordingReading implements FileReading {
  readonly #name: string;
  readonly #reader = new RecordingReader();
  readonly #tree = newTree();
  readonly #rejected: Record<string, number> = {};
  #header: (RecordingRecord & { readonly kind: 'header' })['header'] | undefined;
  #end: (RecordingRecord & { readonly kind: 'end' })['end'] | undefined;
  #now = 0 as EventNs;
  #batches = 0;

  constructor(name: string) {
    this.#name = name;
  }

  get readBytes(): number {
    return this.#reader.wholeBytes;
  }

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** Takes one record. @returns false when the next one has not been read as a whole */
  async step(): Promise<boolean> {
    const record = this.#reader.next();
    if (record === undefined) return false;
    if (record.kind === 'header') {
      this.#header = record.header;
      this.#tree.apply({ type: 'clock', epochNs: BigInt(record.header.host.baseEpochNs) });
    } else if (record.kind === 'end') this.#end = record.end;
    else if (record.kind === 'damaged') this.#reject('damaged');
    else await this.#take(record);
    return true;
  }

  /** @throws DendroError when not even the header could be read */
  finish(): OpenedFile {
    if (this.#header === undefined) {
      throw new DendroError(
        'DENDRO_SOURCE_UNREADABLE',
        'This is not a recording of dendro, or it is cut off before it says of which host it is.',
      );
    }
    const { host, source } = this.#header;
    if (this.#tree.factsRefused > 0) this.#rejected['fact'] = this.#tree.factsRefused;
    const { name, baseEpochNs, users } = host;
    const about = { file: this.#name, name, baseEpochNs, users, now: this.#now };
    return openedFile(this.#tree, about, {
      detail: `A recording of ${name} (${source}), opened in this page.`,
      notices: [...this.#notices(), ...(this.#end?.notices ?? [])],
      events: this.#batches,
      lost: this.#end?.lost ?? 0,
      rejected: { ...this.#end?.rejected, ...this.#rejected },
    });
  }

  async #take(record: BatchRecord): Promise<void> {
    const { kind, now, isDeflated, bytes } = record;
    try {
      const batch = isDeflated ? await inflate(record) : bytes;
      this.#tree.apply({ type: 'facts', at: now, batch, isSnapshot: kind === 'snapshot' });
      this.#tree.commit(); // nobody follows this tree: what it would tell them is dropped
      this.#batches++;
      if (now > this.#now) this.#now = now;
    } catch (thrown) {
      if (!(thrown instanceof DendroError)) throw thrown;
      this.#reject('damaged');
    }
  }

  #reject(reason: string): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
  }

  *#notices(): Generator<string> {
    if (this.#reader.isBroken) yield 'From some place on it is damaged: what comes before that is shown.';
    else if (!this.#reader.isWhole) yield 'It is cut off: what was written before that is shown.';
    yield* overfullNotice(this.#tree, 'replay');
  }
}
