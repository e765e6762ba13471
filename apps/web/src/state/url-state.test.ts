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
  filter: '',
  pausedAt: undefined,
  showThreads: false,
  showKernelThreads: false,
  showExited: false,
  ...usualTree,
};

test('what is written into the address is read back, to the nanosecond', () => {
  fc.assert(
    fc.property(
      fc.record({
        host: fc.constantFrom(undefined, 'local', 'web-07', '~002e.', 'B~00fcro~00201'),
        selected: fc.option(
          fc.integer({ min: 1, max: 999_999_999_999 }).map((id) => id as TaskId),
          { nil: undefined },
        ),
        filter: fc.string({ maxLength: 200 }),
        pausedAt: fc.option(
          fc.integer({ min: -1e15, max: 1e15 }).map((ns) => ns as EventNs),
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
          filter: '',
          pausedAt: undefined,
          ...usualTree,
          ...readUrl(writeUrl(state, base), base),
          ...readTreeUrl(writeUrl(state, base)),
        }).toEqual(state);
      },
    ),
  );
});

test('an address that nobody wrote does no harm', () => {
  expect(readUrl('?task=-1&at=never&task=x', base)).toEqual({
    showThreads: false,
    showKernelThreads: false,
    showExited: false,
  });
  expect(readUrl(`?q=${'x'.repeat(5000)}`, base).filter).toHaveLength(200);
  expect(readUrl('?at=1700000000123456789', undefined)).not.toHaveProperty('pausedAt');
});

test('a task of another run of the server is not taken for one of this run', () => {
  const there = writeUrl({ ...usual, selected: 17 as TaskId }, base);
  expect(readUrl(there, base).selected).toBe(17);
  expect(readUrl(there, { epochNs: base.epochNs + 1n })).not.toHaveProperty('selected');
  expect(readUrl('?task=17', base).selected).toBe(17);
});

test('when all is as usual the address is bare', () => {
  expect(writeUrl(usual, base)).toBe('');
});
