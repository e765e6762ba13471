import { view } from '../../state/view-store.ts';

/** Its code is fetched when it is opened: the server may have been stopped or renewed since. */
export function LineageNotLoaded() {
  return (
    <div className="page" role="alert">
      <h2>This part of the page could not be fetched</h2>
      <p>Perhaps the server was stopped or renewed since the page was opened. Loading the page again helps then.</p>
      <button type="button" className="button" onClick={() => location.reload()}>
        Load the page again
      </button>{' '}
      <button type="button" className="button" onClick={() => view.closeLineage()}>
        Back to the tree
      </button>
    </div>
  );
}
