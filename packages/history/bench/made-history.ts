// `node packages/history/bench/made-history.ts DIRECTORY [--facts N] [--live N] [--births N]`: the history of a made-up
// host that ended just now, for a server to answer from. Prints as JSON from when to when it is, epoch nanoseconds.

import { parseArgs } from 'node:util';
import type { EventNs } from '@dendro/protocol';
import { SqliteHistory } from '../src/sqlite/store.ts';
import { LivesHost } from './lives.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    facts: { type: 'string', default: '3000000' },
    live: { type: 'string', default: '16000' },
    births: { type: 'string', default: '100' },
  },
});
const [directory] = positionals;
if (directory === undefined) throw new Error('name the directory');
const host = new LivesHost({
  facts: Number(values.facts),
  batchFacts: 2000,
  liveTasks: Number(values.live),
  birthsPerSecond: Number(values.births),
});
const batches = [...host.run()];
const epochNs = BigInt(Date.now()) * 1_000_000n - BigInt(Math.ceil(host.now)) - 5_000_000_000n;
const history = new SqliteHistory(directory);
history.begin({ bootId: 'made-up', base: { epochNs }, bootNs: 0n, at: 0 as EventNs });
for (const { bytes, at } of batches) history.append(bytes, at);
history.close();
process.stdout.write(
  `${JSON.stringify({ from: String(epochNs), to: String(epochNs + BigInt(Math.ceil(host.now))) })}\n`,
);
