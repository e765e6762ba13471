// How a task is named from outside, and what can go wrong with that.

import type { EntityId, TaskId } from '@dendro/protocol';

/** Which task is meant. An entity id can fit several; a pid needs the time of the key. */
export type TaskRef = { readonly taskId: TaskId } | { readonly entityId: EntityId } | { readonly pid: number };

export class DataNotFoundError extends Error {
  override readonly name = 'DataNotFoundError';

  constructor() {
    super('the requested data was not found');
  }
}

export class KeyNotSupportedError extends Error {
  override readonly name = 'KeyNotSupportedError';

  constructor() {
    super('the queried key is not supported');
  }
}

/** Several tasks fit the reference. */
export class AmbiguousTaskError extends Error {
  override readonly name = 'AmbiguousTaskError';
  readonly candidates: readonly TaskId[];

  constructor(candidates: readonly TaskId[]) {
    super(`${candidates.length} tasks fit`);
    this.candidates = candidates;
  }
}
