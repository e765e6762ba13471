import type { EventNs, TaskId } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHIPS } from '../layout/chips.ts';
import { COLUMN_IDS, USUAL_COLUMNS } from '../layout/columns.ts';
import { MAX_LISTED, readTarget, readTreeUrl, readUrl, writeUrl } from './url-state.ts';
import { DETAIL_TABS, TOMBSTONE_CHOICES } from './view-store.ts';

const base = { epochNs: 1_700_000_000_123_456_789n };

const usualTree = {
  columns: USUAL_COLUMNS,
  density: 'comfortable',
  chip: 'all',
  groupsAlike: true,
  hidesOwn: false,
} as const;
const usual = {
  host: undefined,
  selected: undefined,
  query: '',
  onlyFound: false,
  scope: undefined,
  lineage: undefined,
  livesShown: 'all',
  livingOnly: false,
  groupsRepeats: true,
  list: undefined,
  searchesWindow: false,
  areDetailsOpen: false,
  tab: 'overview',
  pausedAt: undefined,
  comparison: undefined,
  timeWindow: undefined,
  collapsed: new Set<TaskId>(),
  withThreads: new Set<TaskId>(),
  showThreads: false,
  showKernelThreads: false,
  showExited: false,
  tombstoneSeconds: 15,
  ...usualTree,
} as const;

const taskId = fc.integer({ min: 1, max: 999_999_999_999 }).map((id) => id as TaskId);
const taskIds = fc.array(taskId, { maxLength: MAX_LISTED }).map((ids) => new Set(ids));
const window = fc
  .tuple(fc.integer({ min: -1e15, max: 1e15 }), fc.integer({ min: 1, max: 1e14 }))
  .map(([from, span]) => ({ from: from as EventNs, to: (from + span) as EventNs }));

test('what is written into the address is read back, to the nanosecond', () => {
  fc.assert(
    fc.property(
      fc.record({
        host: fc.constantFrom(undefined, 'local', 'web-07', '~002e.', 'B~00fcro~00201'),
        selected: fc.option(taskId, { nil: undefined }),
        query: fc.oneof(
          fc.string({ unit: 'grapheme', maxLength: 200 }),
          fc.constantFrom('user:root|deploy !under:4 age:<5m', 'cmd:/a+b%20&q=c#/ "x  y"', 'exit:!=0 | a\\b'),
        ),
        onlyFound: fc.boolean(),
        scope: fc.option(taskId, { nil: undefined }),
        place: fc.oneof(
          fc.constant({}),
          fc.constantFrom({ list: 'hosts' as const }, { list: 'search' as const }),
          fc.record({ of: taskId }).map(({ of }) => ({ lineage: { of, picture: 'graph' as const } })),
          fc
            .record({
              of: taskId,
              lives: fc.oneof(fc.constantFrom('all' as const, 10e9, 30e9, 300e9, 3600e9), window),
            })
            .map(({ of, lives }) => ({ lineage: { of, picture: 'lifetimes' as const }, livesShown: lives })),
        ),
        livingOnly: fc.boolean(),
        searchesWindow: fc.boolean(),
        groupsRepeats: fc.boolean(),
        tab: fc.option(fc.constantFrom(...DETAIL_TABS), { nil: undefined }),
        comparison: fc.option(
          fc.record({ a: fc.integer({ min: -1e15, max: 1e15 }).map((ns) => ns as EventNs), onlyChanged: fc.boolean() }),
          { nil: undefined },
        ),
        timeWindow: fc.option(window, { nil: undefined }),
        collapsed: taskIds,
        withThreads: taskIds,
        pausedAt: fc.option(
          fc.integer({ min: -1e15, max: 1e15 }).map((ns) => ns as EventNs),
          { nil: undefined },
        ),
        showThreads: fc.boolean(),
        showKernelThreads: fc.boolean(),
        showExited: fc.boolean(),
        tombstoneSeconds: fc.constantFrom(...TOMBSTONE_CHOICES),
        groupsAlike: fc.boolean(),
        hidesOwn: fc.boolean(),
        columns: fc.subarray([...COLUMN_IDS]),
        density: fc.constantFrom('comfortable' as const, 'compact' as const),
        chip: fc.constantFrom(...CHIPS),
      }),
      fc.boolean(),
      ({ place, tab, ...rest }, isWhole) => {
        const open = tab === undefined ? {} : { tab, areDetailsOpen: true };
        const state = { ...usual, ...rest, ...place, ...open };
        const url = writeUrl(state, base, { isWhole });
        expect({ ...usual, ...readUrl(url, base), ...readTreeUrl(url) }).toEqual(state);
      },
    ),
  );
});

test('an address that nobody wrote does no harm', () => {
  const hostile = '?task=-1&at=never&task=x&scope=1e3&tab=passwords&win=5,4&lives=-3s&fold=a,,0&keep=1e9&view=pie';
  expect(readUrl(hostile, base)).toEqual({
    onlyFound: false,
    showThreads: false,
    showKernelThreads: false,
    showExited: false,
    livingOnly: false,
    searchesWindow: false,
    groupsRepeats: true,
  });
  expect(readUrl(`?fold=${'7,'.repeat(5)}${Array.from({ length: 5000 }, (_, i) => i + 1)}`, base).collapsed?.size).toBe(
    95,
  );
  expect(readUrl(`?q=${'x'.repeat(5000)}`, base).query).toHaveLength(500);
  expect(readUrl('?at=1700000000123456789', undefined)).not.toHaveProperty('pausedAt');
});

test('a task of another run of the server is not taken for one of this run', () => {
  const there = writeUrl({ ...usual, selected: 17 as TaskId, scope: 4 as TaskId }, base);
  expect(readUrl(there, base)).toMatchObject({ selected: 17, scope: 4 });
  for (const name of ['selected', 'scope']) {
    expect(readUrl(there, { epochNs: base.epochNs + 1n })).not.toHaveProperty(name);
  }
  expect(readUrl('?task=17', base).selected).toBe(17);
});

test('more folded rows than an address has room for are left out of it', () => {
  const many = new Set(Array.from({ length: MAX_LISTED + 1 }, (_, i) => (i + 1) as TaskId));
  expect(writeUrl({ ...usual, collapsed: many }, base)).toBe('');
});

test('a link tells the pid of its task, and whether its tasks are of another run', () => {
  expect(readTarget('?at=1700000000', base).isInstantLost).toBe(false);
  for (const at of ['', '17x', '2026-11-2']) expect(readTarget(`?at=${at}`, base).isInstantLost).toBe(true);
  const there = writeUrl({ ...usual, selected: 17 as TaskId }, base, { pid: 4242 });
  expect(readTarget(there, base)).toEqual({ pid: 4242, isOfOtherRun: false, isInstantLost: false, isOfSearch: false });
  expect(readTarget(there, { epochNs: base.epochNs + 1n })).toEqual({
    pid: 4242,
    isOfOtherRun: true,
    isInstantLost: false,
    isOfSearch: false,
  });
  expect(readTarget('?pid=0&pid=9', base)).toEqual({
    pid: undefined,
    isOfOtherRun: false,
    isInstantLost: false,
    isOfSearch: false,
  });
});

test('a lineage is named by `view` and `of`; without `of` it is that of the selected task', () => {
  const lineage = { of: 17 as TaskId, picture: 'lifetimes' } as const;
  expect(writeUrl({ ...usual, lineage }, base)).toBe(`?view=lifetimes&of=17&run=${base.epochNs}`);
  expect(readUrl('?view=lineage&task=9', base).lineage).toEqual({ of: 9, picture: 'graph' });
  expect(readUrl('?view=lineage', base)).not.toHaveProperty('lineage');
  expect(readUrl('?view=pie&of=9', base)).not.toHaveProperty('lineage');
  const there = writeUrl({ ...usual, lineage }, base);
  expect(readUrl(there, { epochNs: base.epochNs + 1n })).not.toHaveProperty('lineage');
  expect(readUrl(there, undefined)).not.toHaveProperty('lineage');
});

test('when all is as usual the address is bare', () => {
  expect(writeUrl(usual, base)).toBe('');
});
