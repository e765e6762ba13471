import type { EventNs } from '@dendro/protocol';
import { useView, view } from '../../state/view-store.ts';
import { nearestWhole } from './instant-lack.ts';

interface InstantNoteProps {
  readonly knownFrom: EventNs;
  readonly gaps: Parameters<typeof nearestWhole>[1]['gaps'];
  /** Why the past could not be read: a sentence. */
  readonly problem: string | undefined;
}

/** What stands in the way of the instant that is held, and the way to the nearest of which nothing is missing. */
export function InstantNote({ problem, ...known }: InstantNoteProps) {
  const at = useView((state) => state.pausedAt);
  if (at === undefined) return null;
  if (problem !== undefined) {
    return (
      <span className="strip-note is-problem" role="alert">
        {problem}
      </span>
    );
  }
  const nearest = nearestWhole(at, known);
  if (nearest === undefined) return null;
  return (
    <span className="strip-note" role="status" data-testid="instant-note">
      Something of this instant is missing.{' '}
      <button type="button" className="link" onClick={() => view.pause(nearest)}>
        Go to the nearest one
      </button>
    </span>
  );
}
