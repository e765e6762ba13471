// What the counts of the messages say about losses.
//
// The kernel counts the messages of each CPU, and a CPU's messages come in
// their order. So a jump of the count is the exact number of those that were
// lost between two messages; only what is lost before the first of a CPU or
// after the last goes unseen.

import type { EventNs } from '@dendro/protocol';

const COUNT = 2 ** 32;

export class SequenceCheck {
  readonly #cpus = new Map<number, { next: number; at: EventNs }>();

  /**
   * Takes the next message.
   * @returns how many of its CPU were lost before it, and since when
   */
  take(cpu: number, seq: number, at: EventNs): { readonly lost: number; readonly from: EventNs } | undefined {
    const known = this.#cpus.get(cpu);
    if (known === undefined) {
      this.#cpus.set(cpu, { next: (seq + 1) % COUNT, at });
      return undefined;
    }
    const lost = (seq - known.next + COUNT) % COUNT;
    if (lost >= COUNT / 2) return undefined; // a repetition: nothing is lost, and nothing moves
    const from = known.at;
    known.next = (seq + 1) % COUNT;
    known.at = at;
    return lost === 0 ? undefined : { lost, from };
  }
}
