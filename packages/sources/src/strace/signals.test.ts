import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { SIGNALS } from './signals.ts';

test('signals have the numbers that this host has', () => {
  expect(Object.fromEntries(SIGNALS)).toEqual(constants.signals);
});
