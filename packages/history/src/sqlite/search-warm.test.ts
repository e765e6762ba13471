import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { exec, exit, fork, RecordedHost, seen } from '../contract.ts';
import { testFolders } from '../test-folders.ts';
import { BlockStore } from './block-store.ts';
import { openDatabase } from './database.ts';
import { Eras } from './eras.ts';
import { LifeSearch } from './search.ts';
import { SqliteHistory } from './store.ts';

const folder = testFolders();
const BASE = { epochNs: 1_795_459_682_000_000_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };
const LIVES = 400;

function record(place: string): void {
  const history = new SqliteHistory(place, { graceNs: 0, blockLives: 10 });
  history.begin(START);
  const host = new RecordedHost(history, BASE).tell(seen(1, 0, 0, ['/sbin/init']));
  for (let i = 1; i <= LIVES; i++) {
    const ms = 200 * i;
    host.tell(
      fork(ms, 1000 + i, 1),
      exec(ms + 1, 1000 + i, ['/bin/job', `--number=${i}`]),
      exit(ms + 150, 1000 + i, 0),
    );
  }
  history.close();
}

test('what was read ahead, block by block, the next search does not read again', () => {
  const place = folder();
  record(place);
  const database = openDatabase(place);
  const blocks = new BlockStore(database);
  const search = new LifeSearch(blocks);
  const eras = new Eras(database).all.map(({ id, base }) => ({ id, base, beganEpochNs: 0n, open: undefined }));
  let slices = 1;
  while (search.warm(eras, () => false)) slices++;
  expect(slices).toBe(blocks.entries.length + 1);
  const inBlocks = blocks.entries.reduce((sum, { lives }) => sum + lives, 0);
  expect(inBlocks).toBeGreaterThan(LIVES / 2);
  database.exec('DELETE FROM block_data');
  expect(search.search({ commandLine: '--NUMBER=', limit: 0 }, eras).total).toBe(inBlocks);
  expect(blocks.damagedCount).toBe(0);
  database.close();
});

test('reading ahead comes to an end, and goes on with what is new', () => {
  const place = folder();
  record(place);
  const history = new SqliteHistory(place, { graceNs: 0, blockLives: 10 });
  const { newestTaskId } = history.begin({ ...START, at: 90_000e6 as EventNs });
  expect(history.warm(0)).toBe(true);
  while (history.warm(1000));
  expect(history.warm(0)).toBe(false);
  const host = new RecordedHost(history, BASE, newestTaskId + 1);
  for (let i = 1; i <= 50; i++) {
    const ms = 100_000 + 200 * i;
    host.tell(
      fork(ms, 5000 + i, 1),
      exec(ms + 1, 5000 + i, ['/bin/more', `--number=${i}`]),
      exit(ms + 150, 5000 + i, 0),
    );
  }
  expect(history.warm(0)).toBe(true);
  while (history.warm(1000));
  expect(history.search({ text: 'number=', limit: 0 }).total).toBe(LIVES + 50);
  history.close();
});
