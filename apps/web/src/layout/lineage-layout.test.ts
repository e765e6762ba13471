import { ProcessTree, ProcessTreeDataSource, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { BatchWriter, type EntityId, type EventNs, type TaskId, type Tid } from '@dendro/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import { birthsOf } from './births.ts';
import { isSameFamily, type LineageFamily, lineageFamily } from './lineage-family.ts';
import { type LineageLayout, lineageLayout, NODE_HEIGHT, NODE_WIDTH, nodesWithin } from './lineage-layout.ts';

const NOW = 1e9 as EventNs;

interface Asked {
  readonly at?: number;
  readonly limit?: number;
  readonly wanted?: (id: number) => boolean;
  readonly groups?: boolean;
}

function familyOf(
  tree: TemporalTree,
  subject: number,
  { at = NOW, limit = 500, wanted, groups = false }: Asked = {},
): LineageFamily {
  return lineageFamily(tree, birthsOf(tree), tree.indexOf(subject as TaskId), {
    at: at as EventNs,
    limit,
    wanted: (task) => wanted?.(tree.taskIdOf(task)) ?? true,
    groups: () => groups,
  });
}

const ids = (family: LineageFamily) => family.members.map(({ id }) => Number(id));
const up = (family: LineageFamily) => family.ancestors.map(({ id, at }) => [Number(id), Number(at)]);

/** A chain of forks: 1 is the parent of 2, which is that of 3, and so on. */
function chain(length: number): TaskSketch[] {
  return Array.from({ length }, (_, i) => ({ id: i + 1, start: i, ...(i === 0 ? {} : { parent: i }) }));
}

describe('who is in a lineage', () => {
  test('all ancestors, each as of the start of its child, and all descendants by start', () => {
    const tree = treeOf([
      { id: 1, start: 0 },
      { id: 2, start: 10, parent: 1 },
      { id: 3, start: 20, parent: 2 },
      { id: 5, start: 50, parent: 3 },
      { id: 4, start: 40, parent: 3 },
      { id: 6, start: 60, parent: 5 },
      { id: 7, start: 70, parent: 2 },
    ]);
    const family = familyOf(tree, 3);
    expect(up(family)).toEqual([
      [2, 20],
      [1, 10],
    ]);
    expect(family.end).toBe('root');
    expect(ids(family)).toEqual([3, 4, 5, 6]);
    expect(family.members.map(({ parent }) => parent)).toEqual([-1, 0, 0, 2]);
  });

  test('as of an instant, nobody who started later', () => {
    const tree = treeOf(chain(6));
    expect(ids(familyOf(tree, 2, { at: 3 }))).toEqual([2, 3, 4]);
  });

  test('a daemon stays with whoever started it, and not with init', () => {
    const tree = treeOf([
      { id: 1, start: 0 },
      { id: 2, start: 10, parent: 1, exit: { at: 30 } },
      { id: 3, start: 20, parent: 2 },
    ]);
    expect(tree.parentAt(tree.indexOf(3 as TaskId), NOW)).toBe(tree.indexOf(1 as TaskId));
    expect(up(familyOf(tree, 3)).map(([id]) => id)).toEqual([2, 1]);
    expect(ids(familyOf(tree, 1))).toEqual([1, 2, 3]);
  });

  test('the children of a thread are those of its process', () => {
    const tree = treeOf([
      { id: 10, start: 0 },
      { id: 11, start: 5, leader: 10 },
      { id: 12, start: 6, parent: 11 },
    ]);
    expect(ids(familyOf(tree, 10))).toEqual([10, 12]);
  });

  test('where nobody has said who the parent is, it says so', () => {
    expect(familyOf(treeOf([{ id: 40, start: 9 }]), 40).end).toBe('unknown');
  });

  test('an evicted ancestor still leads further up, until it is cut', () => {
    const tree = treeOf([
      { id: 1, start: 0 },
      { id: 20, start: 10, parent: 1 },
      { id: 30, start: 20, parent: 20 },
    ]);
    tree.evict(20 as TaskId, false);
    expect(up(familyOf(tree, 30)).map(([id]) => id)).toEqual([20, 1]);
    expect(ids(familyOf(tree, 1))).toEqual([1, 20, 30]);
    const cut = treeOf([
      { id: 1, start: 0 },
      { id: 20, start: 10, parent: 1 },
      { id: 30, start: 20, parent: 20 },
    ]);
    cut.evict(20 as TaskId, true);
    const family = familyOf(cut, 30);
    expect(up(family).map(([id]) => id)).toEqual([20]);
    expect(family.end).toBe('evicted');
  });

  test('a ring of parents ends both ways, and nobody is in it twice', () => {
    const tree = ring();
    for (const subject of [1, 2, 3]) {
      const family = familyOf(tree, subject);
      expect(family.end).toBe('ring');
      const all = [...family.ancestors.map(({ id }) => id), ...family.members.map(({ id }) => id)];
      expect(new Set(all).size).toBe(all.length);
      expect(all).toContain(subject);
    }
  });

  test('ancestors, their times and the reason why they end are those that the HTTP API gives [LI1] [LI2]', () => {
    const event = fc.record({ kind: fc.nat(9), who: fc.nat(), whom: fc.nat() });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.nat(60), (events, second) => {
        const at = second * 1e9;
        const host = new ProcessTree();
        host.apply({ type: 'clock', epochNs: 1_700_000_000_000_000_000n });
        const tids = [50];
        events.forEach(({ kind, who, whom }, i) => {
          const tid = tids[who % tids.length] as number;
          const now = ((i + 1) * 1e9) as EventNs;
          if (kind < 6) {
            const child = 100 + i;
            tids.push(child);
            host.apply({ type: 'fork', at: now, tid: child, pid: kind === 5 ? tid : child, creatorTid: tid });
          } else if (kind < 8) host.apply({ type: 'exit', at: now, tid, code: 0 });
          else host.apply({ type: 'reparent', at: now, pid: tid, parentPid: tids[whom % tids.length] as number });
        });
        host.commit();
        const { tree } = host;
        const source = new ProcessTreeDataSource(host);
        for (let slot = 0; slot < tree.slotCount; slot++) {
          const task = slot as TaskIndex;
          if (!tree.isPresent(task) || tree.isThread(task) || tree.startOf(task) > at) continue;
          const key = {
            kind: 'LineageKey',
            task: { taskId: tree.taskIdOf(task) },
            time: at as EventNs,
            maxDepth: 1000,
          } as const;
          const { info } = source.get(key).process_lineage;
          const family = familyOf(tree, tree.taskIdOf(task), { at });
          expect(family.ancestors.map(({ id, at }) => [id, at])).toEqual(
            info.ancestors.slice(1).map(({ timestamp, info }) => [info.taskId, timestamp]),
          );
          expect(family.end === 'ring' ? 'unknown' : family.end).toBe(info.end);
        }
      }),
    );
  });
});

describe('what there is no room for', () => {
  const wide: TaskSketch[] = [
    { id: 1, start: 0 },
    ...Array.from({ length: 1000 }, (_, i) => ({
      id: i + 10,
      start: i + 1,
      parent: 1,
      ...(i < 400 ? { exit: { at: 5000 + i } } : {}),
    })),
  ];

  test('is counted where it would stand; the living and the last to end are shown rather than others', () => {
    const family = familyOf(treeOf(wide), 1, { limit: 650 });
    expect(family.members).toHaveLength(651);
    expect(family.members[0]?.more).toBe(350);
    expect(family.more).toBe(350);
    const shown = ids(family).slice(1);
    // 600 live; of the others, the fifty that ended last.
    expect(shown.filter((id) => id >= 410)).toHaveLength(600);
    expect(Math.min(...shown)).toBe(360);
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
  });

  test('a wide branch does not take the room of the others', () => {
    const tree = treeOf([
      ...wide,
      { id: 3000, start: 2000, parent: 1 },
      { id: 3001, start: 2001, parent: 3000 },
      { id: 2, start: 1, parent: 1 },
      { id: 3002, start: 2002, parent: 2 },
    ]);
    expect(ids(familyOf(tree, 1, { limit: 100 }))).toContain(3002);
  });

  test('who is not wanted is left out and counted, unless it leads to one that is', () => {
    const tree = treeOf(chain(6));
    const family = familyOf(tree, 1, { wanted: (id) => id === 4 });
    expect(ids(family)).toEqual([1, 2, 3, 4]);
    expect(family.unwanted).toBe(2);
    expect(family.more).toBe(0);
  });
});

describe('groups', () => {
  const sleeper = (id: number, code: number, comm = 'sleep'): TaskSketch => {
    return { id, start: id, parent: 1, exit: { at: id + 1, code }, fields: { comm, uid: 0 } };
  };

  test('siblings that ended in the same way under the same name are one, once there are four', () => {
    const tree = treeOf([
      { id: 1, start: 0, fields: { comm: 'sh', uid: 0 } },
      ...[10, 11, 12, 13, 14].map((id) => sleeper(id, 0)),
      ...[20, 21, 22].map((id) => sleeper(id, 1)),
      ...[30, 31, 32, 33].map((id) => sleeper(id, 0, 'cat')),
      { id: 40, start: 40, parent: 30 },
      { id: 50, start: 50, parent: 1, fields: { comm: 'sleep' } },
    ]);
    const family = familyOf(tree, 1, { groups: true });
    // Of the four cats one has a child: three are no group.
    expect(ids(family)).toEqual([1, 10, 20, 21, 22, 30, 40, 31, 32, 33, 50]);
    expect(family.members[1]?.count).toBe(5);
    expect(family.grouped).toBe(4);
    const group = lineageLayout(family).nodes.find(({ kind }) => kind === 'group');
    expect(group).toMatchObject({ count: 5, key: 'group-10' });
    expect(familyOf(tree, 1).members).toHaveLength(15);
    // As of an instant when one of them had not ended yet.
    expect(familyOf(tree, 1, { groups: true, at: 14 }).members[1]?.count).toBe(4);
  });

  test('a group takes the room of one', () => {
    const many = Array.from({ length: 900 }, (_, i) => sleeper(i + 10, 0));
    const family = familyOf(treeOf([{ id: 1, start: 0 }, ...many, { id: 2000, start: 2000, parent: 1 }]), 1, {
      groups: true,
    });
    expect(ids(family)).toEqual([1, 10, 2000]);
    expect([family.grouped, family.more]).toEqual([899, 0]);
  });
});

test('a family is the same only if all of it is', () => {
  const sketches = chain(5);
  const tree = treeOf(sketches);
  const family = familyOf(tree, 2);
  expect(isSameFamily(family, familyOf(tree, 2))).toBe(true);
  tree.apply(
    batch((writer) =>
      writer.task(9 as TaskId, 9 as Tid, 9 as Tid, 9 as TaskId, 4 as TaskId, 8 as EventNs, 9 as EntityId, 0, 2),
    ),
  );
  expect(isSameFamily(family, familyOf(tree, 2))).toBe(false);
});

describe('pathological trees', () => {
  const LENGTH = 50_000;

  test('a chain of 50,000 is laid out from either end and from the middle', () => {
    const tree = treeOf(chain(LENGTH));
    for (const subject of [1, LENGTH / 2, LENGTH]) {
      const family = familyOf(tree, subject);
      expect(family.ancestors).toHaveLength(subject - 1);
      expect(family.members.length - 1 + family.more).toBe(LENGTH - subject);
      const layout = lineageLayout(family);
      expect(layout.nodes.length).toBe(family.ancestors.length + family.members.length + (family.more > 0 ? 1 : 0));
      checkPlaces(layout);
    }
  });

  test('100,000 siblings', () => {
    const sketches = Array.from({ length: 100_000 }, (_, i) => ({ id: i + 2, start: i, parent: 1 }));
    const family = familyOf(treeOf([{ id: 1, start: 0 }, ...sketches]), 1);
    expect(family.members).toHaveLength(501);
    expect(family.members[0]?.more).toBe(99_500);
    checkPlaces(lineageLayout(family));
  });

  test('a ring', () => {
    checkPlaces(lineageLayout(familyOf(ring(), 2)));
  });
});

test('of any tree: everybody is shown once or counted, parents left of their children, no box on another', () => {
  const forest = fc
    .array(fc.record({ parent: fc.nat(), dies: fc.option(fc.nat(1000)) }), { minLength: 1, maxLength: 120 })
    .map((births): TaskSketch[] =>
      births.map(({ parent, dies }, i) => ({
        id: i + 1,
        start: i,
        ...(i === 0 ? {} : { parent: (parent % i) + 1 }),
        ...(dies === null ? {} : { exit: { at: i + dies } }),
      })),
    );
  fc.assert(
    fc.property(
      forest,
      fc.nat(),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(120),
      fc.nat(3),
      fc.boolean(),
      (sketches, pick, limit, at, odd, groups) => {
        const tree = treeOf(sketches);
        const subject = (pick % sketches.length) + 1;
        if (subject - 1 > at) return;
        const wanted = (id: number) => odd === 0 || id % 4 !== odd;
        const family = familyOf(tree, subject, { at, limit, wanted, groups });
        const shown = ids(family).slice(1);
        const expected = descendants(sketches, subject, at);
        expect(new Set(shown).size).toBe(shown.length);
        for (const id of shown) expect(expected.has(id)).toBe(true);
        expect(shown.length + family.grouped + family.more + family.unwanted).toBe(expected.size);
        expect(shown.length).toBeLessThanOrEqual(limit);
        if (family.more > 0) expect(shown).toHaveLength(limit);
        expect(family.members.reduce((sum, { more }) => sum + more, 0)).toBe(family.more);

        const layout = lineageLayout(family);
        checkPlaces(layout);
        const drawn = layout.nodes.flatMap((node) => ('task' in node ? [tree.taskIdOf(node.task)] : []));
        expect([...drawn].sort()).toEqual([...family.ancestors, ...family.members].map(({ id }) => id).sort());
        const counted = layout.nodes.reduce((sum, node) => sum + (node.kind === 'more' ? node.count : 0), 0);
        expect(counted).toBe(family.more);
      },
    ),
    { numRuns: 300 },
  );
});

test('what is in view is found: the boxes, and edges that only cross', () => {
  const layout = lineageLayout(familyOf(treeOf(chain(40)), 20));
  const all = nodesWithin(layout, layout.left, layout.top, layout.right, layout.bottom);
  expect(all.nodes).toHaveLength(40);
  expect(all.edges).toHaveLength(39);
  expect(nodesWithin(layout, 0, -10, 10, 10).nodes).toEqual([layout.subject]);
  const between = nodesWithin(layout, NODE_WIDTH + 20, -10, NODE_WIDTH + 30, 10);
  expect(between.nodes).toEqual([]);
  expect(between.edges).toEqual([layout.subject + 1]);
});

/** Parents come first and stand further left; boxes keep off each other. */
function checkPlaces({ nodes, subject, left, right, top, bottom }: LineageLayout): void {
  expect(nodes[subject]).toMatchObject({ x: 0, y: 0, kind: 'task' });
  const columns = new Map<number, number[]>();
  for (const [i, { parent, x, y, level, place, siblings }] of nodes.entries()) {
    if (parent >= i) throw new Error(`node ${i} comes before its parent ${parent}`);
    const above = nodes[parent];
    if (above !== undefined && (above.x + NODE_WIDTH >= x || level !== above.level + 1))
      throw new Error(`node ${i} is not right of its parent`);
    if (place < 1 || place > siblings) throw new Error(`node ${i} is number ${place} of ${siblings}`);
    if (x < left || x + NODE_WIDTH > right || y - NODE_HEIGHT / 2 < top || y + NODE_HEIGHT / 2 > bottom)
      throw new Error(`node ${i} is out of bounds`);
    const column = columns.get(x) ?? [];
    column.push(y);
    columns.set(x, column);
  }
  for (const ys of columns.values()) {
    ys.sort((a, b) => a - b);
    ys.forEach((y, i) => {
      if (i > 0 && y - (ys[i - 1] as number) < NODE_HEIGHT + 4) throw new Error(`boxes at ${ys[i - 1]} and ${y} touch`);
    });
  }
}

/** The plain way: everybody from whom the creators lead up to the subject. */
function descendants(sketches: readonly TaskSketch[], subject: number, at: number): Set<number> {
  const found = new Set<number>();
  for (const { id, parent, start = 0 } of sketches) {
    if (start <= at && parent !== undefined && (parent === subject || found.has(parent))) found.add(id);
  }
  return found;
}

/** 1, 2 and 3, each the parent of the next, and 3 that of 1. */
function ring(): TemporalTree {
  return treeOf([
    { id: 1, start: 5, parent: 3 },
    { id: 2, start: 5, parent: 1 },
    { id: 3, start: 5, parent: 2 },
    { id: 4, start: 6, parent: 2 },
  ]);
}

function batch(write: (writer: BatchWriter) => void): Uint8Array {
  const writer = new BatchWriter();
  write(writer);
  return writer.finish();
}
