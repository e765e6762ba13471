import { CircleHelp, Moon, Sun, SunMoon } from 'lucide-react';
import { memo } from 'react';
import { type Theme, useView, view } from '../state/view-store.ts';
import { IconButton } from './common/icon-button.tsx';
import { HostPicker } from './host-picker.tsx';
import { LiveState } from './live-state.tsx';
import { Omnibox } from './omnibox/omnibox.tsx';
import { OpenButton } from './open-recording.tsx';
import { ShareMenu } from './share/share-menu.tsx';
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
      <Omnibox treeRows={treeRows} />
      <div className="header-tools">
        <Open />
        <ShareMenu />
        <Tools />
      </div>
    </header>
  );
}

// Not drawn again with each frame: what they show does not come from the host.
const Open = memo(OpenButton);
const Tools = memo(() => (
  <>
    <ViewMenu />
    <ThemeButton />
    <IconButton label="Keys and help (?)" onClick={() => view.openHelp()}>
      <CircleHelp size={16} aria-hidden="true" />
    </IconButton>
  </>
));

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
