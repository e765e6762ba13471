// A file of Tracee's lines that goes on being written, as a source. Files that
// are packed are not written on, and not followed.

import { DendroError, type SourceStatus, toError } from '@dendro/protocol';
import { MAX_MAGIC_BYTES, packingOf } from '../input/unpacker.ts';
import type { EventSink, Source } from '../source.ts';
import { type FollowStep, follow } from './follow.ts';
import { HostSplit } from './host-split.ts';
import { TraceeDecoder } from './tracee-decoder.ts';

export class TraceeFollowSource implements Source {
  readonly name: string;
  readonly isLive = true;
  readonly #path: string;
  readonly #hosts: HostSplit;
  readonly #stopping = new AbortController();
  #decoder: TraceeDecoder | undefined;
  #reading: Promise<void> | undefined;
  #state: SourceStatus['state'] = 'starting';
  #progress: SourceStatus['progress'];
  #isMissing = false;
  #replaced = 0;
  #truncated = 0;
  #failure: string | undefined;
  /** What the file that is being read begins with. */
  #head: Buffer = Buffer.alloc(0);

  /** @param path of a file, which need not be there yet */
  constructor(path: string, { hosts = new HostSplit() }: { readonly hosts?: HostSplit | undefined } = {}) {
    this.#path = path;
    this.#hosts = hosts;
    this.name = `tracee:${path}`;
  }

  /** Resolves when the file has been opened, or is waited for. */
  async start(sink: EventSink): Promise<void> {
    const decoder = new TraceeDecoder(sink, { hosts: this.#hosts, latest: Number.POSITIVE_INFINITY });
    this.#decoder = decoder;
    const steps = follow(this.#path, this.#stopping.signal);
    let first: IteratorResult<FollowStep, void>;
    try {
      first = await steps.next();
    } catch (thrown) {
      this.#state = 'failed';
      throw this.#unreadable(toError(thrown));
    }
    try {
      if (!first.done) this.#take(first.value, decoder);
    } catch (thrown) {
      this.#state = 'failed';
      await steps.return();
      throw thrown;
    }
    this.#state = 'running';
    this.#reading = this.#read(steps, decoder);
  }

  status(): SourceStatus {
    const decoder = this.#decoder;
    return {
      name: this.name,
      state: this.#state,
      detail: this.#detail,
      notices: [...this.#ownNotices, ...(decoder?.notices ?? [])],
      events: decoder?.decoded ?? 0,
      lost: 0,
      rejected: { ...decoder?.rejected },
      progress: this.#progress,
    };
  }

  async stop(): Promise<void> {
    if (this.#state === 'running') this.#state = 'ended';
    this.#stopping.abort();
    await this.#reading;
  }

  get #detail(): string {
    const what = `Events of Tracee, one JSON object a line, from ${this.#path}`;
    return this.#isMissing ? `${what}, which is not there and is waited for.` : `${what} as it is written.`;
  }

  get #ownNotices(): string[] {
    const notices = this.#failure === undefined ? [] : [this.#failure];
    if (this.#replaced > 0)
      notices.push(`Another file took its place ${times(this.#replaced)}, and was read from its start.`);
    if (this.#truncated > 0) {
      notices.push(
        `The file was begun anew ${times(this.#truncated)}, and was read from its start again: what was written and not read by then is missing.`,
      );
    }
    return notices;
  }

  async #read(steps: AsyncGenerator<FollowStep, void, void>, decoder: TraceeDecoder): Promise<void> {
    try {
      for await (const step of steps) {
        if (this.#state !== 'running') break;
        this.#take(step, decoder);
      }
    } catch (thrown) {
      if (this.#state !== 'running') return; // stopped
      this.#failure = thrown instanceof DendroError ? thrown.message : `Reading broke off: ${toError(thrown).message}.`;
      this.#state = 'failed';
    }
  }

  /** @throws DendroError where the bytes are those of a file that is packed */
  #take(step: FollowStep, decoder: TraceeDecoder): void {
    this.#isMissing = step.kind === 'missing';
    this.#progress =
      step.kind === 'bytes' && step.done < step.total ? { done: step.done, total: step.total } : undefined;
    switch (step.kind) {
      case 'bytes':
        if (this.#head.length < MAX_MAGIC_BYTES) this.#refusePacked(step.bytes);
        decoder.push(step.bytes);
        return;
      case 'replaced':
        this.#replaced++;
        this.#head = Buffer.alloc(0);
        decoder.end(); // a line without an end is not continued in another file
        return;
      case 'truncated':
        this.#truncated++;
        this.#head = Buffer.alloc(0);
        decoder.end();
    }
  }

  #refusePacked(bytes: Buffer): void {
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, MAX_MAGIC_BYTES - this.#head.length)]);
    const packing = packingOf(this.#head);
    if (packing === undefined) return;
    throw this.#cannotBeFollowed(`it is packed with ${packing}, and not written on; leave out --follow to read it`);
  }

  #unreadable(cause: Error): DendroError {
    const why = WHY[(cause as NodeJS.ErrnoException).code ?? ''] ?? `it cannot be read (${cause.message})`;
    const remedy = 'give --source tracee:FILE a file that Tracee writes its JSON lines to';
    return this.#cannotBeFollowed(`${why}; ${remedy}`, cause);
  }

  #cannotBeFollowed(why: string, cause?: Error): DendroError {
    return new DendroError('DENDRO_SOURCE_UNREADABLE', `The file ${this.#path} cannot be followed: ${why}.`, { cause });
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'what should be its folder is a file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
};

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
