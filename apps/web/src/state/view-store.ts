// What a person has chosen to see. The tree itself is not in here.

import type { EventNs, TaskId } from '@dendro/protocol';
import { create } from 'zustand';

export type Theme = 'system' | 'dark' | 'light';

/** How long an exited row stays, in seconds. */
export const TOMBSTONE_CHOICES = [15, 60, 600] as const;

/** The lineage of a process, shown in place of the tree. */
export interface LineageView {
  readonly of: TaskId;
  readonly picture: 'graph' | 'lifetimes';
}

export interface ViewState {
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
  readonly areDetailsOpen: boolean;
  readonly lineage: LineageView | undefined;
  readonly isHelpOpen: boolean;
  readonly theme: Theme;
}

const THEME_KEY = 'dendro-theme';

export const useView = create<ViewState>()(() => ({
  selected: undefined,
  collapsed: new Set(),
  withThreads: new Set(),
  showThreads: false,
  showKernelThreads: false,
  showExited: false,
  tombstoneSeconds: TOMBSTONE_CHOICES[0],
  filter: '',
  pausedAt: undefined,
  areDetailsOpen: false,
  lineage: undefined,
  isHelpOpen: false,
  theme: storedTheme(),
}));

const set = useView.setState;

export const view = {
  select: (selected: TaskId | undefined) => set({ selected }),
  openDetails: (selected: TaskId) => set({ selected, areDetailsOpen: true }),
  closeDetails: () => set({ areDetailsOpen: false }),
  collapse: (tasks: Iterable<TaskId>) => set(({ collapsed }) => ({ collapsed: new Set([...collapsed, ...tasks]) })),
  expand: (tasks: Iterable<TaskId>) => set(({ collapsed }) => ({ collapsed: collapsed.difference(new Set(tasks)) })),
  expandAll: () => set({ collapsed: new Set() }),
  toggleThreadsOf: (process: TaskId) =>
    set(({ withThreads }) => ({ withThreads: withThreads.symmetricDifference(new Set([process])) })),
  /** It is the tree that is filtered: to look for something leads back to it. */
  setFilter: (filter: string) => set(filter === '' ? { filter } : { filter, lineage: undefined }),
  pause: (pausedAt: EventNs) => set({ pausedAt }),
  goLive: () => set({ pausedAt: undefined }),
  /** What is shown next is of another tree: what named a task or an instant means nothing there. */
  leaveHost: () =>
    set({
      selected: undefined,
      collapsed: new Set(),
      withThreads: new Set(),
      pausedAt: undefined,
      areDetailsOpen: false,
      lineage: undefined,
    }),
  /** Of another process in the same picture, when one is open. */
  openLineage: (of: TaskId) =>
    set(({ lineage }) => ({ lineage: { of, picture: lineage?.picture ?? 'graph' }, selected: of })),
  showPicture: (picture: LineageView['picture']) =>
    set(({ lineage }) => ({ lineage: lineage && { ...lineage, picture } })),
  closeLineage: () => set({ lineage: undefined }),
  openHelp: () => set({ isHelpOpen: true }),
  closeHelp: () => set({ isHelpOpen: false }),
  toggle: (what: 'showThreads' | 'showKernelThreads' | 'showExited') => set((state) => ({ [what]: !state[what] })),
  keepTombstones: (tombstoneSeconds: number) => set({ tombstoneSeconds }),
  setTheme: (theme: Theme) => {
    set({ theme });
    storeTheme(theme);
  },
};

/** Is a filter set? It opens whatever leads to a match: nothing can be folded meanwhile. */
export function isFiltered(state: Pick<ViewState, 'filter'> = useView.getState()): boolean {
  return state.filter.trim() !== '';
}

// Storage can be switched off by the user; then the choice holds for this visit.
function storedTheme(): Theme {
  try {
    const theme = localStorage.getItem(THEME_KEY);
    return theme === 'dark' || theme === 'light' ? theme : 'system';
  } catch {
    return 'system';
  }
}

function storeTheme(theme: Theme): void {
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    return;
  }
}
