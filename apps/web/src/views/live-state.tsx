// Which instant is shown: the present, one that is held, the end of a
// recording, or the last one known before the connection was lost.

import { type EventNs, epochMsOf, type HostInfo, type TimeBase } from '@dendro/protocol';
import { Pause, Play } from 'lucide-react';
import { useMemo } from 'react';
import { useApp } from '../app-context.ts';
import type { ConnectionStatus } from '../connection/connection.ts';
import { changesSince } from '../layout/changes-since.ts';
import { clockTime, count, dateTime, exactTime, millisecondsOf, plural } from '../layout/format.ts';
import { useTree } from '../state/tree-store.ts';
import { useView, view } from '../state/view-store.ts';
import { useConnectionStatus } from '../use-replica.ts';

export function LiveState() {
  const { replica } = useApp();
  const status = useConnectionStatus();
  const pausedAt = useView((state) => state.pausedAt);
  const isUtc = useTree((state) => state.isUtc);
  const { host } = replica;
  const isPaused = pausedAt !== undefined;
  const now = replica.now();
  const at = pausedAt ?? now;
  const base = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
  const mode = isPaused ? PAUSED : host === undefined ? NOTHING : modeOf(host, status);
  return (
    <div className={`live-state ${mode.className}`}>
      <button
        type="button"
        className="live-button"
        data-testid="pause"
        aria-pressed={isPaused}
        title={isPaused ? 'Go back to the present (Space)' : 'Pause: hold the tree as it is now (Space)'}
        onClick={() => (isPaused ? view.goLive() : view.pause(now))}
      >
        {isPaused ? <Play size={14} aria-hidden="true" /> : <Pause size={14} aria-hidden="true" />}
        <span data-testid="live-state" title={mode.title}>
          {mode.word}
        </span>
      </button>
      {host && (
        <time className="instant" title={exactTime(base, at)}>
          {host.isLive ? clockTime(base, at, epochMsOf(base, now)) : dateTime(base, at)}
          {isPaused && <small>{millisecondsOf(base, at)}</small>}
          {isUtc && <small> UTC</small>}
        </time>
      )}
      {isPaused && host && <Since at={pausedAt} base={base} />}
    </div>
  );
}

function modeOf(host: HostInfo, status: ConnectionStatus): typeof LIVE {
  if (!host.isLive) return END;
  return status.kind === 'connected' ? LIVE : STALE;
}

const NOTHING = { word: 'WAITING', className: 'is-waiting', title: 'Nothing has come from the server yet' };
const LIVE = { word: 'LIVE', className: 'is-live', title: 'The present, as it changes' };
const PAUSED = { word: 'PAUSED', className: 'is-paused', title: 'The tree as it was at this instant' };
const END = { word: 'END', className: 'is-live', title: 'The end of the recording' };
const STALE = { word: 'STALE', className: 'is-stale', title: 'The last instant known: there is no connection' };

function Since({ at, base }: { readonly at: EventNs; readonly base: TimeBase }) {
  const { replica } = useApp();
  const { tree, facts, wholeFrom } = replica;
  // Of what had ended before that, not all is counted.
  const least = at < wholeFrom ? '≥ ' : '+';
  const { started, ended } = useMemo(() => {
    void facts; // rises when the tree has changed
    return changesSince(tree, at);
  }, [tree, facts, at]);
  return (
    <span
      className="since"
      data-testid="changes-since"
      title={`${at < wholeFrom ? 'At least ' : ''}${plural(started, 'process', 'processes')} started, ${count(ended)} ended since ${exactTime(base, at)}`}
    >
      {least}
      {count(started + ended)}
      <span className="since-word"> {started + ended === 1 ? 'change' : 'changes'} since</span>
    </span>
  );
}
