// A window of time from the server's history: facts about everyone who mattered
// in it, as batches that a tree takes in.

import { type EventNs, epochOf, eventTimeOf, movedBatch } from '@dendro/protocol';
import type { Replica } from './replica.ts';

export interface WindowDeps {
  readonly replica: Replica;
  readonly origin: string;
  readonly fetch: (input: string, init?: RequestInit) => Promise<Response>;
}

export type WindowAnswer =
  /**
   * They know all from `from` on: later than asked for where another boot of the host begins in between. They come while
   * the next ones are on their way, and can throw what `requestWindow` throws. `bytes` are those of all, 0 where that is not said.
   */
  | {
      readonly kind: 'batches';
      readonly from: EventNs;
      readonly bytes: number;
      readonly batches: AsyncIterable<Uint8Array>;
    }
  /** More than the server gives at once. */
  | { readonly kind: 'too-large' };

const ANSWER_MS = 30_000;
const LENGTH_BYTES = 4;
const TOO_LARGE = 413;
/** An answer has no more than that. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const CUT_OFF = 'The answer of the server was cut off.';

/**
 * @param from one instant when it is `to` too: then whoever lived at it, and whatever they are read through
 * @returns batches whose times count from the base of the replica's host
 * @throws Error with a sentence; DOMException when it was aborted or took too long
 */
export async function requestWindow(
  { replica: { host }, origin, fetch }: WindowDeps,
  from: EventNs,
  to: EventNs,
  signal?: AbortSignal,
): Promise<WindowAnswer> {
  if (host === undefined) throw new Error('There is no host.');
  const base = { epochNs: BigInt(host.baseEpochNs) };
  const query = new URLSearchParams({ from: String(epochOf(base, from)), to: String(epochOf(base, to)) });
  const url = `${origin}/api/v1/hosts/${encodeURIComponent(host.id)}/window?${query}`;
  const timeout = AbortSignal.timeout(ANSWER_MS);
  const answer = await fetch(url, { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) });
  if (answer.status === TOO_LARGE) return { kind: 'too-large' };
  if (!answer.ok) throw new Error(await sentenceOf(answer));
  const itsEpochNs = BigInt(answer.headers.get('x-dendro-base-epoch-ns') ?? host.baseEpochNs);
  const laterNs = Number(itsEpochNs - base.epochNs);
  const fromEpochNs = answer.headers.get('x-dendro-from-epoch-ns');
  const begins = fromEpochNs === null ? from : eventTimeOf(base, BigInt(fromEpochNs));
  return {
    kind: 'batches',
    from: Math.max(from, begins) as EventNs,
    bytes: Math.min(MAX_ANSWER_BYTES, Number(answer.headers.get('content-length') ?? 0)),
    batches: batchesIn(answer, laterNs),
  };
}

/**
 * A repetition of a length (u32, little-endian) and a batch.
 * @param laterNs by which its times are later where they are counted from our base
 * @throws Error when it is cut off; DendroError DENDRO_BATCH_MALFORMED
 */
async function* batchesIn({ body }: Response, laterNs: number): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const bytes = new Bytes(body.getReader());
  try {
    for (let head = await bytes.take(LENGTH_BYTES); head !== undefined; head = await bytes.take(LENGTH_BYTES)) {
      const batch = await bytes.take(new DataView(head.buffer).getUint32(0, true));
      if (batch === undefined) throw new Error(CUT_OFF);
      yield laterNs === 0 ? batch : movedBatch(batch, laterNs);
    }
  } finally {
    bytes.leave();
  }
}

/** Of a body as it comes. */
class Bytes {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest = new Uint8Array() as Uint8Array;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
  }

  /** @returns the next ones, in memory of their own; undefined at the end */
  async take(count: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (count > MAX_ANSWER_BYTES) throw new Error(CUT_OFF);
    const taken = new Uint8Array(count);
    for (let at = 0; at < count; ) {
      if (this.#rest.length === 0) {
        const { value } = await this.#reader.read();
        if (value === undefined && at > 0) throw new Error(CUT_OFF);
        if (value === undefined) return undefined;
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, count - at);
      taken.set(part, at);
      at += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return taken;
  }

  leave(): void {
    void this.#reader.cancel().catch(() => {});
  }
}

/** What the server says of its refusal. */
export async function sentenceOf(answer: Response): Promise<string> {
  try {
    const { message } = (await answer.json()) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // No JSON: then the status has to do.
  }
  return `The server answered ${answer.status}.`;
}
