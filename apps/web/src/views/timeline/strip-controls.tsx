// Beside the strip: an instant to type, steps from one change to the next, and
// playing on.

import type { EventNs } from '@dendro/protocol';
import { Diff, FastForward, StepBack, StepForward } from 'lucide-react';
import { type FormEvent, memo, useEffect, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { movedTo } from '../../layout/time-window.ts';
import { useView, view } from '../../state/view-store.ts';
import { IconButton } from '../common/icon-button.tsx';
import { goToTime, timeGoal } from './go-to-time.ts';
import { pinA } from './pin-a.ts';
import { stepToChange } from './step-to-change.ts';

const SPEEDS = [1, 5, 20, 100, 1000] as const;

interface StripControlsProps {
  readonly knownFrom: EventNs;
}

export const StripControls = memo(function StripControls({ knownFrom }: StripControlsProps) {
  const app = useApp();
  const playing = useView((state) => state.playing);
  const [speed, setSpeed] = useState<number>(SPEEDS[0]);
  usePlayback();
  return (
    <div className="strip-controls">
      <TimeField />
      <PinButton />
      <IconButton label="Previous start, exec or end of a process (,)" onClick={() => stepToChange(app, -1)}>
        <StepBack size={15} aria-hidden="true" />
      </IconButton>
      <IconButton label="Next start, exec or end of a process (.)" onClick={() => stepToChange(app, 1)}>
        <StepForward size={15} aria-hidden="true" />
      </IconButton>
      <button
        type="button"
        className="icon-button"
        aria-pressed={playing !== undefined}
        aria-label={playing === undefined ? `Play the past, ${speed} times as fast` : 'Stop playing'}
        title={playing === undefined ? `Play the past, ${speed} times as fast` : 'Stop playing'}
        onClick={() => {
          if (playing !== undefined) view.play(undefined);
          else {
            if (useView.getState().pausedAt === undefined) view.pause(knownFrom);
            view.play(speed);
          }
        }}
      >
        <FastForward size={15} aria-hidden="true" />
      </button>
      <select
        aria-label="Speed of playing"
        value={speed}
        onChange={({ target }) => {
          setSpeed(Number(target.value));
          if (playing !== undefined) view.play(Number(target.value));
        }}
      >
        {SPEEDS.map((speed) => (
          <option key={speed} value={speed}>
            {speed}×
          </option>
        ))}
      </select>
    </div>
  );
});

function PinButton() {
  const { replica } = useApp();
  const isComparing = useView((state) => state.comparison !== undefined);
  return (
    <IconButton
      label={isComparing ? 'Leave the comparison' : 'Compare: pin this instant as A (a)'}
      isPressed={isComparing}
      onClick={() => (isComparing ? view.leaveComparison() : pinA(replica))}
    >
      <Diff size={15} aria-hidden="true" />
    </IconButton>
  );
}

function TimeField() {
  const { replica } = useApp();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (text.trim() === '') return;
    const goal = timeGoal(text, replica);
    if (goal.kind === 'problem') setProblem(goal.message);
    else {
      goToTime(goal, replica);
      setText('');
    }
  }
  return (
    <form className="time-field" onSubmit={submit}>
      <input
        type="text"
        data-testid="time-field"
        aria-label="Go to a time: a time of day, minutes ago, or a date and time"
        aria-invalid={problem !== undefined}
        placeholder="14:03, -5m"
        maxLength={40}
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={({ target }) => {
          setText(target.value);
          setProblem(undefined);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          setText('');
          setProblem(undefined);
          event.currentTarget.blur();
        }}
      />
      {problem !== undefined && (
        <span className="time-problem" role="alert">
          {problem}
        </span>
      )}
    </form>
  );
}

/** With each frame the instant shown moves on, until it has reached the present. */
function usePlayback(): void {
  const { replica, past } = useApp();
  const playing = useView((state) => state.playing);
  useEffect(() => {
    if (playing === undefined) return;
    let last = performance.now();
    let request = requestAnimationFrame(step);
    function step(time: number): void {
      const { pausedAt, timeWindow } = useView.getState();
      const passedMs = Math.max(0, time - last);
      last = time;
      if (pausedAt === undefined || playing === undefined) {
        view.play(undefined);
        return;
      }
      // Time stands still until what was then has come.
      if (past.isFor(pausedAt) && past.holds(pausedAt) === undefined && past.problem === undefined) {
        request = requestAnimationFrame(step);
        return;
      }
      past.playedTo(pausedAt);
      const next = pausedAt + passedMs * 1e6 * playing;
      if (next >= replica.now()) {
        if (replica.host?.isLive) view.goLive();
        else view.pause(replica.now());
        return;
      }
      view.playOn(next as EventNs);
      if (timeWindow !== undefined) {
        const shown = movedTo(timeWindow, next as EventNs);
        if (shown !== timeWindow) view.showTime(shown);
      }
      request = requestAnimationFrame(step);
    }
    return () => cancelAnimationFrame(request);
  }, [playing, replica, past]);
}
