import { expect, test } from 'vitest';
import { fuzzyScore } from './fuzzy.ts';

const TITLES = ['Show kernel threads', 'Show threads of all processes', 'Collapse all', 'Expand all', 'Theme: dark'];
const best = (wanted: string) =>
  TITLES.map((title) => [title, fuzzyScore(title, wanted)] as const)
    .filter(([, score]) => score !== undefined)
    .sort(([, a = 0], [, b = 0]) => b - a)[0]?.[0];

test.each([
  ['kernel', 'Show kernel threads'],
  ['skt', 'Show kernel threads'],
  ['col', 'Collapse all'],
  ['ea', 'Expand all'],
  ['DARK', 'Theme: dark'],
  ['xyz', undefined],
])('%s means %s', (wanted, title) => {
  expect(best(wanted)).toBe(title);
});
