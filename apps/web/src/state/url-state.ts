// What of the view stands in the address, so that a link or a reload leads back
// to it: `?host=web-07&task=17&run=<epoch ns>&q=sshd&only&scope=4&at=<epoch ns>&threads&kernel&exited`,
// and of a lineage `view=lineage&of=17`, or `view=lifetimes`. Task ids belong to one run of the server: `run`, its time base, says which.

import { type EventNs, epochOf, eventTimeOf, type TaskId, type TimeBase } from '@dendro/protocol';
import { MAX_QUERY } from '../query/parse-query.ts';
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
  | 'showThreads'
  | 'showKernelThreads'
  | 'showExited'
>;

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
export function writeUrl(state: UrlPart, base: TimeBase | undefined): string {
  const query = new URLSearchParams();
  if (state.host !== undefined) query.set('host', state.host);
  for (const [name, field] of Object.entries(TASKS)) {
    const task = state[field];
    if (task === undefined || base === undefined) continue;
    query.set(name, String(task));
    query.set('run', String(base.epochNs));
  }
  if (state.lineage !== undefined && base !== undefined) {
    query.set('view', VIEWS[state.lineage.picture]);
    query.set('of', String(state.lineage.of));
    query.set('run', String(base.epochNs));
  }
  // Half a surrogate pair cannot stand in an address.
  if (state.query !== '') query.set('q', state.query.toWellFormed());
  if (state.pausedAt !== undefined && base !== undefined) query.set('at', String(epochOf(base, state.pausedAt)));
  for (const [name, field] of Object.entries(FLAGS)) if (state[field]) query.set(name, '1');
  return query.size === 0 ? '' : `?${query}`;
}

/** Reads what {@link writeUrl} wrote; what does not fit, or needs a base to be read, is left out. */
export function readUrl(search: string, base: TimeBase | undefined): Partial<UrlPart> {
  const query = new URLSearchParams(search);
  const at = query.get('at') ?? '';
  const host = query.get('host') ?? '';
  const isOfThisRun = base !== undefined && [null, String(base.epochNs)].includes(query.get('run'));
  const tasks = Object.entries(TASKS)
    .map(([name, field]) => [field, taskIn(query, name)] as const)
    .filter(([, task]) => isOfThisRun && task !== undefined);
  return {
    ...(HOST_ID.test(host) ? { host } : {}),
    ...Object.fromEntries(tasks),
    ...(isOfThisRun ? readLineage(query) : {}),
    ...(query.has('q') ? { query: (query.get('q') ?? '').slice(0, MAX_QUERY) } : {}),
    ...(/^\d{1,19}$/.test(at) && base !== undefined ? { pausedAt: eventTimeOf(base, BigInt(at)) as EventNs } : {}),
    ...Object.fromEntries(Object.entries(FLAGS).map(([name, field]) => [field, query.has(name)])),
  };
}

/** Without `of` it is that of the selected task. */
function readLineage(query: URLSearchParams): Partial<UrlPart> {
  const of = taskIn(query, 'of') ?? taskIn(query, 'task');
  const view = query.get('view');
  const picture = view === VIEWS.graph ? 'graph' : view === VIEWS.lifetimes ? 'lifetimes' : undefined;
  return of === undefined || picture === undefined ? {} : { lineage: { of, picture } };
}

function taskIn(query: URLSearchParams, name: string): TaskId | undefined {
  const written = query.get(name) ?? '';
  return /^[1-9]\d{0,14}$/.test(written) ? (Number(written) as TaskId) : undefined;
}
