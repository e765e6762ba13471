// What the page does not hold by itself: trees of the past, fetched from the
// server's history, a window of time at once. Within the window no more is
// asked; until another one has come, the last one stays.

import { TemporalTree } from '@dendro/engine';
import { type EventNs, epochOf, eventTimeOf, movedBatch, type TimeBase } from '@dendro/protocol';
import type { Replica } from './replica.ts';

export interface PastDeps {
  readonly replica: Replica;
  readonly origin: string;
  readonly fetch: (input: string, init?: RequestInit) => Promise<Response>;
}

/** A tree, and the instants about which it knows all. */
export interface PastWindow {
  readonly host: string;
  readonly from: EventNs;
  readonly to: EventNs;
  readonly tree: TemporalTree;
}

/** To either side of the instant that is asked about; less where that is too much for one answer. */
const REACHES_NS = [300e9, 60e9, 5e9, 0];
const SETTLE_MS = 80;
const ANSWER_MS = 30_000;
const RETRY_MS = 5000;
const LENGTH_BYTES = 4;
const TOO_LARGE = 413;
/** Times in the page are exact to less than that. */
const APART_NS = 1000;

export class Past {
  readonly #deps: PastDeps;
  readonly #listeners = new Set<() => void>();
  #window: PastWindow | undefined;
  #wanted: EventNs | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLoading = false;
  #problem: string | undefined;
  /** The instant that the problem is of: it is asked about again after a while. */
  #refused: EventNs | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: PastDeps) {
    this.#deps = deps;
  }

  /** @returns takes the listener off again */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get isLoading(): boolean {
    return this.#isLoading;
  }

  /** Why the last window could not be had, a sentence. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Does the replica not know all about this instant, and can the server be asked? Not before its history begins. */
  isFor(at: EventNs): boolean {
    const { host, wholeFrom } = this.#deps.replica;
    if (host?.oldestEpochNs === undefined || at >= wholeFrom) return false;
    return at >= eventTimeOf({ epochNs: BigInt(host.baseEpochNs) }, BigInt(host.oldestEpochNs));
  }

  /**
   * The tree to read about an instant for which this is; undefined while there is none. Asks for it where the window
   * is another one, after the pointer has come to rest.
   */
  treeAt(at: EventNs): TemporalTree | undefined {
    const window = this.#windowOfHost();
    const isIn = window !== undefined && at >= window.from && at <= window.to;
    if (isIn) this.#wanted = undefined;
    else if (this.#wanted !== at && this.#refused !== at) this.#want(at);
    return window?.tree;
  }

  #windowOfHost(): PastWindow | undefined {
    return this.#window?.host === this.#deps.replica.host?.id ? this.#window : undefined;
  }

  #want(at: EventNs): void {
    this.#refused = undefined;
    this.#wanted = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.#isLoading) void this.#load();
    }, SETTLE_MS);
  }

  async #load(): Promise<void> {
    this.#isLoading = true;
    this.#tell();
    while (this.#wanted !== undefined) {
      const at = this.#wanted;
      this.#problem = undefined;
      try {
        this.#window = await this.#fetchAround(at);
      } catch (thrown) {
        this.#problem = thrown instanceof Error ? thrown.message : String(thrown);
        this.#refuse(at);
      }
      // Meanwhile somebody may have gone elsewhere.
      if (this.#wanted === at || this.#isInWindow(this.#wanted)) this.#wanted = undefined;
    }
    this.#isLoading = false;
    this.#tell();
  }

  #refuse(at: EventNs): void {
    this.#refused = at;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#refused = undefined;
    }, RETRY_MS);
  }

  #isInWindow(at: EventNs | undefined): boolean {
    const window = this.#windowOfHost();
    return at === undefined || (window !== undefined && at >= window.from && at <= window.to);
  }

  /** @throws Error with a sentence */
  async #fetchAround(at: EventNs): Promise<PastWindow> {
    const { replica } = this.#deps;
    const { host } = replica;
    if (host === undefined) throw new Error('There is no host.');
    const base = { epochNs: BigInt(host.baseEpochNs) };
    const oldest = eventTimeOf(base, BigInt(host.oldestEpochNs ?? 0));
    for (const reach of REACHES_NS) {
      const from = Math.max(oldest, at - reach) as EventNs;
      let to = Math.min(replica.now(), at + reach) as EventNs;
      let answer = await this.#ask(host.id, base, from, to);
      // A window is of the boot of its last instant: that of another one ends before.
      if (beginsAt(answer, base) > at) {
        to = Math.max(at, beginsAt(answer, base) - APART_NS) as EventNs;
        answer = await this.#ask(host.id, base, from, to);
      }
      if (answer.status === TOO_LARGE && reach > 0) continue;
      if (!answer.ok) throw new Error(await sentenceOf(answer));
      const itsBase = { epochNs: BigInt(answer.headers.get('x-dendro-base-epoch-ns') ?? host.baseEpochNs) };
      const tree = treeOf(new Uint8Array(await answer.arrayBuffer()), Number(itsBase.epochNs - base.epochNs));
      return { host: host.id, from: Math.max(from, beginsAt(answer, base)) as EventNs, to, tree };
    }
    throw new Error('So much happened then that it cannot be shown.');
  }

  #ask(host: string, base: TimeBase, from: EventNs, to: EventNs): Promise<Response> {
    const query = new URLSearchParams({ from: String(epochOf(base, from)), to: String(epochOf(base, to)) });
    const url = `${this.#deps.origin}/api/v1/hosts/${encodeURIComponent(host)}/window?${query}`;
    return this.#deps.fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** First instant about which an answer knows all. */
function beginsAt(answer: Response, base: TimeBase): number {
  const epochNs = answer.headers.get('x-dendro-from-epoch-ns');
  return epochNs === null ? Number.NEGATIVE_INFINITY : eventTimeOf(base, BigInt(epochNs));
}

/**
 * A repetition of a length (u32, little-endian) and a batch.
 * @param laterNs by which its times are later where they are counted from our base
 * @throws Error when it is cut off; DendroError DENDRO_BATCH_MALFORMED
 */
function treeOf(bytes: Uint8Array, laterNs: number): TemporalTree {
  const tree = new TemporalTree();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    if (at + LENGTH_BYTES > bytes.length) throw new Error('The answer of the server was cut off.');
    const start = at + LENGTH_BYTES;
    const end = start + view.getUint32(at, true);
    if (end > bytes.length) throw new Error('The answer of the server was cut off.');
    const batch = bytes.slice(start, end);
    tree.apply(laterNs === 0 ? batch : movedBatch(batch, laterNs));
    at = end;
  }
  return tree;
}

async function sentenceOf(answer: Response): Promise<string> {
  try {
    const { message } = (await answer.json()) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // No JSON: then the status has to do.
  }
  return `The server answered ${answer.status}.`;
}
