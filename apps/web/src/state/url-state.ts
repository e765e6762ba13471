// What of the view stands in the address, so that a link or a reload leads back
// to it: `?host=web-07&task=17&run=<epoch ns>&q=sshd&only&scope=4&at=<epoch ns>&threads&kernel&exited&show=root&cols=pid,user&density=compact`,
// `win=<epoch ns>,<epoch ns>` what the strip shows, `cmp=<epoch ns>` what is compared with, `changed` of that only what differs,
// and of a lineage `view=lineage&of=17`, or `view=lifetimes`. Task ids belong to one run of the server: `run`, its time base, says which.

import { type EventNs, epochOf, eventTimeOf, type TaskId, type TimeBase } from '@dendro/protocol';
import { CHIPS, type Chip } from '../layout/chips.ts';
import { parseColumns, printColumns, USUAL_COLUMNS } from '../layout/columns.ts';
import { MAX_SPAN_NS, MIN_SPAN_NS } from '../layout/time-window.ts';
import { MAX_QUERY } from '../query/parse-query.ts';
import type { TreeState } from './tree-store.ts';
import type { ViewState } from './view-store.ts';

type UrlPart = Pick<
  ViewState,
  | 'host'
  | 'selected'
  | 'query'
  | 'onlyFound'
  | 'scope'
  | 'lineage'
  | 'pausedAt'
  | 'comparison'
  | 'timeWindow'
  | 'showThreads'
  | 'showKernelThreads'
  | 'showExited'
>;
type TreePart = Pick<TreeState, 'columns' | 'density' | 'chip'>;

/** As the server makes them; a name has 64 characters, each up to five long. */
const HOST_ID = /^[A-Za-z0-9._~-]{1,320}$/;
const TASKS = { task: 'selected', scope: 'scope' } as const;
const VIEWS = { graph: 'lineage', lifetimes: 'lifetimes' } as const;
const FLAGS = {
  only: 'onlyFound',
  threads: 'showThreads',
  kernel: 'showKernelThreads',
  exited: 'showExited',
} as const;

/** @returns the query, with its question mark, empty when all is as usual */
export function writeUrl(state: UrlPart & TreePart, base: TimeBase | undefined): string {
  const query = new URLSearchParams();
  if (state.host !== undefined) query.set('host', state.host);
  if (base !== undefined) writeTasks(state, base, query);
  // Half a surrogate pair cannot stand in an address.
  if (state.query !== '') query.set('q', state.query.toWellFormed());
  if (base !== undefined) writeTimes(state, base, query);
  for (const [name, field] of Object.entries(FLAGS)) if (state[field]) query.set(name, '1');
  if (state.chip !== 'all') query.set('show', state.chip);
  const columns = printColumns(state.columns);
  if (columns !== printColumns(USUAL_COLUMNS)) query.set('cols', columns);
  if (state.density !== 'comfortable') query.set('density', state.density);
  // Commas may stand as they are, and are easier to read.
  return query.size === 0 ? '' : `?${query.toString().replaceAll('%2C', ',')}`;
}

/** What is not said is left out: then what the browser remembers holds. */
export function readTreeUrl(search: string): Partial<TreePart> {
  const query = new URLSearchParams(search);
  const columns = parseColumns(query.get('cols'));
  const density = query.get('density');
  const chip = CHIPS.find((chip): chip is Chip => chip === query.get('show'));
  return {
    ...(columns === undefined ? {} : { columns }),
    ...(density === 'compact' || density === 'comfortable' ? { density } : {}),
    ...(chip === undefined ? {} : { chip }),
  };
}

/** Reads what {@link writeUrl} wrote; what does not fit, or needs a base to be read, is left out. */
export function readUrl(search: string, base: TimeBase | undefined): Partial<UrlPart> {
  const query = new URLSearchParams(search);
  const host = query.get('host') ?? '';
  const isOfThisRun = base !== undefined && [null, String(base.epochNs)].includes(query.get('run'));
  return {
    ...(HOST_ID.test(host) ? { host } : {}),
    ...(isOfThisRun ? readTasks(query) : {}),
    ...(query.has('q') ? { query: (query.get('q') ?? '').slice(0, MAX_QUERY) } : {}),
    ...(base === undefined ? {} : readTimes(query, base)),
    ...Object.fromEntries(Object.entries(FLAGS).map(([name, field]) => [field, query.has(name)])),
  };
}

function writeTimes({ pausedAt, comparison, timeWindow }: UrlPart, base: TimeBase, query: URLSearchParams): void {
  const written = (at: EventNs) => String(epochOf(base, at));
  if (pausedAt !== undefined) query.set('at', written(pausedAt));
  if (comparison !== undefined) {
    query.set('cmp', written(comparison.a));
    if (comparison.onlyChanged) query.set('changed', '1');
  }
  if (timeWindow !== undefined) query.set('win', `${written(timeWindow.from)},${written(timeWindow.to)}`);
}

function readTimes(query: URLSearchParams, base: TimeBase): Partial<UrlPart> {
  const read = (text: string | null | undefined) =>
    text && /^\d{1,19}$/.test(text) ? (eventTimeOf(base, BigInt(text)) as EventNs) : undefined;
  const pausedAt = read(query.get('at'));
  const a = read(query.get('cmp'));
  const [from, to] = (query.get('win') ?? '').split(',', 2).map(read);
  const isWindow = from !== undefined && to !== undefined && to - from >= MIN_SPAN_NS && to - from <= MAX_SPAN_NS;
  return {
    ...(pausedAt === undefined ? {} : { pausedAt }),
    ...(a === undefined ? {} : { comparison: { a, onlyChanged: query.has('changed') } }),
    ...(isWindow ? { timeWindow: { from, to } } : {}),
  };
}

function writeTasks(state: UrlPart, base: TimeBase, query: URLSearchParams): void {
  const { lineage } = state;
  const before = query.size;
  for (const [name, field] of Object.entries(TASKS)) {
    const task = state[field];
    if (task !== undefined) query.set(name, String(task));
  }
  if (lineage !== undefined) {
    query.set('view', VIEWS[lineage.picture]);
    query.set('of', String(lineage.of));
  }
  if (query.size > before) query.set('run', String(base.epochNs));
}

function readTasks(query: URLSearchParams): Partial<UrlPart> {
  const selected = taskId(query.get('task'));
  const scope = taskId(query.get('scope'));
  const of = taskId(query.get('of')) ?? selected;
  const view = query.get('view');
  const picture = view === VIEWS.graph ? 'graph' : view === VIEWS.lifetimes ? 'lifetimes' : undefined;
  return {
    ...(selected === undefined ? {} : { selected }),
    ...(scope === undefined ? {} : { scope }),
    ...(of === undefined || picture === undefined ? {} : { lineage: { of, picture } }),
  };
}

function taskId(written: string | null): TaskId | undefined {
  return written !== null && /^[1-9]\d{0,14}$/.test(written) ? (Number(written) as TaskId) : undefined;
}
