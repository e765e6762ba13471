// What cannot be opened, and what becomes of it.

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openHistory } from './open-history.ts';

const folder = mkdtempSync(join(tmpdir(), 'dendro-open-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LIMITS = { maxAgeNs: 86_400_000_000_000n, maxBytes: 1e9 };
const named = (directory: string) => ({ directory, isDefault: false, ...LIMITS });
const byDefault = (directory: string) => ({ directory, isDefault: true, ...LIMITS });

test('a directory that cannot be written: one that was named is refused, the default one is done without', async () => {
  const nowhere = '/dev/null/dendro';
  await expect(openHistory(named(nowhere))).rejects.toMatchObject({
    code: 'DENDRO_HISTORY_UNREADABLE',
    message: expect.stringMatching(/^The history in \/dev\/null\/dendro cannot be used: .* --no-history\.$/),
  });
  const { histories, notices } = await openHistory(byDefault(nowhere));
  expect(histories).toBeUndefined();
  expect(notices).toEqual([
    expect.stringMatching(/^Nothing is recorded, the past is in memory only\. The history in /),
  ]);
});

test('a history of a newer dendro is never passed over', async () => {
  const directory = join(folder, 'newer');
  const { histories } = await openHistory(named(directory));
  await histories?.close();
  // Where SQLite keeps the version of the schema.
  const file = openSync(join(directory, 'history.db'), 'r+');
  writeSync(file, Uint8Array.of(0, 0, 0, 99), 0, 4, 60);
  closeSync(file);
  for (const config of [named(directory), byDefault(directory)]) {
    await expect(openHistory(config)).rejects.toMatchObject({
      code: 'DENDRO_HISTORY_VERSION',
      message: expect.stringContaining('version 99 of its schema'),
    });
  }
});

test('nothing is opened where there is to be none', async () => {
  expect(await openHistory(undefined)).toEqual({ histories: undefined, notices: [] });
});
