import type { EventNs, TaskId } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHIPS } from '../layout/chips.ts';
import { COLUMN_IDS, USUAL_COLUMNS } from '../layout/columns.ts';
import { readTreeUrl, readUrl, writeUrl } from './url-state.ts';

const base = { epochNs: 1_700_000_000_123_456_789n };

const usualTree = { columns: USUAL_COLUMNS, density: 'comfortable', chip: 'all' } as const;
const usual = {
  host: undefined,
  selected: undefined,
  query: '',
  onlyFound: false,
  scope: undefined,
  lineage: undefined,
  pausedAt: undefined,
  comparison: undefined,
  timeWindow: undefined,
  showThreads: false,
  showKernelThreads: false,
  showExited: false,
  ...usualTree,
};

const instant = fc.integer({ min: -1e15, max: 1e15 }).map((ns) => ns as EventNs);
const taskId = fc.integer({ min: 1, max: 999_999_999_999 }).map((id) => id as TaskId);

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
        lineage: fc.option(
          fc.record({
            of: fc.integer({ min: 1, max: 999_999_999_999 }).map((id) => id as TaskId),
            picture: fc.constantFrom('graph' as const, 'lifetimes' as const),
          }),
          { nil: undefined },
        ),
        pausedAt: fc.option(instant, { nil: undefined }),
        comparison: fc.option(fc.record({ a: instant, onlyChanged: fc.boolean() }), { nil: undefined }),
        timeWindow: fc.option(
          fc.tuple(instant, fc.integer({ min: 10e6, max: 1e15 })).map(([from, span]) => {
            return { from, to: (from + span) as EventNs };
          }),
          { nil: undefined },
        ),
        showThreads: fc.boolean(),
        showKernelThreads: fc.boolean(),
        showExited: fc.boolean(),
        columns: fc.subarray([...COLUMN_IDS]),
        density: fc.constantFrom('comfortable' as const, 'compact' as const),
        chip: fc.constantFrom(...CHIPS),
      }),
      (state) => {
        expect({
          host: undefined,
          selected: undefined,
          query: '',
          scope: undefined,
          lineage: undefined,
          pausedAt: undefined,
          comparison: undefined,
          timeWindow: undefined,
          ...usualTree,
          ...readUrl(writeUrl(state, base), base),
          ...readTreeUrl(writeUrl(state, base)),
        }).toEqual(state);
      },
    ),
  );
});

test('an address that nobody wrote does no harm', () => {
  const times = readUrl('?win=5&cmp=x&changed=1', base);
  expect([times.timeWindow, times.comparison]).toEqual([undefined, undefined]);
  for (const win of ['9,5', '1700000000000000000,1700000000000000001', '1,9000000000000000000', ',', '5,5']) {
    expect(readUrl(`?win=${win}`, base)).not.toHaveProperty('timeWindow');
  }
  expect(readUrl('?task=-1&at=never&task=x&scope=1e3', base)).toEqual({
    onlyFound: false,
    showThreads: false,
    showKernelThreads: false,
    showExited: false,
  });
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
