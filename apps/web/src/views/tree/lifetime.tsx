// The column of lifetimes: the stretch of time that the strip shows, with a bar
// for each life and a line at the instant shown.

import type { EventNs } from '@dendro/protocol';
import { epochMsOf } from '@dendro/protocol';
import { useApp } from '../../app-context.ts';
import { clockTime } from '../../layout/format.ts';
import type { TimeWindow } from '../../layout/time-window.ts';

/**
 * Puts every bar in a grid where its life was, up to `at`. With values of the grid's style that each bar counts with, the
 * browser would work out the style of all that is in the grid with each frame.
 */
export function placeLives(grid: Element, { from, to }: TimeWindow, at: EventNs): void {
  const share = (time: number) => Math.min(1, Math.max(0, (time - from) / Math.max(1, to - from)));
  for (const bar of grid.querySelectorAll<HTMLElement>('.life')) {
    const left = share(Number(bar.dataset['born']));
    const right = share(Math.min(Number(bar.dataset['ended']), at));
    put(bar, 'left', `${(left * 100).toFixed(2)}%`);
    put(bar, 'right', `${((1 - right) * 100).toFixed(2)}%`);
  }
}

function put({ style }: HTMLElement, side: 'left' | 'right', value: string): void {
  if (style[side] !== value) style[side] = value;
}

export function LifeHead({ window }: { readonly window: TimeWindow }) {
  const { host } = useApp().replica;
  const base = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
  const today = epochMsOf(base, window.to);
  return (
    <>
      <span className="visually-hidden">Lifetime, from </span>
      <span>{clockTime(base, window.from, today)}</span>
      <span className="visually-hidden"> to </span>
      <span>{clockTime(base, window.to, today)}</span>
    </>
  );
}

export function LifePlayhead({ at, window }: { readonly at: EventNs; readonly window: TimeWindow }) {
  if (at < window.from || at > window.to) return null;
  return (
    <div className="life-playhead" aria-hidden="true" data-testid="life-playhead">
      <div>
        <span style={{ left: `${((at - window.from) / Math.max(1, window.to - window.from)) * 100}%` }} />
      </div>
    </div>
  );
}
