import { Link, Link2 } from 'lucide-react';
import { useApp } from '../../app-context.ts';
import { dateTime, millisecondsOf } from '../../layout/format.ts';
import { copyLink, type LinkKind } from '../../share-link.ts';
import { useView } from '../../state/view-store.ts';
import { closeMenuOf, Popover } from '../common/popover.tsx';

/** Links to what is shown, to be sent to somebody. */
export function ShareMenu() {
  const app = useApp();
  const { replica } = app;
  const at = useView((state) => state.pausedAt) ?? replica.now();
  const base = { epochNs: BigInt(replica.host?.baseEpochNs ?? '0') };
  const copy = (kind: LinkKind, button: HTMLElement): void => {
    closeMenuOf(button);
    void copyLink(kind, app);
  };
  return (
    <Popover
      className="menu"
      title="Share: copy a link to what is shown"
      testId="share"
      summary={
        <>
          <Link2 size={16} aria-hidden="true" />
          <span className="menu-word">Share</span>
        </>
      }
    >
      <button type="button" className="menu-action" onClick={(event) => copy('frozen', event.currentTarget)}>
        <span>
          <Link size={13} aria-hidden="true" /> Copy link, frozen
        </span>
        <kbd>Y</kbd>
      </button>
      <p className="hint">
        What is seen now, as of {dateTime(base, at)}
        {millisecondsOf(base, at)}.
      </p>
      <button type="button" className="menu-action" onClick={(event) => copy('live', event.currentTarget)}>
        <span>
          <Link size={13} aria-hidden="true" /> Copy link, live
        </span>
        <kbd>y</kbd>
      </button>
      <p className="hint">The same view, at the present of whenever it is opened.</p>
      <p className="hint">Whoever opens it needs the token of this server: it is not in the link.</p>
    </Popover>
  );
}
