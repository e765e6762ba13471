import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { AppContext } from './app-context.ts';
import { Connection } from './connection/connection.ts';
import { pauseWhenHidden } from './connection/visibility.ts';
import { Pace } from './layout/pace.ts';
import { Past } from './replica/past.ts';
import { Pinned } from './replica/pinned.ts';
import { Replica } from './replica/replica.ts';
import { keepTheme } from './state/keep-theme.ts';
import { keepUrl } from './state/keep-url.ts';
import { keepMovedFrom } from './state/moved-from.ts';
import { useView } from './state/view-store.ts';
import './styles/base.css';
import './styles/tree.css';
import './styles/panels.css';
import './styles/omnibox.css';
import './styles/timeline.css';

const replica = new Replica();
const past = new Past({ replica, origin: location.origin, fetch: (input, init) => fetch(input, init) });
const pinned = new Pinned({ replica, past });
const connection = new Connection({
  replica,
  origin: location.origin,
  fetch: (input, init) => fetch(input, init),
  openSocket: (url) => new WebSocket(url),
  random: Math.random,
  wantedHost: () => useView.getState().host,
});
keepTheme();
keepUrl(replica);
keepMovedFrom(past);
pauseWhenHidden(connection);
void connection.connect();

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <AppContext value={{ replica, past, pinned, connection, pace: new Pace() }}>
      <App />
    </AppContext>
  </StrictMode>,
);
