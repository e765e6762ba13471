// The column of lifetimes: the stretch of time that the strip shows, with a bar
// for each life and a line at the instant shown. The grid says the stretch in
// custom properties, and each bar only its own life: when time goes on, no row
// is drawn again.

import type { EventNs } from '@dendro/protocol';
import { epochMsOf } from '@dendro/protocol';
import type { CSSProperties } from 'react';
import { useApp } from '../../app-context.ts';
import { clockTime } from '../../layout/format.ts';
import type { TimeWindow } from '../../layout/time-window.ts';

/** Seconds of event time. */
export interface LifeStyle extends CSSProperties {
  readonly '--from': number;
  readonly '--span': number;
  readonly '--at': number;
}

export function lifeStyle({ from, to }: TimeWindow, at: EventNs): LifeStyle {
  return { '--from': from / 1e9, '--span': Math.max(1e-9, (to - from) / 1e9), '--at': at / 1e9 };
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
        <span />
      </div>
    </div>
  );
}
