import type { Brand } from '@dendro/protocol';

/** Slot of a task in one tree's tables. Means nothing outside that tree; given out again after eviction. */
export type TaskIndex = Brand<number, 'TaskIndex'>;

export const NO_TASK = -1 as TaskIndex;
