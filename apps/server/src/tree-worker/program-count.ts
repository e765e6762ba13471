// Of how many programs that were started are the arguments known? An exec says
// none; /proc has them as long as the process runs this program.

import type { TaskEvent } from '@dendro/protocol';

/** Of so many the arguments are waited for; there are no more pids on most machines. */
const MAX_WAITING = 65_536;

export class ProgramCount {
  known = 0;
  /** They ended, or ran something else, before they could be read. */
  gone = 0;
  readonly #waiting = new Set<number>(); // pids

  /** Takes events in their order, and what was read of /proc in between. */
  take(event: TaskEvent): void {
    switch (event.type) {
      case 'exec':
        this.#leave(event.pid, false);
        if (event.argv !== undefined) this.known++;
        else if (this.#waiting.size < MAX_WAITING) this.#waiting.add(event.pid);
        break;
      case 'observe':
        if (event.argv !== undefined) this.#leave(event.pid, true);
        break;
      case 'exit':
        this.#leave(event.tid, false);
        break;
      default:
    }
  }

  /** One sentence; nothing before there is anything to say. */
  *notices(): Generator<string> {
    const all = this.known + this.gone;
    if (all === 0) return;
    const percent = Math.floor((100 * this.known) / all);
    const others = this.gone === 0 ? '' : `; ${this.gone} exited before they could be read`;
    yield `Arguments known for ${percent} % of ${all} programs${others}.`;
  }

  #leave(pid: number, isKnown: boolean): void {
    if (!this.#waiting.delete(pid)) return;
    if (isKnown) this.known++;
    else this.gone++;
  }
}
