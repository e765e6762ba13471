// A feed of lines as a source: opened, unpacked, decoded. What the lines mean
// is the decoder's business; three formats share the rest.

import { type SourceStatus, toError } from '@dendro/protocol';
import type { EventSink, Source } from '../source.ts';
import type { LineDecoder } from './line-decoder.ts';
import { cannotBeUsed, type Input, isNamedPipe, openInput, STDIN, unreadable } from './open-input.ts';
import { Unpacker } from './unpacker.ts';

/** So long a live feed must be silent before what waits in it is told. */
const PAUSE_MS = 2000;

export interface TextFormat {
  /** As in `--source KIND:FILE`. */
  readonly kind: string;
  /** `Events of Tracee, one JSON object a line` */
  readonly what: string;
  /** What to give instead of a file that cannot be read: `a file with Tracee's JSON lines`. */
  readonly wanted: string;
  /**
   * @param sink gets `clock` before the first event
   * @param isLive does the feed tell of what happens now?
   */
  decode(sink: EventSink, isLive: boolean): LineDecoder;
}

export class TextSource implements Source {
  readonly name: string;
  readonly isLive: boolean;
  readonly #target: string;
  readonly #format: TextFormat;
  #decoder: LineDecoder | undefined;
  #unpacker: Unpacker | undefined;
  #input: Input | undefined;
  #state: SourceStatus['state'] = 'starting';
  #failure: string | undefined;
  #pause: NodeJS.Timeout | undefined;

  /** @param target path of a file or a named pipe, or `-` for standard input */
  constructor(target: string, format: TextFormat) {
    this.#target = target;
    this.#format = format;
    this.name = `${format.kind}:${target}`;
    this.isLive = target === STDIN || isNamedPipe(target);
  }

  async start(sink: EventSink): Promise<void> {
    const decoder = this.#format.decode(sink, this.isLive);
    const unpacker = new Unpacker((bytes) => decoder.push(bytes));
    const { kind, wanted } = this.#format;
    let input: Input;
    try {
      input = openInput(this.#target);
    } catch (thrown) {
      this.#state = 'failed';
      throw unreadable(this.#target, `give --source ${kind}:FILE ${wanted}`, toError(thrown));
    }
    this.#decoder = decoder;
    this.#unpacker = unpacker;
    this.#input = input;
    this.#state = 'running';
    const begun = new Promise<void>((resolve) => void this.#read(input, unpacker, decoder, sink, resolve));
    if (!('refusal' in decoder) || input.totalBytes === undefined) return;
    await begun; // of a file, its beginning says whether it is of any use
    if (decoder.refusal !== undefined) throw cannotBeUsed(this.#target, decoder.refusal);
  }

  status(): SourceStatus {
    const decoder = this.#decoder;
    const { stream, totalBytes = 0 } = this.#input ?? {};
    const done = stream?.bytesRead ?? 0;
    return {
      name: this.name,
      state: this.#state,
      detail: this.#detail,
      notices: [
        ...(this.#failure === undefined ? [] : [this.#failure]),
        ...(this.#unpacker?.damage === undefined ? [] : [this.#unpacker.damage]),
        ...(this.#state === 'ended' && decoder?.decoded === 0
          ? ['No line in it was an event that could be used.']
          : []),
        ...(decoder?.notices ?? []),
      ],
      events: decoder?.decoded ?? 0,
      lost: 0,
      rejected: { ...decoder?.rejected },
      progress:
        totalBytes > 0 && this.#state === 'running'
          ? { done: Math.min(done, totalBytes), total: totalBytes }
          : undefined,
    };
  }

  get #detail(): string {
    const packing = this.#unpacker?.packing;
    const events = packing === undefined ? this.#format.what : `${this.#format.what}, packed with ${packing}`;
    if (this.#target === STDIN) return `${events}, from standard input.`;
    if (this.isLive) return `${events}, from the pipe ${this.#target}, which is kept open for the next writer.`;
    return `${events}, from ${this.#target}; what is written to it after its end was reached is not read.`;
  }

  async stop(): Promise<void> {
    if (this.#state === 'running') this.#state = 'ended';
    this.#input?.stream.destroy();
    this.#unpacker?.close();
    clearTimeout(this.#pause);
  }

  #awaitPause(decoder: LineDecoder): void {
    clearTimeout(this.#pause);
    if (this.isLive && decoder.pause !== undefined) this.#pause = setTimeout(() => decoder.pause?.(), PAUSE_MS);
  }

  // Each chunk comes in a turn of its own, so what was read is committed and shown while reading goes on.
  async #read(
    { stream }: Input,
    unpacker: Unpacker,
    decoder: LineDecoder,
    sink: EventSink,
    begun: () => void,
  ): Promise<void> {
    try {
      for await (const chunk of stream) {
        await unpacker.push(chunk as Buffer);
        if (this.#state !== 'running') return;
        if (decoder.refusal !== undefined || unpacker.damage !== undefined) break;
        this.#awaitPause(decoder);
        begun();
      }
      await unpacker.end();
      if (this.#state !== 'running') return;
      decoder.end();
    } catch (thrown) {
      if (this.#state !== 'running') return; // stopped
      this.#failure = `Reading broke off: ${toError(thrown).message}.`;
      this.#state = 'failed';
      return;
    } finally {
      clearTimeout(this.#pause);
      begun();
    }
    if (decoder.decoded === 0) sink({ type: 'clock', epochNs: 0n });
    this.#state = decoder.refusal === undefined ? 'ended' : 'failed';
    if (decoder.refusal !== undefined) this.#failure = cannotBeUsed(this.#target, decoder.refusal).message;
  }
}
