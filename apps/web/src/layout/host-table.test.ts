import { expect, test } from 'vitest';
import { HOST_COLUMN_IDS, type HostSort, type ListedHost, nextSort, sortedHosts } from './host-table.ts';

const host = (name: string, change: Partial<ListedHost> = {}): ListedHost => ({
  id: name,
  name,
  isLive: true,
  source: { name: 'tracee', state: 'running', detail: '', events: 0, eventsPerSecond: 0, lost: 0 },
  counts: { processes: 0, threads: 0, tasks: 0 },
  newestAt: null,
  lagSeconds: null,
  gaps: 0,
  history: null,
  ...change,
});
const names = (hosts: readonly ListedHost[], sort: HostSort) => sortedHosts(hosts, sort).map(({ name }) => name);

test('names stand as people count, numbers as numbers, times to the nanosecond', () => {
  const hosts = [
    host('web-10', { newestAt: '1700000000000000001', lagSeconds: 3 }),
    host('web-2', { newestAt: '1700000000000000002', lagSeconds: 20 }),
    host('db'),
  ];
  expect(names(hosts, { by: 'name', isDescending: false })).toEqual(['db', 'web-2', 'web-10']);
  expect(names(hosts, { by: 'lag', isDescending: true })).toEqual(['web-2', 'web-10', 'db']);
  expect(names(hosts, { by: 'newest', isDescending: true })).toEqual(['web-2', 'web-10', 'db']);
  // Who has no value is last either way.
  expect(names(hosts, { by: 'lag', isDescending: false })).toEqual(['web-10', 'web-2', 'db']);
  expect(names(hosts, { by: 'lost', isDescending: true })).toEqual(['db', 'web-2', 'web-10']);
});

test('every column sorts whatever is missing, and keeps everybody', () => {
  const hosts = [host('b'), host('a'), host('a')];
  for (const by of HOST_COLUMN_IDS) expect(names(hosts, { by, isDescending: true })).toHaveLength(3);
});

test('a column is sorted its usual way first, then the other way round', () => {
  const byName = { by: 'name', isDescending: false } as const;
  expect(nextSort(byName, 'name')).toEqual({ by: 'name', isDescending: true });
  expect(nextSort(byName, 'lost')).toEqual({ by: 'lost', isDescending: true });
  expect(nextSort(byName, 'source')).toEqual({ by: 'source', isDescending: false });
});
