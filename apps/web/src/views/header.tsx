import { epochMsOf } from '@dendro/protocol';
import { CircleHelp, Moon, Pause, Play, Search, Sun, SunMoon, X } from 'lucide-react';
import { useApp } from '../app-context.ts';
import { clockTime, count, dateTime, exactTime } from '../layout/format.ts';
import { printable } from '../layout/printable.ts';
import { type Theme, useView, view } from '../state/view-store.ts';
import { IconButton } from './icon-button.tsx';
import type { TreeRows } from './tree/use-tree-rows.ts';
import { ViewMenu } from './view-menu.tsx';

export function Header({ treeRows }: { readonly treeRows: TreeRows }) {
  const { replica } = useApp();
  return (
    <header className="header">
      <div className="brand">
        <Mark />
        <span className="brand-name">Dendro</span>
        {replica.host && <span className="host-name">{printable(replica.host.name)}</span>}
      </div>
      <LiveState />
      <Filter treeRows={treeRows} />
      <div className="header-tools">
        <ViewMenu />
        <ThemeButton />
        <IconButton label="Keys and help (?)" onClick={() => view.toggle('isHelpOpen')}>
          <CircleHelp size={16} aria-hidden="true" />
        </IconButton>
      </div>
    </header>
  );
}

/** Three rings of a tree. */
function Mark() {
  return (
    <svg className="mark" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" role="img">
      <circle cx="10" cy="10" r="8.75" />
      <circle cx="10.4" cy="9.7" r="5.4" />
      <circle cx="10.7" cy="9.4" r="2" />
    </svg>
  );
}

function LiveState() {
  const { replica } = useApp();
  const pausedAt = useView((state) => state.pausedAt);
  const isLive = pausedAt === undefined;
  const base = { epochNs: BigInt(replica.host?.baseEpochNs ?? '0') };
  const now = replica.now();
  const at = pausedAt ?? now;
  const word = isLive ? (replica.host?.isLive === false ? 'END' : 'LIVE') : 'PAUSED';
  return (
    <div className={isLive ? 'live-state is-live' : 'live-state is-paused'}>
      <button
        type="button"
        className="live-button"
        data-testid="pause"
        aria-pressed={!isLive}
        title={isLive ? 'Pause: hold the tree as it is now (Space)' : 'Go back to the present (Space)'}
        onClick={() => (isLive ? view.pause(now) : view.goLive())}
      >
        {isLive ? <Pause size={14} aria-hidden="true" /> : <Play size={14} aria-hidden="true" />}
        <span data-testid="live-state" title={word === 'END' ? 'The end of the recording' : undefined}>
          {word}
        </span>
      </button>
      {replica.host && (
        <time className="instant" title={exactTime(base, at)}>
          {replica.host.isLive ? clockTime(base, at, epochMsOf(base, now)) : dateTime(base, at)}
        </time>
      )}
      {!isLive && replica.host?.isLive && <Behind seconds={(now - at) / 1e9} />}
    </div>
  );
}

function Behind({ seconds }: { readonly seconds: number }) {
  return <span className="behind">{count(Math.floor(seconds))} s behind</span>;
}

function Filter({ treeRows }: { readonly treeRows: TreeRows }) {
  const filter = useView((state) => state.filter);
  const { matches } = treeRows.rows;
  return (
    <search className="filter">
      <Search size={14} aria-hidden="true" />
      <input
        type="text"
        data-testid="filter"
        aria-label="Filter by name, command line, pid or user"
        placeholder="Filter: name, argument, pid, user"
        maxLength={200}
        spellCheck={false}
        value={filter}
        onChange={(event) => view.setFilter(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') view.setFilter('');
          if (event.key === 'Escape' || event.key === 'Enter' || event.key === 'ArrowDown') {
            document.querySelector<HTMLElement>('[role="treegrid"]')?.focus();
          }
        }}
      />
      {filter !== '' && (
        <>
          <span className="matches" aria-live="polite">
            {matches === 1 ? '1 match' : `${count(matches)} matches`}
          </span>
          <IconButton label="Clear the filter (Esc)" onClick={() => view.setFilter('')}>
            <X size={14} aria-hidden="true" />
          </IconButton>
        </>
      )}
      {filter === '' && <kbd>/</kbd>}
    </search>
  );
}

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { system: 'dark', dark: 'light', light: 'system' };
const THEME_ICON = { system: SunMoon, dark: Moon, light: Sun };

function ThemeButton() {
  const theme = useView((state) => state.theme);
  const Icon = THEME_ICON[theme];
  return (
    <IconButton
      label={`Theme: ${theme}. Change to ${NEXT_THEME[theme]}`}
      onClick={() => view.setTheme(NEXT_THEME[theme])}
    >
      <Icon size={16} aria-hidden="true" />
    </IconButton>
  );
}
