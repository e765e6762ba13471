import { ProcessTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { exec, exit, fork, seen } from '../contract.ts';
import { testFolders } from '../test-folders.ts';
import { SqliteHistory } from './store.ts';

const folder = testFolders();
const BASE = { epochNs: 1_795_459_682_000_000_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };

test('many small rows of the log become few, and every batch is still there, byte for byte and in order', () => {
  const place = folder();
  const history = new SqliteHistory(place, { graceNs: 0, blockLives: 50, keyframeFacts: 500 });
  history.begin(START);
  const tree = new ProcessTree();
  tree.apply({ type: 'clock', epochNs: BASE.epochNs });
  const sent: Uint8Array[] = [];
  tree.apply(seen(1, 0, 0, ['/sbin/init']));
  for (let i = 1; i < 2600; i++) {
    for (const event of [
      fork(i, 1000 + i, 1),
      exec(i + 0.1, 1000 + i, ['/bin/job', String(i)]),
      exit(i + 0.2, 1000 + i, 0),
    ]) {
      tree.apply(event);
    }
    const batch = tree.commit();
    if (batch === undefined) continue;
    sent.push(new Uint8Array(batch.bytes));
    history.append(batch.bytes, tree.newest);
    history.flush();
  }
  expect(history.logRows).toBeLessThan(sent.length / 2);
  const batchesOf = (one: SqliteHistory) =>
    [...one.batches(BASE.epochNs, BASE.epochNs + 10_000_000_000n)].map(({ bytes }) => bytes);
  expect(batchesOf(history)).toEqual(sent);
  history.close();
  const again = new SqliteHistory(place);
  expect(batchesOf(again)).toEqual(sent);
  expect(again.search({ commandLine: '/bin/job 7 ' }).lives).toMatchObject([{ pid: 1007 }]);
  again.close();
});
