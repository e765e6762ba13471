// How wide the panel of details is, and how high where it is a drawer at the
// bottom. Remembered between visits.

import { useState } from 'react';
import { readStored, store } from './stored.ts';

export type PanelSide = 'right' | 'bottom';

const KEYS: Readonly<Record<PanelSide, string>> = { right: 'dendro-panel-width', bottom: 'dendro-panel-height' };
const USUAL_PX: Readonly<Record<PanelSide, number>> = { right: 492, bottom: 360 };
export const LEAST_PX: Readonly<Record<PanelSide, number>> = { right: 300, bottom: 140 };
/** Of the window: the tree stays in view. */
const MOST_PART = 0.7;

/** Pixels along the side at which the panel is. */
export function usePanelSize(side: PanelSide) {
  const [sizes, setSizes] = useState(() => ({ right: storedSize('right'), bottom: storedSize('bottom') }));
  const most = Math.round((side === 'right' ? window.innerWidth : window.innerHeight) * MOST_PART);
  const least = Math.min(LEAST_PX[side], most);
  return {
    size: Math.min(most, Math.max(least, sizes[side])),
    least,
    most,
    resize: (px: number): void => {
      const size = Math.round(Math.min(most, Math.max(least, px)));
      setSizes((sizes) => ({ ...sizes, [side]: size }));
      store(KEYS[side], String(size));
    },
    reset: (): void => {
      setSizes((sizes) => ({ ...sizes, [side]: USUAL_PX[side] }));
      store(KEYS[side], String(USUAL_PX[side]));
    },
  };
}

function storedSize(side: PanelSide): number {
  const stored = readStored(KEYS[side]) ?? '';
  return /^\d{2,5}$/.test(stored) ? Number(stored) : USUAL_PX[side];
}
