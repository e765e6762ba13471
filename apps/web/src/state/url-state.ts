// What of the view stands in the address, so that a link or a reload leads back
// to it: `?task=17&run=<epoch ns>&q=sshd&at=<epoch ns>&threads&kernel&exited`, and
// of a lineage `view=lineage&of=17`, or `view=lifetimes`. Task ids belong to one run of the server: `run`, its time base, says which.

import { type EventNs, epochOf, eventTimeOf, type TaskId, type TimeBase } from '@dendro/protocol';
import type { ViewState } from './view-store.ts';

type UrlPart = Pick<
  ViewState,
  'selected' | 'lineage' | 'filter' | 'pausedAt' | 'showThreads' | 'showKernelThreads' | 'showExited'
>;

const MAX_FILTER = 200;
const VIEWS = { graph: 'lineage', lifetimes: 'lifetimes' } as const;
const FLAGS = { threads: 'showThreads', kernel: 'showKernelThreads', exited: 'showExited' } as const;

/** @returns the query, with its question mark, empty when all is as usual */
export function writeUrl(state: UrlPart, base: TimeBase | undefined): string {
  const query = new URLSearchParams();
  const { selected, lineage } = state;
  if (base !== undefined) {
    if (selected !== undefined) query.set('task', String(selected));
    if (lineage !== undefined) {
      query.set('view', VIEWS[lineage.picture]);
      query.set('of', String(lineage.of));
    }
    if (query.size > 0) query.set('run', String(base.epochNs));
  }
  if (state.filter !== '') query.set('q', state.filter);
  if (state.pausedAt !== undefined && base !== undefined) query.set('at', String(epochOf(base, state.pausedAt)));
  for (const [name, field] of Object.entries(FLAGS)) if (state[field]) query.set(name, '1');
  return query.size === 0 ? '' : `?${query}`;
}

/** Reads what {@link writeUrl} wrote; what does not fit, or needs a base to be read, is left out. */
export function readUrl(search: string, base: TimeBase | undefined): Partial<UrlPart> {
  const query = new URLSearchParams(search);
  const at = query.get('at') ?? '';
  const isOfThisRun = base !== undefined && [null, String(base.epochNs)].includes(query.get('run'));
  return {
    ...(isOfThisRun ? readTasks(query) : {}),
    ...(query.has('q') ? { filter: (query.get('q') ?? '').slice(0, MAX_FILTER) } : {}),
    ...(/^\d{1,19}$/.test(at) && base !== undefined ? { pausedAt: eventTimeOf(base, BigInt(at)) as EventNs } : {}),
    ...Object.fromEntries(Object.entries(FLAGS).map(([name, field]) => [field, query.has(name)])),
  };
}

function readTasks(query: URLSearchParams): Partial<UrlPart> {
  const selected = taskId(query.get('task'));
  const of = taskId(query.get('of')) ?? selected;
  const view = query.get('view');
  const picture = view === VIEWS.graph ? 'graph' : view === VIEWS.lifetimes ? 'lifetimes' : undefined;
  return {
    ...(selected === undefined ? {} : { selected }),
    ...(of === undefined || picture === undefined ? {} : { lineage: { of, picture } }),
  };
}

function taskId(written: string | null): TaskId | undefined {
  return written !== null && /^[1-9]\d{0,14}$/.test(written) ? (Number(written) as TaskId) : undefined;
}
