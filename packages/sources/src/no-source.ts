// No feed at all: the tree holds what is posted to it.

import type { SourceStatus } from '@dendro/protocol';
import type { HostClock } from './host-clock.ts';
import type { EventSink, Source } from './source.ts';

export class NoSource implements Source {
  readonly name = 'none';
  readonly isLive = true;
  readonly #clock: HostClock;

  constructor(clock: HostClock) {
    this.#clock = clock;
  }

  async start(sink: EventSink): Promise<void> {
    sink({ type: 'clock', epochNs: this.#clock.base.epochNs });
  }

  status(): SourceStatus {
    const detail = "Nothing is read here; events are posted to /api/v1/hosts/local/events, as Tracee's webhook does.";
    return { name: this.name, state: 'running', detail, notices: [], events: 0, lost: 0, rejected: {} };
  }

  async stop(): Promise<void> {}
}
