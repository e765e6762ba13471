// `node apps/web/bench/tree-rows.ts`: what stands between the replica and the
// rows, for a tree of 100,000 tasks. Drawing some fifty rows comes after.

import { orderTree, ProcessTree, TaskChanges, type TaskIndex, TreeOrders } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { countChips, keptByChip } from '../src/layout/chips.ts';
import { Rollups } from '../src/layout/rollups.ts';
import { rowModel } from '../src/layout/row-model.ts';
import { groupsOfTree, type SiblingGroups } from '../src/layout/sibling-groups.ts';
import { stickyRows } from '../src/layout/sticky-rows.ts';
import { TaskColumns } from '../src/layout/task-columns.ts';
import { visibleRows } from '../src/layout/visible-rows.ts';

const TASKS = 100_000;
const ROUNDS = 40;
const BASE = { epochNs: 1_700_000_000_000_000_000n };
const COLUMNS = ['pid', 'threads', 'user', 'container', 'executable', 'cwd', 'started', 'state', 'life'] as const;

/** Seeded, so that every run asks the same. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Bushy, with crowds of workers: half of all are children of one in a thousand. */
function grow(): ProcessTree {
  const pick = random(17);
  const host = new ProcessTree({ maxProcesses: TASKS + 10, maxThreads: 10 });
  host.apply({ type: 'clock', epochNs: BASE.epochNs });
  const programs = ['node', 'python3', 'sh', 'java', 'nginx', 'postgres', 'sshd', 'curl'];
  for (let i = 0; i < TASKS; i++) {
    const tid = 2 + i;
    const at = (i * 10_000_000) as EventNs;
    const creator = i < 10 ? 1 : 2 + pick(pick(2) === 0 ? Math.min(i, 100) : Math.min(i, 20_000));
    host.apply({ type: 'fork', at, tid, pid: tid, creatorTid: creator, cloneFlags: 0 });
    const program = programs[pick(programs.length)] as string;
    const uid = [0, 1000, 1001][pick(3)] as number;
    const path = `/usr/bin/${program}`;
    const argv = [path, '--config', `/etc/${program}/site-${pick(50_000)}.conf`];
    host.apply({ type: 'exec', at, pid: tid, comm: program, argv, executable: { path }, uid, euid: uid });
    if (pick(10) === 0) host.apply({ type: 'exit', at, tid, pid: tid, isGroupDead: true, code: pick(3) });
  }
  return host;
}

function measure(what: string, run: () => unknown): void {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const from = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(from);
    times.push((user + system) / 1000);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.min(ROUNDS - 1, Math.floor(ROUNDS * share))] as number).toFixed(2);
  console.log(`| ${what} | ${at(0.5)} | ${at(0.95)} |`);
}

const host = grow();
const { tree } = host;
const at = (TASKS * 10_000_000 + 1) as EventNs;
const options = { at, keepExitedNs: Number.POSITIVE_INFINITY, threads: () => false, kernelThreads: false };
const order = orderTree(tree, options);
const groups: SiblingGroups = groupsOfTree(new TaskColumns(tree, at), order, undefined);
const open = { isCollapsed: () => false, groups };
const rows = visibleRows(order, open);
const all = visibleRows(order, { isCollapsed: () => false });
const context = { tree, at, base: BASE, users: { 0: 'root' }, columns: COLUMNS };

console.log(
  `${order.length.toLocaleString('en')} tasks, ${groups.length.toLocaleString('en')} groups, ms of CPU time, ${ROUNDS} rounds\n`,
);
console.log('| | p50 | p95 |');
console.log('| --- | --- | --- |');
measure('order of the tree', () => orderTree(tree, options));
const orders = new TreeOrders(tree);
let last = { at: at as number, tid: 2 + TASKS };
/** A hundred lives begin: what comes in a twentieth of a second of a busy host. */
function change(): EventNs {
  for (let i = 0; i < 100; i++) {
    last = { at: last.at + 500_000, tid: last.tid + 1 };
    const { tid } = last;
    host.apply({ type: 'fork', at: last.at as EventNs, tid, pid: tid, creatorTid: 2 + (tid % 1000), cloneFlags: 0 });
  }
  return last.at as EventNs;
}
measure('the same, carried on, with 100 births that it takes in', () => orders.order({ ...options, at: change() }));
measure('who is alike, read anew', () => groupsOfTree(new TaskColumns(tree, at), order, undefined));
const columns = new TaskColumns(tree, at, new TaskChanges(tree));
measure('the same, carried on', () => {
  const now = change();
  columns.moveTo(now);
  return groupsOfTree(columns, order, undefined);
});
measure(`expand all, alike together: ${rows.length.toLocaleString('en')} rows`, () => visibleRows(order, open));
measure(`expand all, each by itself: ${all.length.toLocaleString('en')} rows`, () =>
  visibleRows(order, { isCollapsed: () => false }),
);
measure('collapse all', () => visibleRows(order, { isCollapsed: () => true, groups }));
measure('roll-ups of a folded tree', () => new Rollups(columns, order).below(0));
measure('ancestors held at the top, 1,000 places', () => {
  for (let i = 0; i < 1000; i++) stickyRows(all, i * 2599 + 7, 26);
});
measure('a chip: those with the rights of root', () => keptByChip('root', columns, order, at));
measure('counts of all chips', () => {
  for (const _ of countChips(columns, order, at));
});
measure('what 50 rows say', () => {
  for (let row = 0; row < 50; row++) rowModel(context, order.tasks[row * 1000] as TaskIndex);
});
