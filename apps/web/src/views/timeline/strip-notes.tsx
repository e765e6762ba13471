// What the strip has to say of itself: that something is on its way, why it has not
// come, and what cannot be shown.

import { useApp } from '../../app-context.ts';
import { useView } from '../../state/view-store.ts';
import { useConnectionStatus } from '../../use-replica.ts';
import { GapNote, type GapNoteProps } from './gap-note.tsx';

interface StripNotesProps extends GapNoteProps {
  /** Why it is not known how much happened then, a sentence. */
  readonly countsProblem: string | undefined;
}

export function StripNotes({ countsProblem, knownFrom, gaps }: StripNotesProps) {
  const { past } = useApp();
  const pausedAt = useView((state) => state.pausedAt);
  // Where the connection is lost, that is said elsewhere.
  const isConnected = useConnectionStatus().kind === 'connected';
  const isPast = pausedAt !== undefined && past.isFor(pausedAt);
  return (
    <>
      {isPast && past.isLoading && <span className="strip-progress" role="progressbar" aria-label="Reading the past" />}
      <div className="strip-notes">
        {isPast && past.problem !== undefined && (
          <span className="strip-note is-problem" role="alert">
            {past.problem}
          </span>
        )}
        {isPast && past.isSampled && (
          <span className="strip-note" role="status">
            So much happened around here that single instants are shown: what began and ended in between is not
          </span>
        )}
        <GapNote knownFrom={knownFrom} gaps={gaps} />
        {countsProblem !== undefined && isConnected && (
          <span className="strip-note is-problem" role="status">
            How much happened then could not be read, and is asked for again: {countsProblem}
          </span>
        )}
      </div>
    </>
  );
}
