// What of the view stands in the address, so that a link or a reload leads back
// to it: `?host=web-07&task=17&run=<epoch ns>&q=sshd&at=<epoch ns>&threads&kernel&exited&show=root&cols=pid,user&density=compact`.
// Task ids belong to one run of the server: `run`, its time base, says which.

import { type EventNs, epochOf, eventTimeOf, type TaskId, type TimeBase } from '@dendro/protocol';
import { CHIPS, type Chip } from '../layout/chips.ts';
import { parseColumns, printColumns, USUAL_COLUMNS } from '../layout/columns.ts';
import type { TreeState } from './tree-store.ts';
import type { ViewState } from './view-store.ts';

type UrlPart = Pick<
  ViewState,
  'host' | 'selected' | 'filter' | 'pausedAt' | 'showThreads' | 'showKernelThreads' | 'showExited'
>;
type TreePart = Pick<TreeState, 'columns' | 'density' | 'chip'>;

const MAX_FILTER = 200;
/** As the server makes them; a name has 64 characters, each up to five long. */
const HOST_ID = /^[A-Za-z0-9._~-]{1,320}$/;
const FLAGS = { threads: 'showThreads', kernel: 'showKernelThreads', exited: 'showExited' } as const;

/** @returns the query, with its question mark, empty when all is as usual */
export function writeUrl(state: UrlPart & TreePart, base: TimeBase | undefined): string {
  const query = new URLSearchParams();
  if (state.host !== undefined) query.set('host', state.host);
  if (state.selected !== undefined && base !== undefined) {
    query.set('task', String(state.selected));
    query.set('run', String(base.epochNs));
  }
  if (state.filter !== '') query.set('q', state.filter);
  if (state.pausedAt !== undefined && base !== undefined) query.set('at', String(epochOf(base, state.pausedAt)));
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
  const task = query.get('task') ?? '';
  const at = query.get('at') ?? '';
  const host = query.get('host') ?? '';
  const isOfThisRun = base !== undefined && [null, String(base.epochNs)].includes(query.get('run'));
  return {
    ...(HOST_ID.test(host) ? { host } : {}),
    ...(/^[1-9]\d{0,14}$/.test(task) && isOfThisRun ? { selected: Number(task) as TaskId } : {}),
    ...(query.has('q') ? { filter: (query.get('q') ?? '').slice(0, MAX_FILTER) } : {}),
    ...(/^\d{1,19}$/.test(at) && base !== undefined ? { pausedAt: eventTimeOf(base, BigInt(at)) as EventNs } : {}),
    ...Object.fromEntries(Object.entries(FLAGS).map(([name, field]) => [field, query.has(name)])),
  };
}
