// `pnpm bench`: the engine beside the naive tree, on the same stream, in one
// run. Each measurement has a process of its own and is made several times;
// the median counts. Prints a table and writes it as JSON.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' }, out: { type: 'string' } } });

interface Measured {
  readonly eventsPerSecond: number;
  readonly coldEventsPerSecond: number;
  readonly bytesPerProcess: number;
  readonly processNs: number;
  readonly listsNs: number;
  readonly lineageNs: number;
  readonly right: number;
  readonly encodeShare: number;
  readonly decodeShare: number;
}

const SCRIPT = new URL('./engine-run.ts', import.meta.url).pathname;

function measure(what: string, scale: number): Measured {
  const run = spawnSync(process.execPath, ['--expose-gc', SCRIPT, what, String(scale)], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Measured;
}

function medianOf(runs: readonly Measured[]): Measured {
  const median = (key: keyof Measured) => {
    const sorted = runs.map((run) => run[key] ?? Number.NaN).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] as number;
  };
  return {
    eventsPerSecond: median('eventsPerSecond'),
    coldEventsPerSecond: median('coldEventsPerSecond'),
    bytesPerProcess: median('bytesPerProcess'),
    processNs: median('processNs'),
    listsNs: median('listsNs'),
    lineageNs: median('lineageNs'),
    right: median('right'),
    encodeShare: median('encodeShare'),
    decodeShare: median('decodeShare'),
  };
}

// In turns, so that what else the machine does meets all of them alike.
const runs = Array.from({ length: Number(values.runs) }, () => ({
  naive: measure('naive', 1),
  dendro: measure('dendro', 1),
  large: measure('dendro', 10),
}));
const naive = medianOf(runs.map((run) => run.naive));
const dendro = medianOf(runs.map((run) => run.dendro));
const large = medianOf(runs.map((run) => run.large));
const times = (n: number) => `${n.toFixed(2)} ×`;
const percent = (n: number) => `${(n * 100).toFixed(1)} %`;
function row(name: string, key: keyof Measured, goal: string): string[] {
  return [name, naive[key].toFixed(0), dendro[key].toFixed(0), times(dendro[key] / naive[key]), goal];
}
const rows = [
  row('feed, events/s', 'eventsPerSecond', '≥ 2.5 ×'),
  row('the first million, from a cold start', 'coldEventsPerSecond', ''),
  row('bytes per process', 'bytesPerProcess', '≤ 600 B'),
  row('process as of, p50 ns', 'processNs', '≤ 0.4 ×'),
  row('the same, with its lists read', 'listsNs', ''),
  row('lineage (5), p50 ns', 'lineageNs', '≤ 0.2 ×'),
  ['answers right', percent(naive.right), percent(dendro.right), '', '100 %'],
  [
    '10 × larger caches, events/s',
    '',
    large.eventsPerSecond.toFixed(0),
    times(large.eventsPerSecond / dendro.eventsPerSecond),
    '≥ 0.7 ×',
  ],
  ['encode, share of feed', '', percent(dendro.encodeShare), '', '≤ 20 %'],
  ['decode, share of feed', '', percent(dendro.decodeShare), '', '≤ 20 %'],
];
const widths = [38, 12, 12, 10, 8];
for (const row of [['', 'naive', 'dendro', 'ratio', 'goal'], ...rows]) {
  console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '));
}
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify({ naive, dendro, large }, null, 2)}\n`);
