import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COLUMN_IDS, columnsTemplate, fittingColumns, parseColumns, printColumns, USUAL_COLUMNS } from './columns.ts';

test('columns that are written are read back, in the order in which they stand', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...COLUMN_IDS]), (chosen) => {
      expect(parseColumns(printColumns(chosen))).toEqual(COLUMN_IDS.filter((id) => chosen.includes(id)));
    }),
  );
});

test('what is no column is left out; of nothing but that, nothing is said', () => {
  expect(parseColumns('user,__proto__,PID,pid,,user')).toEqual(['pid', 'user']);
  expect(parseColumns('constructor')).toBeUndefined();
  expect(parseColumns(null)).toBeUndefined();
  expect(parseColumns('none')).toEqual([]);
});

test('names keep half of a narrow grid and 300 px of a wide one; the pid is never left out', () => {
  expect(fittingColumns(USUAL_COLUMNS, 1440)).toEqual(USUAL_COLUMNS);
  expect(fittingColumns(USUAL_COLUMNS, 390)).toEqual(['pid']);
  expect(fittingColumns(USUAL_COLUMNS, 600)).toEqual(['pid', 'state']);
  expect(fittingColumns(USUAL_COLUMNS, 1100)).toContain('life');
  expect(fittingColumns(USUAL_COLUMNS, 1099)).not.toContain('life');
  expect(fittingColumns(COLUMN_IDS, 0)).toEqual(COLUMN_IDS);
  fc.assert(
    fc.property(fc.shuffledSubarray([...COLUMN_IDS]), fc.integer({ min: 200, max: 4000 }), (chosen, width) => {
      const fitting = fittingColumns(chosen, width);
      expect(fitting.includes('pid')).toBe(chosen.includes('pid'));
      const taken =
        columnsTemplate(fitting)
          .match(/\d+(?=px)/g)
          ?.reduce((sum, px) => sum + Number(px) + 12, 24) ?? 24;
      if (fitting.some((id) => id !== 'pid')) expect(width - taken).toBeGreaterThanOrEqual(Math.min(300, width / 2));
    }),
  );
});
