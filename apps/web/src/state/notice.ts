// One thing at a time that the page has to say: what was done, how far it is.

import { create } from 'zustand';

export interface Notice {
  readonly text: string;
  readonly tone: 'done' | 'failed' | 'working';
  /** Of what is being done, 0 to 1. */
  readonly part?: number;
  /** Gives up what is being done. */
  readonly onCancel?: () => void;
}

export const useNotice = create<{ readonly notice: Notice | undefined }>()(() => ({ notice: undefined }));

const DONE_MS = 4000;
let timer: ReturnType<typeof setTimeout> | undefined;

export function say(notice: Notice | undefined): void {
  clearTimeout(timer);
  useNotice.setState({ notice });
  if (notice?.tone === 'done') timer = setTimeout(() => useNotice.setState({ notice: undefined }), DONE_MS);
}
