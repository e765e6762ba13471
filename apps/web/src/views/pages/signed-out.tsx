/** The cookie is missing or of another token. The form is the server's: it works without scripts too. */
export function SignedOut() {
  return (
    <main className="page">
      <h1>Signed out</h1>
      <p>
        This page needs the token that <code>dendro</code> printed when it started. Open the URL that it printed, or
        paste the token here.
      </p>
      <form method="post" action="/login">
        <label htmlFor="token">Token</label>
        <input id="token" name="token" type="password" autoComplete="current-password" required />
        <button type="submit">Sign in</button>
      </form>
    </main>
  );
}
