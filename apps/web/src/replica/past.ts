// What the page does not hold by itself: trees of the past, fetched from the
// server's history. First the instant that somebody looks at, so that it shows at
// once, then a window of time around it: within that no more is asked. Where too
// much happened to hold a window, each instant is fetched by itself.

import { TemporalTree } from '@dendro/engine';
import { type EventNs, eventTimeOf, type HostInfo, toError } from '@dendro/protocol';
import { requestWindow, type WindowAnswer, type WindowDeps } from './window-request.ts';

export type PastDeps = WindowDeps & {
  /** Milliseconds that only rise. */
  readonly clock?: () => number;
};

type Batches = Extract<WindowAnswer, { kind: 'batches' }>;

/** A tree, and the instants about which it knows all. */
export interface PastWindow {
  readonly host: string;
  readonly from: EventNs;
  readonly to: EventNs;
  readonly tree: TemporalTree;
}

/** To either side of the instant that is asked about; less where that is too much for one answer. */
const REACHES_NS = [300e9, 60e9, 5e9, 1e9];
/** Times in the page are exact to less than that. */
const APART_NS = 1000;
const SETTLE_MS = 80;
/** A pointer that never rests, or the past being played, is followed all the same. */
const MAX_WAIT_MS = 300;
/** A window that comes as fast as this is asked for at once, without the instant alone before it. */
const QUICK_MS = 120;
/** Of an answer there are, as a rule, so many for each task, and so many for each entry of its changelogs. */
const [BYTES_OF_A_TASK, BYTES_OF_AN_ENTRY] = [200, 45];
/** What is taken in at one go in the background. */
const SLICE_MS = 5;
/** After an instant could not be had, it is asked for again. */
const AGAIN_MS = 5000;
/** Of the reach: nearer to the edge of the window than this, a player has the next one fetched. */
const AHEAD = 0.4;

export class Past {
  readonly #deps: PastDeps;
  readonly #clock: () => number;
  readonly #listeners = new Set<() => void>();
  #window: PastWindow | undefined;
  #wanted: EventNs | undefined;
  #wantedSince = 0;
  #movedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The instant that is being fetched. */
  #loading: EventNs | undefined;
  #widening: AbortController | undefined;
  /** The longest of REACHES_NS that is worth asking for, by number; as many as there are when none is. */
  #reach = 0;
  /** Was even the shortest window too much? */
  #isTooMuch = false;
  #windowMs = Number.POSITIVE_INFINITY;
  #problem: string | undefined;
  #failed: { readonly at: EventNs; readonly time: number } | undefined;

  constructor(deps: PastDeps) {
    this.#deps = deps;
    this.#clock = deps.clock ?? (() => performance.now());
  }

  /** @returns takes the listener off again */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Is an instant that somebody looks at still to come? */
  get isLoading(): boolean {
    return this.#wanted !== undefined || this.#loading !== undefined;
  }

  /** Did too much happen around here for more than single instants? */
  get isSampled(): boolean {
    const window = this.#windowOfHost();
    return this.#isTooMuch && window !== undefined && window.from === window.to;
  }

  /** Why the last instant could not be had, a sentence. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Does the replica not know all about this instant, and can the server be asked? Not before its history begins. */
  isFor(at: EventNs): boolean {
    const { host, wholeFrom } = this.#deps.replica;
    if (host?.oldestEpochNs === undefined || at >= wholeFrom) return false;
    return at >= eventTimeOf({ epochNs: BigInt(host.baseEpochNs) }, BigInt(host.oldestEpochNs));
  }

  /** Of the last window; undefined before there is one. */
  get tree(): TemporalTree | undefined {
    return this.#windowOfHost()?.tree;
  }

  /** The window that knows all about this instant, if there is one. Nothing is asked for. */
  holds(at: EventNs): PastWindow | undefined {
    const window = this.#windowOfHost();
    return window !== undefined && at >= window.from && at <= window.to ? window : undefined;
  }

  /**
   * The tree to read about an instant for which this is; undefined until it has come. Asks for it after the pointer
   * has come to rest, or a moment later.
   */
  treeAt(at: EventNs): TemporalTree | undefined {
    const window = this.holds(at);
    if (window !== undefined) this.#forget();
    else if (at !== this.#wanted && at !== this.#loading && !this.#hasJustFailed(at)) this.#want(at);
    return window?.tree;
  }

  /** The past is being played and has come to `at`: what comes next is fetched before it is needed. */
  playedTo(at: EventNs): void {
    const window = this.holds(at);
    const reach = REACHES_NS[this.#reach];
    if (window === undefined || reach === undefined || this.#widening !== undefined) return;
    const isEnough = window.to - at > reach * AHEAD || window.to >= this.#deps.replica.wholeFrom;
    if (!isEnough && window.to > window.from) void this.#widen(at);
  }

  /** Somebody is back where nothing has to be fetched. */
  leave(): void {
    if (this.#wanted === undefined && this.#problem === undefined) return;
    this.#forget();
    this.#problem = undefined;
  }

  /**
   * Whoever lived at an instant, to be taken in by another tree.
   * @throws Error with a sentence
   */
  async instant(at: EventNs): Promise<AsyncIterable<Uint8Array>> {
    return (await this.#answerOf(at)).batches;
  }

  async #answerOf(at: EventNs): Promise<Batches> {
    const answer = await requestWindow(this.#deps, at, at);
    if (answer.kind === 'too-large') throw new Error('So much lived then that it cannot be shown.');
    return answer;
  }

  #windowOfHost(): PastWindow | undefined {
    return this.#window?.host === this.#deps.replica.host?.id ? this.#window : undefined;
  }

  #hasJustFailed(at: EventNs): boolean {
    return at === this.#failed?.at && this.#clock() - this.#failed.time < AGAIN_MS;
  }

  #forget(): void {
    this.#wanted = undefined;
    clearTimeout(this.#timer);
  }

  #want(at: EventNs): void {
    const now = this.#clock();
    // Who jumps there has it at once; who drags, when the pointer rests.
    const isJump = now - this.#movedAt > MAX_WAIT_MS;
    this.#movedAt = now;
    if (this.#wanted === undefined) this.#wantedSince = now;
    this.#wanted = at;
    clearTimeout(this.#timer);
    const load = (): void => {
      if (this.#loading === undefined && this.#wanted !== undefined) void this.#load();
    };
    // Views ask while they are drawn: nobody is told before that is over.
    if (isJump) queueMicrotask(load);
    else this.#timer = setTimeout(load, Math.max(0, Math.min(SETTLE_MS, this.#wantedSince + MAX_WAIT_MS - now)));
  }

  async #load(): Promise<void> {
    this.#widening?.abort();
    while (this.#wanted !== undefined) {
      const at = this.#wanted;
      this.#loading = at;
      this.#wanted = undefined;
      this.#problem = undefined;
      this.#tell();
      try {
        const isQuick = this.#windowMs < QUICK_MS && this.#reach < REACHES_NS.length;
        if (!isQuick || !(await this.#loadAround(at))) await this.#loadInstant(at);
      } catch (thrown) {
        this.#problem = toError(thrown).message;
        this.#failed = { at, time: this.#clock() };
      }
      this.#loading = undefined;
      this.#tell();
    }
    const window = this.#windowOfHost();
    if (window !== undefined && window.from === window.to) await this.#widen(window.from);
  }

  /** In the background, until somebody asks for something else. */
  async #widen(at: EventNs): Promise<void> {
    const widening = new AbortController();
    this.#widening = widening;
    // What was too much elsewhere need not be too much here: one step longer than what was possible last.
    this.#reach = Math.max(0, this.#reach - 1);
    try {
      while (this.#reach < REACHES_NS.length && !(await this.#loadAround(at, widening.signal)));
    } catch {
      // The instant itself is there. Where it ends, the next one is asked for.
    }
    if (this.#widening === widening) this.#widening = undefined;
    if (!widening.signal.aborted) this.#tell();
  }

  async #loadInstant(at: EventNs): Promise<void> {
    const { host } = this.#deps.replica;
    const answer = await this.#answerOf(at);
    const tree = treeFor(answer);
    for await (const batch of answer.batches) tree.apply(batch);
    this.#show(host, { from: at, to: at, tree });
  }

  /**
   * @param signal of who does it in the background: the page gets a turn between two batches
   * @returns false when it is too much: `#reach` is a shorter one then
   */
  async #loadAround(at: EventNs, signal?: AbortSignal): Promise<boolean> {
    const { replica } = this.#deps;
    const { host } = replica;
    const reach = REACHES_NS[this.#reach] as number;
    const base = { epochNs: BigInt(host?.baseEpochNs ?? 0) };
    const from = Math.max(eventTimeOf(base, BigInt(host?.oldestEpochNs ?? 0)), at - reach) as EventNs;
    let to = Math.min(replica.now(), at + reach) as EventNs;
    const began = this.#clock();
    let answer = await requestWindow(this.#deps, from, to, signal);
    // A window is of the boot of its last instant: that of an earlier one ends before.
    if (answer.kind === 'batches' && answer.from > at) {
      to = Math.max(at, answer.from - APART_NS) as EventNs;
      answer = await requestWindow(this.#deps, from, to, signal);
    }
    if (answer.kind === 'too-large') {
      this.#reach++;
      this.#isTooMuch ||= this.#reach === REACHES_NS.length;
      return false;
    }
    const tree = treeFor(answer);
    let sliceFrom = this.#clock();
    for await (const batch of answer.batches) {
      tree.apply(batch);
      if (signal === undefined || this.#clock() - sliceFrom < SLICE_MS) continue;
      await aMoment();
      signal.throwIfAborted();
      sliceFrom = this.#clock();
    }
    this.#windowMs = this.#clock() - began;
    this.#isTooMuch = false;
    this.#show(host, { from: answer.from, to, tree });
    return true;
  }

  /** Unless another host is shown by now. */
  #show(host: HostInfo | undefined, window: Omit<PastWindow, 'host'>): void {
    const { replica } = this.#deps;
    if (host !== undefined && host.id === replica.host?.id) this.#window = { host: host.id, ...window };
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** With room for what is on its way: growing costs as much as taking in. */
function treeFor({ bytes }: Batches): TemporalTree {
  const [expectedTasks, expectedEntries] = [Math.ceil(bytes / BYTES_OF_A_TASK), Math.ceil(bytes / BYTES_OF_AN_ENTRY)];
  return new TemporalTree({ expectedTasks, expectedEntries });
}

function aMoment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
