import type { TaskIndex } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { useMemo } from 'react';
import { exactTime } from '../../layout/format.ts';
import { livesWithin } from '../../layout/lifetime-layout.ts';
import { windowOf } from '../../layout/lifetime-window.ts';
import type { LineageFamily } from '../../layout/lineage-family.ts';
import type { RowContext } from '../../layout/row-model.ts';
import type { TimeWindow } from '../../layout/time-window.ts';
import { useView, view } from '../../state/view-store.ts';
import { Lifetimes } from './lifetimes.tsx';
import { LineageFrame } from './lineage-frame.tsx';
import { STEP_OF_DESCENDANTS, useFamily, type Wanted } from './use-family.ts';

interface LifetimesPictureProps {
  readonly subject: TaskIndex;
  readonly context: RowContext;
}

const LAST: readonly (readonly [string, number])[] = [
  ['10s', 10e9],
  ['30s', 30e9],
  ['5m', 300e9],
  ['1h', 3600e9],
];
const ALL: Wanted = () => true;
const NEVER = () => false;

export function LifetimesPicture({ subject, context }: LifetimesPictureProps) {
  const { tree, base, at } = context;
  const choice = useView((state) => state.livesShown);
  const wanted = useMemo((): Wanted => {
    if (choice === 'all') return ALL;
    return (tree, task, at) => livesWithin(tree, task, windowAt(choice, at));
  }, [choice]);
  const family = useFamily(context.tree, subject, { limit: STEP_OF_DESCENDANTS, wanted, groups: NEVER });
  const window = choice === 'all' ? wholeWindow(context, family) : windowAt(choice, at);
  const about =
    choice === 'all' ? [] : [`Who lived between ${exactTime(base, window.from)} and ${exactTime(base, window.to)}`];
  return (
    <LineageFrame
      picture="lifetimes"
      subject={subject}
      context={context}
      family={family}
      unwantedAre="that did not live in this window"
      about={about}
      tools={
        <>
          <button type="button" aria-pressed={choice === 'all'} onClick={() => view.showLives('all')}>
            All
          </button>
          {LAST.map(([label, ns]) => (
            <button
              key={label}
              type="button"
              aria-pressed={choice === ns}
              title={`The last ${label} before the instant that is shown`}
              onClick={() => view.showLives(ns)}
            >
              {label}
            </button>
          ))}
        </>
      }
    >
      <Lifetimes
        tree={tree}
        family={family}
        context={context}
        window={window}
        onWindow={view.showLives}
        onWhole={() => view.showLives('all')}
      />
    </LineageFrame>
  );
}

function windowAt(choice: number | TimeWindow, at: number): TimeWindow {
  return typeof choice === 'number' ? windowOf(at - choice, at) : choice;
}

const LEAST_ROOM_NS = 1e6;

/** From the birth of the subject to the last end that is known, with a little room at both sides. */
function wholeWindow({ tree, at }: RowContext, { members }: LineageFamily): TimeWindow {
  const from = tree.startOf(members[0]?.task as TaskIndex);
  let to = from;
  for (const { task } of members) to = Math.max(to, Math.min(at, tree.exitOf(task))) as EventNs;
  const room = Math.max(LEAST_ROOM_NS, (to - from) * 0.02);
  return windowOf(from - room, to + room);
}
