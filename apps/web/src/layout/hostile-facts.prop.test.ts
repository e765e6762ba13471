// What the page makes of a recording that means harm: every row, list, picture and file of it is made, and soon.

import { orderTree, orderUnion, ProcessTree, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { BatchWriter, type EventNs, FIELDS, type FieldName } from '@dendro/protocol';
import { hostileFacts, LONG_SHAPE_NAMES, longShape, randomRuns, type WriteFact } from '@dendro/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TREE_FORMATS, type TreeFormatId } from '../export/formats.ts';
import { treeFile } from '../export/tree-file.ts';
import { Columns } from '../query/columns.ts';
import { matchQuery } from '../query/match-query.ts';
import { parseQuery } from '../query/parse-query.ts';
import { badgesOf } from './badges.ts';
import { birthsOf } from './births.ts';
import { changesSince } from './changes-since.ts';
import { CHIPS, keptByChip } from './chips.ts';
import { Changes, changedFields } from './compare.ts';
import { fieldText } from './field-text.ts';
import { followTarget } from './follow.ts';
import { Found } from './found.ts';
import { changeBeside, histogramOf } from './histogram.ts';
import { lifetimeRows } from './lifetime-layout.ts';
import { ticksOf as ticksOfLives, windowOf } from './lifetime-window.ts';
import { lineageDot } from './lineage-dot.ts';
import { lineageFamily } from './lineage-family.ts';
import { lineageLayout } from './lineage-layout.ts';
import { lineageSheet } from './lineage-sheet.ts';
import { lineageSvg } from './lineage-svg.ts';
import { lineageText } from './lineage-text.ts';
import { provenance } from './provenance.ts';
import { Rollups } from './rollups.ts';
import { type RowContext, rowModel } from './row-model.ts';
import { ancestry, subtreeOrder } from './scope.ts';
import { groupsOfTree } from './sibling-groups.ts';
import { stickyRows } from './sticky-rows.ts';
import { TaskColumns } from './task-columns.ts';
import { taskTimeline } from './task-timeline.ts';
import { threadRows } from './thread-rows.ts';
import { stepFor, ticksOf } from './time-window.ts';
import { visibleRows } from './visible-rows.ts';

const USERS = { 0: 'root', 1000: 'a\u202e' };
const QUERIES = ['x', 'under:name:x', 'under:3', 'above:4', 'ppid:>0 exit:!=0', 'age:>1s', 'user:root | container:a'];
const FORMATS = Object.keys(TREE_FORMATS) as TreeFormatId[];
const TURNS = { signal: new AbortController().signal, onProgress: () => {} };

/** The library has its types twice, for each kind of module, and they do not fit one another. */
const anyFacts = hostileFacts() as unknown as fc.Arbitrary<WriteFact[]>;

function recorded(batches: readonly Uint8Array[], epochNs: bigint): TemporalTree {
  const host = new ProcessTree({ maxProcesses: 250_000, maxThreads: 250_000 });
  host.apply({ type: 'clock', epochNs });
  for (const batch of batches) host.apply({ type: 'facts', at: 0 as EventNs, batch, isSnapshot: false });
  return host.tree;
}

const options = (at: EventNs) => ({
  at,
  keepExitedNs: Number.POSITIVE_INFINITY,
  threads: () => true,
  kernelThreads: true,
});

/** All that stands in the rows, and is counted beside them. */
function showTree(context: RowContext): void {
  const { tree, at, base } = context;
  for (const order of [orderTree(tree, options(at)), orderUnion(tree, { ...options(at), alsoAt: 5 as EventNs })]) {
    const columns = TaskColumns.of(tree, order);
    const groups = groupsOfTree(columns, order, undefined);
    const rows = visibleRows(order, {
      isCollapsed: (p) => p % 2 === 1,
      groups,
      isGroupOpen: (group) => group % 2 === 0,
    });
    const rollups = new Rollups(columns, order);
    for (let row = 0; row < rows.length; row++) {
      expect(rows.parents[row]).toBeLessThan(row);
      rollups.below(rows.positions[row] as number);
      stickyRows(rows, row * 7, 7);
      const task = order.tasks[rows.positions[row] as number] as TaskIndex;
      rowModel(context, task);
      badgesOf(context, task);
    }
    for (const chip of CHIPS) keptByChip(chip, columns, order, 0 as EventNs);
    for (const query of QUERIES) {
      const parsed = parseQuery(query);
      if (parsed.kind !== 'read' || parsed.query === undefined) throw new Error(`${query} is no query`);
      const found = matchQuery(parsed.query, { columns: new Columns(tree, order, columns), base, users: USERS });
      visibleRows(order, { isCollapsed: () => false, matches: new Found(found) });
    }
    new Changes(tree, order, 5 as EventNs);
    if (order.length > 0) visibleRows(subtreeOrder(order, order.length >> 1).order, { isCollapsed: () => false });
  }
}

function showTask(context: RowContext, task: TaskIndex): void {
  const { tree, at, base } = context;
  taskTimeline({ tree, users: USERS }, task);
  changedFields(tree, task, at, 5 as EventNs);
  const chain = ancestry(tree, task, at);
  expect(new Set(chain).size).toBe(chain.length);
  threadRows(tree, task, at);
  followTarget(tree, tree.taskIdOf(task), at);
  for (const field of Object.keys(FIELDS) as FieldName[]) {
    provenance({ tree, task, at, base, source: undefined }, field);
    if (field !== 'parent') fieldText(field, tree.valueAt(task, field, at), USERS);
  }
}

function showLineage(context: RowContext, subject: TaskIndex): void {
  const { tree, at, base } = context;
  const asked = { at, limit: 50, wanted: () => true, groups: () => true };
  const family = lineageFamily(tree, birthsOf(tree), subject, asked);
  const met = [...family.ancestors, ...family.members].map(({ task }) => task);
  expect(new Set(met).size).toBe(met.length);
  const sheet = lineageSheet(context, family, lineageLayout(family), { hostName: 'h', unwantedAre: 'not wanted' });
  for (const write of [lineageText, lineageDot, lineageSvg]) write(sheet);
  const window = windowOf(tree.startOf(subject), at);
  lifetimeRows(tree, family, window, at);
  ticksOfLives(window, base, 8);
}

function showTimes({ tree, at, base }: RowContext): void {
  for (const from of [-(2 ** 63), -60e9, at - 1]) {
    const window = { from: from as EventNs, to: at };
    histogramOf(tree, window.from, at, stepFor(at - from, 300));
    ticksOf(window, base, 8);
  }
  changesSince(tree, 3 as EventNs);
  for (const step of [1, -1] as const) changeBeside(tree, at, step, () => true);
}

async function writeFiles(context: RowContext, formats: readonly TreeFormatId[]): Promise<void> {
  const { tree, at } = context;
  const order = orderTree(tree, options(at));
  const rows = visibleRows(order, { isCollapsed: () => false });
  const seen = { tree, order, rows, found: undefined, isFiltered: false, own: [] };
  const choice = { withFolded: true, chip: 'all', newSince: 0 as EventNs, hidesOwn: false } as const;
  const about = { hostName: 'h', time: 't', comparedWith: null };
  for (const format of formats) await treeFile({ seen, choice, context, about }, format, TURNS);
}

test('whatever it says, all of it is shown and written', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyFacts,
      fc.constantFrom(0, 3, 1e9, 2 ** 62),
      fc.constantFrom(0n, 17n * 10n ** 17n),
      async (facts, time, epochNs) => {
        const writer = new BatchWriter();
        for (const write of facts) write(writer);
        const tree = recorded([writer.finish()], epochNs);
        const context = { tree, at: time as EventNs, base: { epochNs }, users: USERS };
        showTree(context);
        showTimes(context);
        for (let slot = 0; slot < tree.slotCount; slot++) {
          const task = slot as TaskIndex;
          if (!tree.isPresent(task)) continue;
          showTask(context, task);
          if (!tree.isThread(task) && tree.startOf(task) <= time) showLineage(context, task);
        }
        await writeFiles(context, FORMATS);
      },
    ),
    randomRuns(60),
  );
});

const LONG = 5000;
const MOST_MS = 1000;

test.each(LONG_SHAPE_NAMES)('%s takes no longer than it is long', async (shape) => {
  const tree = recorded([longShape(shape, LONG)], 0n);
  const context = { tree, at: (LONG + 1) as EventNs, base: { epochNs: 0n }, users: USERS };
  const began = performance.now();
  showTree(context);
  showTimes(context);
  for (const task of [0, tree.slotCount - 1] as TaskIndex[]) {
    if (tree.slotCount === 0) continue; // all of it was refused
    showTask(context, task);
    if (!tree.isThread(task)) showLineage(context, task);
  }
  await writeFiles(context, ['csv', 'text']);
  expect(performance.now() - began).toBeLessThan(MOST_MS);
});
