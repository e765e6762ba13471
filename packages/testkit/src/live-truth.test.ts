// The whole of a live capture against the truth: a program does everything that
// is special about processes and writes down what it did, the kernel is watched
// meanwhile, and each of its statements is looked up in the tree.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NO_TASK, ProcessTree, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { EbpfSource, KernelSource, type Source } from '@dendro/sources';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../workload/special-cases.c', import.meta.url));
const ALWAYS = Number.POSITIVE_INFINITY as EventNs;
/** Names of tasks are cut to so many bytes. */
const COMM_BYTES = 15;

const folder = mkdtempSync(join(tmpdir(), 'dendro-truth-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = join(folder, 'special cases');
const isRoot = process.geteuid?.() === 0;
const isBuilt = isRoot && spawnSync('cc', ['-O1', '-pthread', '-o', program, PROGRAM]).status === 0;

type Statement = readonly string[];

/** Waits for the kernel to say that the program has ended: everything else it did came before. */
async function watch(
  source: Source,
): Promise<{ truth: Statement[]; tree: TemporalTree; notices: readonly string[]; lost: number }> {
  const host = new ProcessTree();
  await source.start((event) => host.apply(event));
  const file = join(folder, `truth under ${source.name}`);
  const { status, stderr } = spawnSync(program, [file], { encoding: 'utf8', timeout: 30_000 });
  expect(status, stderr).toBe(0);
  const truth = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '));
  const root = Number(truth[0]?.[1]);
  await vi.waitUntil(() => lifeOf(host.tree, root) !== NO_TASK && host.tree.exitOf(lifeOf(host.tree, root)) < ALWAYS, {
    timeout: 15_000,
  });
  const { notices, lost } = source.status();
  await source.stop();
  return { truth, tree: host.tree, notices, lost };
}

/** The newest life of a tid: in so short a time none is given out again. */
function lifeOf(tree: TemporalTree, tid: number): TaskIndex {
  let found: TaskIndex = NO_TASK;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || tree.tidOf(task) !== tid) continue;
    if (found === NO_TASK || tree.startOf(task) > tree.startOf(found)) found = task;
  }
  return found;
}

const SOURCES: readonly (readonly [name: string, open: () => Source])[] = [
  ['tracefs+cn_proc', () => new KernelSource()],
  ['ebpf', () => new EbpfSource()],
];

describe.skipIf(!isBuilt).each(SOURCES)(
  'a program that does everything special, under %s (needs root and a C compiler)',
  (_, open) => {
    let truth: Statement[] = [];
    let tree: TemporalTree;
    let lost = 0;
    const said = (what: string) => truth.filter(([first]) => first === what).map((line) => line.slice(1));
    const life = (tid: string | undefined) => lifeOf(tree, Number(tid));
    const tidOf = (task: TaskIndex) => (task === NO_TASK ? 0 : tree.tidOf(task));

    beforeAll(async () => {
      ({ truth, tree, lost } = await watch(open()));
    }, 60_000);

    test('nothing was lost, and all that it said is there to be compared', () => {
      expect(lost).toBe(0);
      expect(said('born').length).toBeGreaterThanOrEqual(48);
      expect(said('ended').length).toBeGreaterThanOrEqual(40);
    });

    test('[FO1] [FO2] [FO3] [FO5] every birth has its process, its creator and its parent', () => {
      const seen = said('born').map(([tid]) => {
        const task = life(tid);
        if (task === NO_TASK) return [tid];
        const parent = tree.isThread(task) ? NO_TASK : tree.parentAt(task, tree.startOf(task));
        return [tree.tidOf(task), tree.pidOf(task), tidOf(tree.creatorOf(task)), tidOf(parent)].map(String);
      });
      expect(seen).toEqual(said('born'));
    });

    test('[EN1] [EN2] [EN3] [EN5] every end has its code or its signal', () => {
      const seen = said('ended').map(([pid]) => {
        const task = life(pid);
        const { code = -1, signal = 0 } = { code: tree.exitCodeOf(task), signal: tree.exitSignalOf(task) };
        return [pid, String(code), String(signal), tree.exitOf(task) < ALWAYS];
      });
      expect(seen).toEqual(said('ended').map((line) => [...line, true]));
    });

    test('[EX1] [EX3] every exec, by whichever thread, gives the process its new name, and one that failed does not', () => {
      const failed = new Set(said('failed').map(([pid]) => pid));
      for (const [pid, hex = ''] of said('exec')) {
        const task = life(pid);
        const at = tree.execTimeAt(task, tree.exitOf(task));
        expect(at === undefined, `exec of ${pid}`).toBe(failed.has(pid));
        if (at === undefined || hex === '*') continue;
        const name = Buffer.from(hex.slice(0, 2 * COMM_BYTES), 'hex').toString();
        expect(tree.textAt(task, 'comm', at), `name of ${pid}`).toBe(name);
      }
      expect(failed.size).toBe(1);
    });

    test('[PA1] [PA2] orphans have the parent that they saw, init or the subreaper', () => {
      const seen = said('parent').map(([pid]) => {
        const task = life(pid);
        return [pid, String(tidOf(tree.parentAt(task, tree.exitOf(task))))];
      });
      expect(seen).toEqual(said('parent'));
    });

    test('[NA1] every name that a task gave itself is in its changelog, in that order', () => {
      const [tid] = said('name')[0] ?? [];
      const hexOf = (text: unknown) =>
        Buffer.from(String(text).replaceAll(/\\x(..)/g, '%$1'), 'latin1').toString('hex');
      const values = tree.changelogOf(life(tid), 'comm').map(({ value }) => value);
      const names = said('name').map(([, hex]) => hex);
      // What is no UTF-8 is written out.
      const wanted = names.map((hex) => (hex === 'fffe' ? hexOf('\\xff\\xfe') : hex));
      expect(values.map(hexOf).slice(-names.length)).toEqual(wanted);
    });

    test('[CR1] who became another user is one', () => {
      const seen = said('uid').map(([pid]) => [pid, String(tree.numberAt(life(pid), 'uid', tree.exitOf(life(pid))))]);
      expect(seen).toEqual(said('uid'));
    });

    test('[EN4] nobody is left', () => {
      const alive = said('born')
        .map(([tid]) => life(tid))
        .filter((task) => tree.isAliveAt(task, ALWAYS));
      expect(alive.map(tidOf)).toEqual([]);
    });
  },
);
