// `node apps/web/bench/query.ts`: from a key press to the rows, for a tree of
// 100,000 tasks. "Another key" is what a key press costs while the tree stands
// still: what queries read is in columns already. "Tree changed" is the same
// when a hundred lives have just begun, with taking them in.

import { orderTree, ProcessTree, TaskChanges } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { Found } from '../src/layout/found.ts';
import { TaskColumns } from '../src/layout/task-columns.ts';
import { visibleRows } from '../src/layout/visible-rows.ts';
import { readQuery } from '../src/query/asked.ts';
import { Columns } from '../src/query/columns.ts';
import { matchQuery } from '../src/query/match-query.ts';
import { loadRegexEngine } from '../src/query/regex.ts';

const TASKS = 100_000;
const ROUNDS = Number(process.argv[2] ?? 20);
const QUERIES = [
  'n',
  'no',
  'node',
  'node --port 41',
  '/no.e.*--port=4[0-9]+$/',
  'user:deploy',
  'user:deploy age:<5m',
  'cmd:server | !name:node exe:/usr',
  'under:1000',
  'above:/^worker-77/',
  'exit:!=0 state:exited',
  'ppid:4000..5000 !user:root started:>-10m',
];
const BASE = { epochNs: 1_700_000_000_000_000_000n };
const USERS = { 0: 'root', 1000: 'deploy', 1001: 'www' };

/** Seeded, so that every run asks the same. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Bushy, four in five with arguments of their own: nothing is cheap because it is the same everywhere. */
function grow(): ProcessTree {
  const pick = random(17);
  const host = new ProcessTree({ maxProcesses: TASKS + 60_000, maxThreads: 10 });
  host.apply({ type: 'clock', epochNs: BASE.epochNs });
  const programs = ['node', 'python3', 'sh', 'java', 'nginx', 'postgres', 'sshd', 'curl'];
  for (let i = 0; i < TASKS; i++) {
    const tid = 2 + i;
    const at = (i * 10_000_000) as EventNs;
    const creator = i < 10 ? 1 : 2 + pick(Math.min(i, 20_000));
    host.apply({ type: 'fork', at, tid, pid: tid, creatorTid: creator, cloneFlags: 0 });
    const program = programs[pick(programs.length)] as string;
    const uid = [0, 1000, 1001][pick(3)] as number;
    if (pick(5) > 0) {
      const path = `/usr/bin/${program}`;
      const argv = [path, '--config', `/etc/${program}/site-${pick(50_000)}.conf`, `--port=${pick(65_536)}`];
      host.apply({ type: 'exec', at, pid: tid, comm: program, argv, executable: { path }, uid, euid: uid });
    } else {
      host.apply({ type: 'rename', at, tid, pid: tid, comm: `worker-${i}` });
      host.apply({ type: 'credentials', at, pid: tid, uid });
    }
    if (pick(10) === 0) host.apply({ type: 'exit', at, tid, pid: tid, isGroupDead: true, code: pick(3) });
  }
  return host;
}

function percentile(times: number[], share: number): string {
  times.sort((a, b) => a - b);
  return (times[Math.min(times.length - 1, Math.floor(times.length * share))] as number).toFixed(1);
}

await loadRegexEngine();
const host = grow();
const { tree } = host;
const at = (TASKS * 10_000_000 + 1) as EventNs;
const order = orderTree(tree, {
  at,
  keepExitedNs: Number.POSITIVE_INFINITY,
  threads: () => false,
  kernelThreads: false,
});

/** What the page does when a key is pressed, up to the rows; drawing some fifty of them comes after. */
function press(query: string, columns: Columns): number {
  const reading = readQuery(query);
  if (reading.kind !== 'asked') throw new Error(`not a query: ${query}`);
  const { asked } = reading;
  const found = matchQuery(asked.query, { columns, base: BASE, users: USERS });
  return visibleRows(columns.order, { isCollapsed: () => false, matches: found && new Found(found) }).length;
}

function measure(query: string, columnsOf: () => Columns): number[] {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // What was found before is kept for a while, and would be found again.
    for (let other = 0; other < 20; other++) press(`zz${round}-${other}`, new Columns(tree, order, tasks));
    const from = process.cpuUsage();
    press(query, columnsOf());
    const { user, system } = process.cpuUsage(from);
    times.push((user + system) / 1000);
  }
  return times;
}

const tasks = new TaskColumns(tree, at, new TaskChanges(tree));
let last = { at: at as number, tid: 2 + TASKS };
/** A hundred lives begin, each with a text of its own, and the columns take them in; the order stays as it is. */
function change(): Columns {
  for (let i = 0; i < 100; i++) {
    last = { at: last.at + 500_000, tid: last.tid + 1 };
    const { tid } = last;
    const event = { at: last.at as EventNs, tid, pid: tid } as const;
    host.apply({ ...event, type: 'fork', creatorTid: 2 + (tid % 1000), cloneFlags: 0 });
    host.apply({
      ...event,
      type: 'exec',
      comm: 'node',
      argv: ['node', `--port=${tid}`],
      executable: { path: '/bin/node' },
    });
  }
  tasks.moveTo(last.at as EventNs);
  return new Columns(tree, order, tasks);
}

console.log(
  `${order.length.toLocaleString('en')} tasks, ${tree.textCount.toLocaleString('en')} texts, ms of ${ROUNDS} rounds\n`,
);
console.log('| query | rows | another key, p50 | p95 | tree changed, p50 | p95 |');
console.log('| --- | --- | --- | --- | --- | --- |');
const standing = new Columns(tree, order, tasks);
const every: number[] = [];
for (const query of QUERIES) {
  const rows = press(query, standing); // the first one fills the columns
  const warm = measure(query, () => standing);
  press(query, change());
  const cold = measure(query, change);
  every.push(...warm);
  const name = query.replaceAll('|', '\\|');
  const figures = [percentile(warm, 0.5), percentile(warm, 0.95), percentile(cold, 0.5), percentile(cold, 0.95)];
  console.log(`| \`${name}\` | ${rows.toLocaleString('en')} | ${figures.join(' | ')} |`);
}
console.log(`| all of them | | ${percentile(every, 0.5)} | ${percentile(every, 0.95)} | | |`);
