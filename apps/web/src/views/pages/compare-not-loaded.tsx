import { view } from '../../state/view-store.ts';

/** The server may have been replaced by another version meanwhile, or is gone. */
export function CompareNotLoaded() {
  return (
    <p className="follow-banner" role="alert">
      The comparison could not be loaded: reload the page.
      <button type="button" className="link" onClick={() => view.leaveComparison()}>
        Leave it
      </button>
    </p>
  );
}
