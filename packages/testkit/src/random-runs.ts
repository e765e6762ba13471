// How many random cases a property test tries, and which.

import type fc from 'fast-check';

/**
 * `numRuns` cases that are the same ones every time, so that what fails, fails for everybody. With DENDRO_STREAMS as
 * many as it says, that nobody has tried; DENDRO_SEED repeats a seed that failed.
 */
export function randomRuns(numRuns: number): fc.Parameters<unknown> & { readonly numRuns: number } {
  const streams = process.env['DENDRO_STREAMS'];
  const seed = process.env['DENDRO_SEED'] ?? (streams === undefined ? '20261124' : undefined);
  return {
    numRuns: Number(streams ?? numRuns),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    // To cut one that fails down to its least takes long: DENDRO_SHRINK=1 asks for it.
    endOnFailure: process.env['DENDRO_SHRINK'] === undefined,
  };
}
