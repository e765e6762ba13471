import { expect, test } from 'vitest';
import { argumentParts } from './argument-parts.ts';

test('what a source adds where it could not read all is told apart, with the true length', () => {
  expect(argumentParts(['sh', '-c', 'x'])).toEqual({ argv: ['sh', '-c', 'x'], cut: undefined });
  expect(argumentParts([])).toEqual({ argv: [], cut: undefined });
  const known = argumentParts(['sh', 'x', '… (cut: the command line has 131072 bytes)']);
  expect(known).toEqual({ argv: ['sh', 'x'], cut: expect.stringContaining('131,072 bytes') });
  expect(argumentParts(['sh', '… (cut: the command line is longer)']).cut).toContain('it is longer');
  expect(argumentParts(['… (cut: the command line is longer)', 'x']).cut).toBeUndefined();
});
