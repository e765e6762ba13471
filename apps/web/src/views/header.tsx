import { CircleHelp, Moon, Search, Sun, SunMoon, X } from 'lucide-react';
import { count } from '../layout/format.ts';
import { isFiltered, type Theme, useView, view } from '../state/view-store.ts';
import { IconButton } from './common/icon-button.tsx';
import { HostPicker } from './host-picker.tsx';
import { LiveState } from './live-state.tsx';
import { OpenButton } from './open-recording.tsx';
import type { TreeRows } from './tree/tree-rows.ts';
import { ViewMenu } from './view-menu.tsx';

export function Header({ treeRows }: { readonly treeRows: TreeRows }) {
  const isPaused = useView((state) => state.pausedAt !== undefined);
  return (
    <header className={isPaused ? 'header is-paused' : 'header'}>
      <div className="brand">
        <Mark />
        <h1 className="brand-name">Dendro</h1>
        <HostPicker />
      </div>
      <LiveState />
      <Filter treeRows={treeRows} />
      <div className="header-tools">
        <OpenButton />
        <ViewMenu />
        <ThemeButton />
        <IconButton label="Keys and help (?)" onClick={() => view.openHelp()}>
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

function Filter({ treeRows }: { readonly treeRows: TreeRows }) {
  const filter = useView((state) => state.filter);
  const hasFilter = useView(isFiltered);
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
        autoComplete="off"
        autoCapitalize="off"
        value={filter}
        onChange={(event) => view.setFilter(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') view.setFilter('');
          if (event.key === 'Escape' || event.key === 'Enter' || event.key === 'ArrowDown') {
            event.preventDefault();
            document.querySelector<HTMLElement>('[role="treegrid"]')?.focus();
          }
        }}
      />
      {hasFilter && (
        <span className="matches" role="status">
          {matches === 1 ? '1 match' : `${count(matches)} matches`}
        </span>
      )}
      {filter === '' ? (
        <kbd>/</kbd>
      ) : (
        <IconButton label="Clear the filter (Esc)" onClick={() => view.setFilter('')}>
          <X size={14} aria-hidden="true" />
        </IconButton>
      )}
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
