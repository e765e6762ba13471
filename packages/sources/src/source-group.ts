// Several sources of one kind as one, each of a host of its own.

import type { SourceStatus } from '@dendro/protocol';
import type { EventSink, Source } from './source.ts';

export class SourceGroup implements Source {
  readonly name: string;
  readonly isLive: boolean;
  readonly #sources: readonly Source[];

  constructor(name: string, sources: readonly Source[]) {
    this.name = name;
    this.#sources = sources;
    this.isLive = sources.some(({ isLive }) => isLive);
  }

  /** @throws DendroError what the first of them said that cannot start; none runs then */
  async start(sink: EventSink): Promise<void> {
    const outcomes = await Promise.allSettled(this.#sources.map((source) => source.start(sink)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed === undefined) return;
    await this.stop();
    throw failed.reason;
  }

  status(): SourceStatus {
    const all = this.#sources.map((source) => source.status());
    const rejected: Record<string, number> = {};
    for (const status of all) {
      for (const [reason, times] of Object.entries(status.rejected)) rejected[reason] = (rejected[reason] ?? 0) + times;
    }
    return {
      name: this.name,
      state: stateOf(all.map(({ state }) => state)),
      detail: all.map(({ detail }) => detail).join(' '),
      notices: [...new Set(all.flatMap(({ notices }) => notices))],
      events: all.reduce((sum, { events }) => sum + events, 0),
      lost: all.reduce((sum, { lost }) => sum + lost, 0),
      rejected,
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
  }
}

/** Of several it is what the busiest is. */
function stateOf(states: readonly SourceStatus['state'][]): SourceStatus['state'] {
  return (['running', 'starting', 'failed', 'ended'] as const).find((state) => states.includes(state)) ?? 'ended';
}
