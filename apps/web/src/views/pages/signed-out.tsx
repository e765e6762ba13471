import { type FormEvent, useState } from 'react';
import { useApp } from '../../app-context.ts';

/** The cookie is missing or of another token. Signing in keeps the page, and with it what was selected and filtered. */
export function SignedOut() {
  const { connection } = useApp();
  const [problem, setProblem] = useState<string>();
  const signIn = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get('token');
    fetch('/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ token: String(token).trim() }),
    }).then(
      (answer) => {
        if (answer.ok) void connection.connect();
        else setProblem(answer.status === 401 ? 'That is not the token.' : `The server answered ${answer.status}.`);
      },
      () => setProblem('The server does not answer.'),
    );
  };
  return (
    <main className="page">
      <h1>Signed out</h1>
      <p>
        Command lines hold secrets, so this page needs the token that <code>dendro</code> printed when it started. Open
        the URL that it printed, or paste the token here.
      </p>
      <form method="post" action="/login" onSubmit={signIn}>
        <label htmlFor="token">Token</label>
        <input id="token" name="token" type="password" autoComplete="current-password" required />
        {problem !== undefined && (
          <p className="is-bad" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" className="button">
          Sign in
        </button>
      </form>
    </main>
  );
}
