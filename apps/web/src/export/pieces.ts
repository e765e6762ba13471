// Long work in short turns, so that the page goes on answering.

const TURN_MS = 8;

export interface Turns {
  readonly signal: AbortSignal;
  /** 0 to 1. */
  readonly onProgress: (part: number) => void;
}

/**
 * Runs a generator to its end, with a pause whenever a turn is over.
 * @param total steps that it is likely to take
 * @returns what it has yielded
 * @throws the reason of the signal
 */
export async function inTurns<T>(steps: Iterable<T>, total: number, { signal, onProgress }: Turns): Promise<T[]> {
  const all: T[] = [];
  let turnBegan = performance.now();
  for (const step of steps) {
    all.push(step);
    if (performance.now() - turnBegan < TURN_MS) continue;
    onProgress(Math.min(1, all.length / Math.max(1, total)));
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
    turnBegan = performance.now();
  }
  return all;
}
