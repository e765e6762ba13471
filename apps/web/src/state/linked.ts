// What the pointer is over, so that the other view can point to it too: a row, and
// the strip shows its life; a stretch of the strip, and the rows that began or
// ended in it are tinted.

import type { TaskId } from '@dendro/protocol';
import { create } from 'zustand';
import type { TimeWindow } from '../layout/time-window.ts';

export interface Linked {
  readonly task: TaskId | undefined;
  readonly stretch: TimeWindow | undefined;
}

export const useLinked = create<Linked>()(() => ({ task: undefined, stretch: undefined }));

export const linked = {
  pointAtTask: (task: TaskId | undefined): void => {
    if (useLinked.getState().task !== task) useLinked.setState({ task });
  },
  pointAtStretch: (stretch: TimeWindow | undefined): void => {
    const now = useLinked.getState().stretch;
    if (now?.from !== stretch?.from || now?.to !== stretch?.to) useLinked.setState({ stretch });
  },
};
