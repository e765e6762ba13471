// A process for tests of what a history gives back: opens one that is greater than it may be, and flushes until it is killed.

import type { EventNs } from '@dendro/protocol';
import { SqliteHistory } from './sqlite/store.ts';

const [directory = '', maxBytes = '', newest = ''] = process.argv.slice(2);
const history = new SqliteHistory(directory, { maxBytes: Number(maxBytes), graceNs: 0, keyframeFacts: 500 });
const base = { epochNs: 1_795_459_682_000_000_000n };
let at = Number(newest);
history.begin({ bootId: 'boot', base, bootNs: 0n, at: at as EventNs });

function run(): void {
  history.tick(at++ as EventNs);
  history.flush();
  process.stdout.write('flushed\n', () => setTimeout(run, 1));
}
run();
