// What a feed held that could not be used, counted by reason. For people it says
// where each kind was met first; the lines themselves may hold secrets.

export class Rejections<Reason extends string> {
  readonly #counts: Record<string, number> = {};
  readonly #firstLines = new Map<Reason, number>();

  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  get notices(): string[] {
    return [...this.#firstLines].map(([reason, line]) => `The first line rejected as ${reason} is line ${line}.`);
  }

  /** @param line its number, the first is 1 */
  add(reason: Reason, line: number): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
    if (!this.#firstLines.has(reason)) this.#firstLines.set(reason, line);
  }
}
