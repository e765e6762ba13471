// A link to what is shown: live, to the present of whenever it is opened, or
// frozen, to this instant.

import type { App } from './app-context.ts';
import { plural } from './layout/format.ts';
import { addressNow } from './state/keep-url.ts';
import { say } from './state/notice.ts';
import { MAX_LISTED } from './state/url-state.ts';
import { useView } from './state/view-store.ts';
import { copyText } from './views/common/copy-text.ts';
import { knownFrom, shownWindow } from './views/timeline/strip-window.ts';

export type LinkKind = 'live' | 'frozen';

/** With the host, and with what this browser remembers, so that it shows the same to whoever opens it. */
export function linkTo(kind: LinkKind, { replica }: App): string {
  const { host, tree } = replica;
  const { pausedAt, timeWindow } = useView.getState();
  const now = replica.now();
  const isLive = host?.isLive ?? false;
  const shown = shownWindow({ chosen: timeWindow, now, knownFrom: knownFrom(tree, host), isLive, pausedAt });
  const time =
    kind === 'live' ? { pausedAt: undefined, timeWindow: undefined } : { pausedAt: pausedAt ?? now, timeWindow: shown };
  return `${location.origin}${location.pathname}${addressNow(replica, { host: host?.id, ...time }, { isWhole: true })}`;
}

export async function copyLink(kind: LinkKind, app: App): Promise<void> {
  const { status } = app.connection;
  if (status.kind === 'left') {
    say({ text: 'What is shown is a file that this page has opened: a link cannot lead to it.', tone: 'failed' });
    return;
  }
  const isCopied = await copyText(linkTo(kind, app));
  if (!isCopied) {
    say({
      text: 'The browser does not allow this page to copy. The address of the page is a link too.',
      tone: 'failed',
    });
    return;
  }
  const { collapsed } = useView.getState();
  const lost = collapsed.size > MAX_LISTED ? `, without its ${plural(collapsed.size, 'folded row')}` : '';
  const text = kind === 'live' ? 'Link to the present copied' : 'Link to this instant copied';
  say({ text: `${text}${lost}`, tone: 'done' });
}
