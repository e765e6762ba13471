// What a person has chosen to see. The tree itself is not in here.

import type { EventNs, TaskId } from '@dendro/protocol';
import { create } from 'zustand';
import type { GroupKey } from '../layout/sibling-groups.ts';
import type { TimeWindow } from '../layout/time-window.ts';
import { readStored, store } from './stored.ts';
import { treeView, useTree } from './tree-store.ts';

export type Theme = 'system' | 'dark' | 'light';

/** How long an exited row stays, in seconds. */
export const TOMBSTONE_CHOICES = [15, 60, 600] as const;

export interface ViewState {
  /** Id of the host that is shown; undefined: the first. */
  readonly host: string | undefined;
  readonly selected: TaskId | undefined;
  readonly collapsed: ReadonlySet<TaskId>;
  /** Processes whose threads are shown although threads in general are not. */
  readonly withThreads: ReadonlySet<TaskId>;
  readonly showThreads: boolean;
  readonly showKernelThreads: boolean;
  /** Show every exited process that is still known. */
  readonly showExited: boolean;
  readonly tombstoneSeconds: number;
  readonly filter: string;
  /** Undefined: live. */
  readonly pausedAt: EventNs | undefined;
  /** What the strip of time shows; undefined: the last minutes, and of a recording all. */
  readonly timeWindow: TimeWindow | undefined;
  /** How many times as fast as it was the past is played; undefined: it stands still. */
  readonly playing: number | undefined;
  readonly areDetailsOpen: boolean;
  readonly isHelpOpen: boolean;
  readonly theme: Theme;
}

const THEME_KEY = 'dendro-theme';

export const useView = create<ViewState>()(() => ({
  host: undefined,
  selected: undefined,
  collapsed: new Set(),
  withThreads: new Set(),
  showThreads: false,
  showKernelThreads: false,
  showExited: false,
  tombstoneSeconds: TOMBSTONE_CHOICES[0],
  filter: '',
  pausedAt: undefined,
  timeWindow: undefined,
  playing: undefined,
  areDetailsOpen: false,
  isHelpOpen: false,
  theme: storedTheme(),
}));

const set = useView.setState;

export const view = {
  select,
  selectGroup: (selectedGroup: GroupKey) => {
    set({ selected: undefined });
    useTree.setState({ selectedGroup });
  },
  openDetails: (selected: TaskId) => {
    select(selected);
    set({ areDetailsOpen: true });
  },
  closeDetails: () => set({ areDetailsOpen: false }),
  collapse: (tasks: Iterable<TaskId>) => set(({ collapsed }) => ({ collapsed: new Set([...collapsed, ...tasks]) })),
  expand: (tasks: Iterable<TaskId>) => set(({ collapsed }) => ({ collapsed: collapsed.difference(new Set(tasks)) })),
  expandAll: () => set({ collapsed: new Set() }),
  toggleThreadsOf: (process: TaskId) =>
    set(({ withThreads }) => ({ withThreads: withThreads.symmetricDifference(new Set([process])) })),
  setFilter: (filter: string) => set({ filter }),
  pause: (pausedAt: EventNs) => set({ pausedAt, playing: undefined }),
  goLive: () => set({ pausedAt: undefined, playing: undefined, timeWindow: undefined }),
  play: (playing: number | undefined) => set({ playing }),
  /** The next instant of what is played. */
  playOn: (pausedAt: EventNs) => set({ pausedAt }),
  showTime: (timeWindow: TimeWindow | undefined) => set({ timeWindow }),
  /** What is shown, and how, stays: the instant too. What named a task means nothing on another host. */
  showHost: (host: string) => {
    treeView.leaveTree();
    set({
      host,
      selected: undefined,
      collapsed: new Set(),
      withThreads: new Set(),
      timeWindow: undefined,
      playing: undefined,
    });
  },
  /** What is shown next is of another tree: what named a task or an instant means nothing there. */
  leaveHost: () => {
    treeView.leaveTree();
    set({
      selected: undefined,
      collapsed: new Set(),
      withThreads: new Set(),
      pausedAt: undefined,
      timeWindow: undefined,
      playing: undefined,
      areDetailsOpen: false,
    });
  },
  openHelp: () => set({ isHelpOpen: true }),
  closeHelp: () => set({ isHelpOpen: false }),
  toggle: (what: 'showThreads' | 'showKernelThreads' | 'showExited') => set((state) => ({ [what]: !state[what] })),
  keepTombstones: (tombstoneSeconds: number) => set({ tombstoneSeconds }),
  setTheme: (theme: Theme) => {
    set({ theme });
    store(THEME_KEY, theme);
  },
};

/** Is a filter set? It opens whatever leads to a match: nothing can be folded meanwhile. */
export function isFiltered(state: Pick<ViewState, 'filter'> = useView.getState()): boolean {
  return state.filter.trim() !== '';
}

function select(selected: TaskId | undefined): void {
  set({ selected });
  useTree.setState({ selectedGroup: undefined });
}

function storedTheme(): Theme {
  const theme = readStored(THEME_KEY);
  return theme === 'dark' || theme === 'light' ? theme : 'system';
}
