// What of the view stands in the address, so that a link or a reload leads back
// to it: `?host=web-07&task=17&run=<epoch ns>&q=sshd&only&scope=4&at=<epoch ns>&threads&kernel&exited&show=root&cols=pid,user&density=compact`,
// the stretch of time on the strip `win=<epoch ns>,<epoch ns>`, the tab of the panel when it is open `tab=timeline`, rows that are
// folded `fold=4,17`, the instant that is compared with `cmp=<epoch ns>` (`changed`: only what differs), the list of hosts `view=hosts`, a search of the history `view=search` (`within`: what the strip shows), and of a lineage `view=lineage&of=17` (`living`, `each`), or
// `view=lifetimes` (`lives=30s`, or two instants as of `win`). Task ids belong to one run of the server: `run`, its time base, says
// which; `pid` tells people, and finds the nearest where the run is another one.

import { type EventNs, epochOf, eventTimeOf, type TaskId, type TimeBase } from '@dendro/protocol';
import { CHIPS, type Chip } from '../layout/chips.ts';
import { parseColumns, printColumns, USUAL_COLUMNS } from '../layout/columns.ts';
import type { TimeWindow } from '../layout/time-window.ts';
import { parseDuration } from '../query/duration.ts';
import { MAX_QUERY } from '../query/parse-query.ts';
import type { TreeState } from './tree-store.ts';
import { DETAIL_TABS, type LinkTarget, type LivesShown, TOMBSTONE_CHOICES, type ViewState } from './view-store.ts';

type UrlPart = Pick<
  ViewState,
  | 'host'
  | 'selected'
  | 'query'
  | 'onlyFound'
  | 'scope'
  | 'lineage'
  | 'livesShown'
  | 'livingOnly'
  | 'groupsRepeats'
  | 'list'
  | 'searchesWindow'
  | 'areDetailsOpen'
  | 'tab'
  | 'pausedAt'
  | 'comparison'
  | 'timeWindow'
  | 'collapsed'
  | 'withThreads'
  | 'showThreads'
  | 'showKernelThreads'
  | 'showExited'
  | 'tombstoneSeconds'
>;
type TreePart = Pick<TreeState, 'columns' | 'density' | 'chip' | 'groupsAlike' | 'hidesOwn'>;

export interface UrlOptions {
  /** Also what a browser remembers is said, whatever it is: for a link that shows the same elsewhere. */
  readonly isWhole?: boolean;
  /** Of the selected task. */
  readonly pid?: number | undefined;
}

/** Folded rows that an address has room for; where there are more it says nothing of them. */
export const MAX_LISTED = 100;

/** As the server makes them; a name has 64 characters, each up to five long. */
const HOST_ID = /^[A-Za-z0-9._~-]{1,320}$/;
const TASKS = { task: 'selected', scope: 'scope' } as const;
const TASK_LISTS = { fold: 'collapsed', with: 'withThreads' } as const;
const VIEWS = { graph: 'lineage', lifetimes: 'lifetimes' } as const;
const LISTS = ['hosts', 'search'] as const;
const FLAGS = {
  only: 'onlyFound',
  threads: 'showThreads',
  kernel: 'showKernelThreads',
  exited: 'showExited',
  living: 'livingOnly',
  within: 'searchesWindow',
} as const;

/** @returns the query, with its question mark, empty when all is as usual */
export function writeUrl(
  state: UrlPart & TreePart,
  base: TimeBase | undefined,
  { isWhole = false, pid }: UrlOptions = {},
): string {
  const query = new URLSearchParams();
  if (state.host !== undefined) query.set('host', state.host);
  if (base !== undefined) writeTasks(state, base, query, pid);
  if (state.list !== undefined) query.set('view', state.list);
  if (state.areDetailsOpen) query.set('tab', state.tab);
  // Half a surrogate pair cannot stand in an address.
  if (state.query !== '') query.set('q', state.query.toWellFormed());
  if (base !== undefined) writeTimes(state, base, query);
  for (const [name, field] of Object.entries(FLAGS)) if (state[field]) query.set(name, '1');
  if (!state.groupsRepeats) query.set('each', '1');
  if (state.tombstoneSeconds !== TOMBSTONE_CHOICES[0]) query.set('keep', String(state.tombstoneSeconds));
  if (state.chip !== 'all') query.set('show', state.chip);
  const columns = printColumns(state.columns);
  if (isWhole || columns !== printColumns(USUAL_COLUMNS)) query.set('cols', columns);
  if (isWhole || state.density !== 'comfortable') query.set('density', state.density);
  if (isWhole || !state.groupsAlike) query.set('alike', state.groupsAlike ? '1' : '0');
  if (isWhole || state.hidesOwn) query.set('own', state.hidesOwn ? '0' : '1');
  // Commas may stand as they are, and are easier to read.
  return query.size === 0 ? '' : `?${query.toString().replaceAll('%2C', ',')}`;
}

/** What is not said is left out: then what the browser remembers holds. */
export function readTreeUrl(search: string): Partial<TreePart> {
  const query = new URLSearchParams(search);
  const columns = parseColumns(query.get('cols'));
  const density = query.get('density');
  const chip = CHIPS.find((chip): chip is Chip => chip === query.get('show'));
  const [alike, own] = [query.get('alike'), query.get('own')];
  return {
    ...(columns === undefined ? {} : { columns }),
    ...(density === 'compact' || density === 'comfortable' ? { density } : {}),
    ...(chip === undefined ? {} : { chip }),
    ...(alike === '0' || alike === '1' ? { groupsAlike: alike === '1' } : {}),
    ...(own === '0' || own === '1' ? { hidesOwn: own === '0' } : {}),
  };
}

/** Reads what {@link writeUrl} wrote; what does not fit, or needs a base to be read, is left out. */
export function readUrl(search: string, base: TimeBase | undefined): Partial<UrlPart> {
  const query = new URLSearchParams(search);
  const host = query.get('host') ?? '';
  const tab = DETAIL_TABS.find((tab) => tab === query.get('tab'));
  const keep = TOMBSTONE_CHOICES.find((seconds) => String(seconds) === query.get('keep'));
  const list = LISTS.find((list) => list === query.get('view'));
  const isOfThisRun = base !== undefined && [null, String(base.epochNs)].includes(query.get('run'));
  return {
    ...(HOST_ID.test(host) ? { host } : {}),
    ...(isOfThisRun ? readTasks(query) : {}),
    ...(list === undefined ? {} : { list }),
    ...(tab === undefined ? {} : { tab, areDetailsOpen: true }),
    ...(query.has('q') ? { query: (query.get('q') ?? '').slice(0, MAX_QUERY) } : {}),
    ...(base === undefined ? {} : readTimes(query, base)),
    ...Object.fromEntries(Object.entries(FLAGS).map(([name, field]) => [field, query.has(name)])),
    groupsRepeats: !query.has('each'),
    ...(keep === undefined ? {} : { tombstoneSeconds: keep }),
  };
}

export function readTarget(search: string, base: TimeBase): LinkTarget {
  const query = new URLSearchParams(search);
  const pid = query.get('pid') ?? '';
  return {
    pid: /^[1-9]\d{0,9}$/.test(pid) ? Number(pid) : undefined,
    isInstantLost: query.has('at') && !EPOCH_NS.test(query.get('at') ?? ''),
    isOfSearch: false,
    isOfOtherRun: ![null, String(base.epochNs)].includes(query.get('run')),
  };
}

function writeTimes(state: UrlPart, base: TimeBase, query: URLSearchParams): void {
  const { pausedAt, comparison, timeWindow, livesShown, lineage } = state;
  if (pausedAt !== undefined) query.set('at', String(epochOf(base, pausedAt)));
  if (comparison !== undefined) query.set('cmp', String(epochOf(base, comparison.a)));
  if (comparison?.onlyChanged) query.set('changed', '1');
  if (timeWindow !== undefined) query.set('win', windowText(timeWindow, base));
  if (lineage?.picture !== 'lifetimes' || livesShown === 'all') return;
  query.set('lives', typeof livesShown === 'number' ? `${livesShown / 1e9}s` : windowText(livesShown, base));
}

function readTimes(query: URLSearchParams, base: TimeBase): Partial<UrlPart> {
  const [at, a] = [query.get('at') ?? '', query.get('cmp') ?? ''] as const;
  const onlyChanged = query.has('changed');
  const timeWindow = windowOf(query.get('win'), base);
  const livesShown = livesOf(query.get('lives'), base);
  return {
    ...(EPOCH_NS.test(at) ? { pausedAt: eventTimeOf(base, BigInt(at)) as EventNs } : {}),
    ...(EPOCH_NS.test(a) ? { comparison: { a: eventTimeOf(base, BigInt(a)) as EventNs, onlyChanged } } : {}),
    ...(timeWindow === undefined ? {} : { timeWindow }),
    ...(livesShown === undefined ? {} : { livesShown }),
  };
}

const EPOCH_NS = /^\d{1,19}$/;

function windowText({ from, to }: TimeWindow, base: TimeBase): string {
  return `${epochOf(base, from)},${epochOf(base, to)}`;
}

function windowOf(text: string | null, base: TimeBase): TimeWindow | undefined {
  const [from = '', to = '', ...rest] = (text ?? '').split(',', 3);
  if (!EPOCH_NS.test(from) || !EPOCH_NS.test(to) || rest.length > 0 || BigInt(from) >= BigInt(to)) return undefined;
  return { from: eventTimeOf(base, BigInt(from)), to: eventTimeOf(base, BigInt(to)) };
}

function livesOf(text: string | null, base: TimeBase): LivesShown | undefined {
  if (text === null) return undefined;
  const ns = parseDuration(text);
  return ns === undefined || ns <= 0 ? windowOf(text, base) : ns;
}

function writeTasks(state: UrlPart, base: TimeBase, query: URLSearchParams, pid: number | undefined): void {
  const { lineage } = state;
  const before = query.size;
  for (const [name, field] of Object.entries(TASKS)) {
    const task = state[field];
    if (task !== undefined) query.set(name, String(task));
  }
  for (const [name, field] of Object.entries(TASK_LISTS)) {
    const tasks = state[field];
    if (tasks.size > 0 && tasks.size <= MAX_LISTED) query.set(name, [...tasks].join(','));
  }
  if (lineage !== undefined && state.list === undefined) {
    query.set('view', VIEWS[lineage.picture]);
    query.set('of', String(lineage.of));
  }
  if (query.size === before) return;
  if (pid !== undefined && state.selected !== undefined) query.set('pid', String(pid));
  query.set('run', String(base.epochNs));
}

function readTasks(query: URLSearchParams): Partial<UrlPart> {
  const selected = taskId(query.get('task'));
  const scope = taskId(query.get('scope'));
  const of = taskId(query.get('of')) ?? selected;
  const view = query.get('view');
  const picture = view === VIEWS.graph ? 'graph' : view === VIEWS.lifetimes ? 'lifetimes' : undefined;
  const lists = Object.entries(TASK_LISTS).map(([name, field]) => [field, taskIds(query.get(name))] as const);
  return {
    ...(selected === undefined ? {} : { selected }),
    ...(scope === undefined ? {} : { scope }),
    ...(of === undefined || picture === undefined ? {} : { lineage: { of, picture } }),
    ...Object.fromEntries(lists.filter(([, tasks]) => tasks.size > 0)),
  };
}

function taskIds(written: string | null): ReadonlySet<TaskId> {
  const ids = (written ?? '').split(',', MAX_LISTED).map(taskId);
  return new Set(ids.filter((id) => id !== undefined));
}

function taskId(written: string | null): TaskId | undefined {
  return written !== null && /^[1-9]\d{0,14}$/.test(written) ? (Number(written) as TaskId) : undefined;
}
