// The instant A of a comparison. Where the tree in which B is read knows all
// about A too, that tree is read at both. Otherwise whoever lived at A is fetched
// from the server's history and put beside those of B, in a tree of its own.

import type { TemporalTree } from '@dendro/engine';
import { type EventNs, toError } from '@dendro/protocol';
import type { Past } from './past.ts';
import type { Replica } from './replica.ts';

interface PinnedDeps {
  readonly replica: Replica;
  readonly past: Past;
}

interface Both {
  readonly a: EventNs;
  /** The tree that B was read in. */
  readonly base: TemporalTree;
  readonly tree: TemporalTree;
  readonly end: () => void;
}

/** After A could not be had, it is asked for again. */
const AGAIN_MS = 5000;

export class Pinned {
  readonly #deps: PinnedDeps;
  readonly #listeners = new Set<() => void>();
  #both: Both | undefined;
  #fetched: { readonly a: EventNs; readonly host: string; readonly batches: readonly Uint8Array[] } | undefined;
  #fetching: { readonly a: EventNs; readonly host: string } | undefined;
  #makeBoth: typeof import('./both-trees.ts').bothTrees | undefined;
  #problem: string | undefined;

  constructor(deps: PinnedDeps) {
    this.#deps = deps;
  }

  /** @returns takes the listener off again */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Why A cannot be shown, a sentence. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Could somebody who lived at A be missing, with no history to ask? */
  isLossy(a: EventNs): boolean {
    const { host, wholeFrom } = this.#deps.replica;
    return host?.oldestEpochNs === undefined && a < wholeFrom;
  }

  /**
   * The tree that knows both A and what `base` knows; undefined until A has come.
   * @param base the tree of the replica or that of a window of the past
   */
  treeFor(a: EventNs, base: TemporalTree): TemporalTree | undefined {
    const { replica, past } = this.#deps;
    const isKnown = base === replica.tree ? !past.isFor(a) : past.holds(a)?.tree === base;
    if (isKnown) {
      this.leave();
      return base;
    }
    if (this.#both?.a === a && this.#both.base === base) return this.#both.tree;
    const host = replica.host?.id ?? '';
    const { a: fetchedA, host: fetchedHost, batches } = this.#fetched ?? {};
    if (batches === undefined || this.#makeBoth === undefined || fetchedA !== a || fetchedHost !== host) {
      if (this.#fetching?.a !== a || this.#fetching.host !== host) void this.#fetch(a, host);
      return undefined;
    }
    this.#both?.end();
    const tree = this.#makeBoth(base, batches);
    const end = base === replica.tree ? replica.follow(tree) : () => {};
    this.#both = { a, base, tree, end };
    return tree;
  }

  /** No comparison needs a tree of its own any more. */
  leave(): void {
    this.#both?.end();
    this.#both = undefined;
    this.#fetched = undefined;
    this.#problem = undefined;
  }

  async #fetch(a: EventNs, host: string): Promise<void> {
    const fetching = { a, host };
    this.#fetching = fetching;
    try {
      const [batches, { bothTrees }] = await Promise.all([
        this.#deps.past.instant(a).then((coming) => Array.fromAsync(coming)),
        import('./both-trees.ts'),
      ]);
      this.#makeBoth = bothTrees;
      if (this.#fetching !== fetching) return;
      this.#fetched = { a, host, batches };
      this.#problem = undefined;
    } catch (thrown) {
      this.#problem = toError(thrown).message;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    if (this.#fetching === fetching) this.#fetching = undefined;
    for (const listener of this.#listeners) listener();
  }
}
