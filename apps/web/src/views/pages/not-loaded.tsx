/** Code that is fetched when it is first needed: the server may have been stopped or renewed since. */
export function NotLoaded() {
  return (
    <div className="page" role="alert">
      <h2>This part of the page could not be fetched</h2>
      <p>
        Perhaps the server was stopped or renewed since the page was opened. Loading the page again helps then; Esc
        leads back.
      </p>
      <button type="button" className="button" onClick={() => location.reload()}>
        Load the page again
      </button>
    </div>
  );
}
