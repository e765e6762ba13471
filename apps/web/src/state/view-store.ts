// What a person has chosen to see. The tree itself is not in here.

import type { EventNs, TaskId } from '@dendro/protocol';
import { create } from 'zustand';
import type { GroupKey } from '../layout/sibling-groups.ts';
import type { TimeWindow } from '../layout/time-window.ts';
import { type Asked, readQuery } from '../query/asked.ts';
import type { QueryProblem } from '../query/parse-value.ts';
import { loadRegexEngine } from '../query/regex.ts';
import { readStored, store } from './stored.ts';
import { treeView, useTree } from './tree-store.ts';

export type Theme = 'system' | 'dark' | 'light';

/** How long an exited row stays, in seconds. */
export const TOMBSTONE_CHOICES = [15, 60, 600] as const;

/** The lineage of a process, shown in place of the tree. */
export interface LineageView {
  readonly of: TaskId;
  readonly picture: 'graph' | 'lifetimes';
}

/** The instant shown, B, is compared with another one. */
export interface Comparison {
  readonly a: EventNs;
  /** Are rows left out that are the same at both? */
  readonly onlyChanged: boolean;
}

/** What a link, or a search of the history, leads to and can be missing here; the task as a person knows it. */
export interface LinkTarget {
  readonly pid: number | undefined;
  /** Does it name tasks of another run, which mean nothing in this one? */
  readonly isOfOtherRun: boolean;
  /** Does it name an instant that cannot be read? */
  readonly isInstantLost: boolean;
  /** Was it found by a search? Then it is brought into view, whatever hides it. */
  readonly isOfSearch: boolean;
}

/** What of the selected task the panel shows, in the order of its tabs. */
export const DETAIL_TABS = [
  'overview',
  'command',
  'lineage',
  'threads',
  'timeline',
  'files',
  'network',
  'raw',
] as const;
export type DetailTab = (typeof DETAIL_TABS)[number];
export const TAB_NAMES: Readonly<Record<DetailTab, string>> = {
  overview: 'Overview',
  command: 'Command',
  lineage: 'Lineage',
  threads: 'Threads',
  timeline: 'Timeline',
  files: 'Files',
  network: 'Network',
  raw: 'JSON',
};

/** Which lives a lineage is of: all, those of the last so many nanoseconds, or of a window that somebody has chosen. */
export type LivesShown = 'all' | number | TimeWindow;

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
  /** As it is written. */
  readonly query: string;
  /** The last query that could be read: while one is being written, it holds. */
  readonly asked: Asked | undefined;
  /** Why the query that is written cannot be read. */
  readonly problem: QueryProblem | undefined;
  /** A command or a goal that is being written: it begins with > or @. */
  readonly command: string | undefined;
  /** Hides what is not found by plain text too. */
  readonly onlyFound: boolean;
  /** Queries of this visit, newest first. */
  readonly recent: readonly string[];
  /** The task whose subtree alone is shown. */
  readonly scope: TaskId | undefined;
  /** The task to scroll to; a new object each time. */
  readonly revealed: { readonly task: TaskId } | undefined;
  /** Undefined: live. */
  readonly pausedAt: EventNs | undefined;
  readonly comparison: Comparison | undefined;
  /** What the strip of time shows; undefined: the last minutes, and of a recording all. */
  readonly timeWindow: TimeWindow | undefined;
  /** How many times as fast as it was the past is played; undefined: it stands still. */
  readonly playing: number | undefined;
  readonly areDetailsOpen: boolean;
  readonly tab: DetailTab;
  readonly lineage: LineageView | undefined;
  /** In the picture of lifetimes. */
  readonly livesShown: LivesShown;
  /** In the graph: only those that live, and those alike as one. */
  readonly livingOnly: boolean;
  readonly groupsRepeats: boolean;
  /** What is shown in place of tree or lineage: the hosts of the server, or what a search in the history found. */
  readonly list: 'hosts' | 'search' | undefined;
  /** Is only the stretch of time searched that the strip shows? */
  readonly searchesWindow: boolean;
  readonly isHelpOpen: boolean;
  /** What the address asked for that this page began with, until it is found or given up. */
  readonly linkTarget: LinkTarget | undefined;
  readonly theme: Theme;
}

const MAX_RECENT = 8;
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
  query: '',
  asked: undefined,
  problem: undefined,
  command: undefined,
  onlyFound: false,
  recent: [],
  scope: undefined,
  revealed: undefined,
  pausedAt: undefined,
  comparison: undefined,
  timeWindow: undefined,
  playing: undefined,
  areDetailsOpen: false,
  tab: 'overview',
  lineage: undefined,
  livesShown: 'all',
  livingOnly: false,
  groupsRepeats: true,
  list: undefined,
  searchesWindow: false,
  isHelpOpen: false,
  linkTarget: undefined,
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
  toggleDetails: () => set(({ areDetailsOpen }) => ({ areDetailsOpen: !areDetailsOpen })),
  /** Opens the panel too. */
  showTab: (tab: DetailTab) => set({ tab, areDetailsOpen: true }),
  collapse: (tasks: Iterable<TaskId>) =>
    set(({ collapsed }) => {
      const all = new Set(collapsed);
      for (const task of tasks) all.add(task);
      return { collapsed: all };
    }),
  expand: (tasks: Iterable<TaskId>) => set(({ collapsed }) => ({ collapsed: collapsed.difference(new Set(tasks)) })),
  expandAll: () => set({ collapsed: new Set() }),
  toggleThreadsOf: (process: TaskId) =>
    set(({ withThreads }) => ({ withThreads: withThreads.symmetricDifference(new Set([process])) })),
  pause: (pausedAt: EventNs) => set({ pausedAt, playing: undefined }),
  goLive: () => set({ pausedAt: undefined, playing: undefined, timeWindow: undefined }),
  /** Compares what is shown from now on with this instant. */
  compareWith: (a: EventNs) =>
    set(({ comparison }) => ({
      comparison: { a, onlyChanged: comparison?.onlyChanged ?? false },
      lineage: undefined,
      list: undefined,
    })),
  leaveComparison: () => set({ comparison: undefined }),
  showOnlyChanged: (onlyChanged: boolean) =>
    set(({ comparison }) => ({ comparison: comparison && { ...comparison, onlyChanged } })),
  /** @param now B, while the present is shown */
  swapCompared: (now: EventNs) =>
    set(({ comparison, pausedAt }) =>
      comparison === undefined
        ? {}
        : { comparison: { ...comparison, a: pausedAt ?? now }, pausedAt: comparison.a, playing: undefined },
    ),
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
      scope: undefined,
      lineage: undefined,
      comparison: undefined,
      livesShown: 'all',
      list: undefined,
      timeWindow: undefined,
      playing: undefined,
    });
  },
  /** It is the tree that is searched, unless the history is: to ask for something leads back to it. */
  setQuery: (query: string) => {
    if (query !== '') set(({ list }) => ({ lineage: undefined, list: list === 'search' ? list : undefined }));
    setQuery(query);
  },
  command: (command: string | undefined) => set({ command }),
  setOnlyFound: (onlyFound: boolean) => set({ onlyFound }),
  clearQuery: () => setQuery(''),
  remember: (query: string) =>
    set(({ recent }) => ({ recent: [query, ...recent.filter((one) => one !== query)].slice(0, MAX_RECENT) })),
  /** Selects a task and scrolls to it once it has a row. */
  reveal: (task: TaskId) => set({ selected: task, revealed: { task }, lineage: undefined, list: undefined }),
  setScope: (scope: TaskId | undefined) =>
    set(({ selected }) => ({
      scope,
      lineage: undefined,
      revealed: selected === undefined ? undefined : { task: selected },
    })),
  /** What is shown next is of another tree: what named a task or an instant means nothing there. */
  leaveHost: () => {
    treeView.leaveTree();
    set({
      selected: undefined,
      collapsed: new Set(),
      withThreads: new Set(),
      scope: undefined,
      pausedAt: undefined,
      comparison: undefined,
      timeWindow: undefined,
      playing: undefined,
      areDetailsOpen: false,
      lineage: undefined,
      livesShown: 'all',
      list: undefined,
    });
  },
  /** Of another process in the same picture, when one is open. */
  openLineage: (of: TaskId) =>
    set(({ lineage }) => ({
      lineage: { of, picture: lineage?.picture ?? 'graph' },
      livesShown: lineage?.of === of ? useView.getState().livesShown : 'all',
      selected: of,
      list: undefined,
    })),
  showLives: (livesShown: LivesShown) => set({ livesShown }),
  showOfGraph: (choice: Partial<Pick<ViewState, 'livingOnly' | 'groupsRepeats'>>) => set(choice),
  showPicture: (picture: LineageView['picture']) =>
    set(({ lineage }) => ({ lineage: lineage && { ...lineage, picture } })),
  /** What is selected is scrolled to. */
  closeLineage: () =>
    set(({ selected }) => ({
      lineage: undefined,
      revealed: selected === undefined ? undefined : { task: selected },
    })),
  openHosts: () => set({ list: 'hosts' }),
  /** The query that is written is asked of all that is recorded. */
  openSearch: () => set({ list: 'search' }),
  searchWindow: (searchesWindow: boolean) => set({ searchesWindow }),
  forgetLink: () => set({ linkTarget: undefined }),
  closeList: () => set({ list: undefined }),
  /** To the process that was found, once the tree of the instant is there. */
  goToFound: (selected: TaskId, pid: number) =>
    set({
      selected,
      list: undefined,
      lineage: undefined,
      linkTarget: { pid, isOfOtherRun: false, isInstantLost: false, isOfSearch: true },
    }),
  openHelp: () => set({ isHelpOpen: true }),
  closeHelp: () => set({ isHelpOpen: false }),
  toggle: (what: 'showThreads' | 'showKernelThreads' | 'showExited') => set((state) => ({ [what]: !state[what] })),
  keepTombstones: (tombstoneSeconds: number) => set({ tombstoneSeconds }),
  setTheme: (theme: Theme) => {
    set({ theme });
    store(THEME_KEY, theme);
  },
};

/** Is what is not asked for hidden? A filter opens whatever leads to a match: nothing can be folded meanwhile. */
export function isFiltered(state: Pick<ViewState, 'asked' | 'onlyFound'> = useView.getState()): boolean {
  return state.asked !== undefined && (state.asked.isFilter || state.onlyFound);
}

function setQuery(query: string): void {
  const reading = readQuery(query);
  switch (reading.kind) {
    case 'nothing':
      // What had been found and selected stays in view among all the others.
      set(({ asked, selected, revealed }) => ({
        ...{ query, asked: undefined, problem: undefined, onlyFound: false },
        revealed: asked === undefined || selected === undefined ? revealed : { task: selected },
      }));
      break;
    case 'asked':
      set({ query, asked: reading.asked, problem: undefined });
      break;
    case 'problem':
      set({ query, problem: reading.problem });
      break;
    case 'needs-regex':
      set({ query, problem: undefined });
      void loadRegexEngine().then(
        () => {
          if (useView.getState().query === query) setQuery(query);
        },
        () => set({ problem: { message: 'Regular expressions could not be loaded.', from: 0, to: query.length } }),
      );
  }
}

function select(selected: TaskId | undefined): void {
  set({ selected });
  useTree.setState({ selectedGroup: undefined });
}

function storedTheme(): Theme {
  const theme = readStored(THEME_KEY);
  return theme === 'dark' || theme === 'light' ? theme : 'system';
}
