// Of how many programs that were started are the arguments known? An exec says
// none; /proc has them as long as the process runs this program. So it depends on
// how long they ran.

import type { EventNs, TaskEvent } from '@dendro/protocol';

/** So many that run are followed; there are no more pids on most machines. */
const MAX_RUNNING = 65_536;
const MS = 1_000_000;
/** Those that ran for less than so long are told of apart, ms. */
const CLASSES_MS = [1, 5, 20] as const;

interface Program {
  readonly since: EventNs;
  isKnown: boolean;
}

export class ProgramCount {
  known = 0;
  /** They ended, or ran something else, before they could be read. */
  gone = 0;
  readonly #running = new Map<number, Program>(); // by pid
  // By class: of those that have ended, all and the ones that are known.
  readonly #ended = CLASSES_MS.map(() => ({ all: 0, known: 0 }));

  /** Takes events in their order, and what was read of /proc in between. */
  take(event: TaskEvent): void {
    switch (event.type) {
      case 'exec': {
        this.#leave(event.pid, event.at);
        const isKnown = event.argv !== undefined;
        if (isKnown) this.known++;
        if (this.#running.size < MAX_RUNNING) this.#running.set(event.pid, { since: event.at, isKnown });
        break;
      }
      case 'observe': {
        const program = this.#running.get(event.pid);
        if (program === undefined || program.isKnown || event.argv === undefined) break;
        program.isKnown = true;
        this.known++;
        break;
      }
      case 'exit':
        this.#leave(event.tid, event.at);
        break;
      default:
    }
  }

  /** One sentence; nothing before there is anything to say. */
  *notices(): Generator<string> {
    const all = this.known + this.gone;
    if (all === 0) return;
    const others = this.gone === 0 ? '' : `; ${this.gone} exited before they could be read${this.#byLife()}`;
    yield `Arguments known for ${percent(this.known, all)} of ${all} programs${others}.`;
  }

  #byLife(): string {
    const parts = this.#ended.flatMap(({ all, known }, nth) =>
      all === 0 ? [] : [`${percent(known, all)} of ${all} under ${CLASSES_MS[nth]} ms`],
    );
    return parts.length === 0 ? '' : ` (of those that ran for so long: ${parts.join(', ')})`;
  }

  #leave(pid: number, at: EventNs): void {
    const program = this.#running.get(pid);
    if (program === undefined) return;
    this.#running.delete(pid);
    if (!program.isKnown) this.gone++;
    const ended = this.#ended[CLASSES_MS.findIndex((ms) => at - program.since < ms * MS)];
    if (ended === undefined) return;
    ended.all++;
    if (program.isKnown) ended.known++;
  }
}

function percent(part: number, all: number): string {
  return `${Math.floor((100 * part) / all)} %`;
}
