import type { EventNs } from '@dendro/protocol';
import { useView, view } from '../../state/view-store.ts';
import { nearestWhole } from './nearest-whole.ts';

export interface GapNoteProps {
  readonly knownFrom: EventNs;
  readonly gaps: Parameters<typeof nearestWhole>[1]['gaps'];
}

/** Something of the instant that is held is missing: the way to the nearest of which nothing is. */
export function GapNote(known: GapNoteProps) {
  const at = useView((state) => state.pausedAt);
  const nearest = at === undefined ? undefined : nearestWhole(at, known);
  if (nearest === undefined) return null;
  return (
    <span className="strip-note" role="status" data-testid="gap-note">
      Something of this instant is missing.{' '}
      <button type="button" className="link" onClick={() => view.pause(nearest)}>
        Go to the nearest one
      </button>
    </span>
  );
}
