// A file of Tracee's lines that goes on being written, as a source.

import { DendroError, type SourceStatus, toError } from '@dendro/protocol';
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
    this.#state = 'running';
    if (!first.done) this.#take(first.value, decoder);
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
        `The file was made shorter ${times(this.#truncated)}, and was read from its start again: what was written and not read by then is missing.`,
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
      this.#failure = `Reading broke off: ${toError(thrown).message}.`;
      this.#state = 'failed';
    }
  }

  #take(step: FollowStep, decoder: TraceeDecoder): void {
    this.#isMissing = step.kind === 'missing';
    this.#progress =
      step.kind === 'bytes' && step.done < step.total ? { done: step.done, total: step.total } : undefined;
    switch (step.kind) {
      case 'bytes':
        decoder.push(step.bytes);
        return;
      case 'replaced':
        this.#replaced++;
        decoder.end(); // a line without an end is not continued in another file
        return;
      case 'truncated':
        this.#truncated++;
        decoder.end();
    }
  }

  #unreadable(cause: Error): DendroError {
    const why = WHY[(cause as NodeJS.ErrnoException).code ?? ''] ?? `it cannot be read (${cause.message})`;
    return new DendroError(
      'DENDRO_SOURCE_UNREADABLE',
      `The file ${this.#path} cannot be followed: ${why}; give --source tracee:FILE a file that Tracee writes its JSON lines to.`,
      { cause },
    );
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
