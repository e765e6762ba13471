import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderOf } from '../testing/order-of.ts';
import { Found } from './found.ts';
import { siblingGroups } from './sibling-groups.ts';
import { visibleRows } from './visible-rows.ts';

const { order, names } = orderOf(`
init
  sshd
    bash
      vim
  cron
    job
kthreadd
`);
const shown = (rows: ReturnType<typeof visibleRows>) => [...rows.positions].map((position) => names[position]);
const found = (...list: string[]) => new Found(Uint8Array.from(names, (name) => Number(list.includes(name))));
const among = (list: string[]) => (position: number) => list.includes(names[position] ?? '');

test('without collapse and filter every row is shown', () => {
  expect(shown(visibleRows(order, { isCollapsed: () => false }))).toEqual(names);
});

test('what is below a collapsed row is left out, and collapsing a leaf changes nothing', () => {
  expect(shown(visibleRows(order, { isCollapsed: among(['sshd', 'job']) }))).toEqual([
    'init',
    'sshd',
    'cron',
    'job',
    'kthreadd',
  ]);
  expect(shown(visibleRows(order, { isCollapsed: among(['init', 'sshd']) }))).toEqual(['init', 'kthreadd']);
});

test('a filter shows matches and their ancestors, collapsed or not', () => {
  const rows = visibleRows(order, { isCollapsed: () => true, matches: found('vim', 'cron') });
  expect(shown(rows)).toEqual(['init', 'sshd', 'bash', 'vim', 'cron']);
});

test('a filter that nothing matches shows nothing', () => {
  expect(visibleRows(order, { isCollapsed: () => false, matches: found() })).toHaveLength(0);
});

test('each row knows its parent row, its place among its siblings, and how many these are', () => {
  const familyOf = (rows: ReturnType<typeof visibleRows>) =>
    [...rows.positions].map((position, row) => {
      const parent = rows.parents[row]!;
      return [names[position], parent, rows.places[row], parent < 0 ? rows.rootCount : rows.childCounts[parent]];
    });
  expect(familyOf(visibleRows(order, { isCollapsed: () => false }))).toEqual([
    ['init', -1, 1, 2],
    ['sshd', 0, 1, 2],
    ['bash', 1, 1, 1],
    ['vim', 2, 1, 1],
    ['cron', 0, 2, 2],
    ['job', 4, 1, 1],
    ['kthreadd', -1, 2, 2],
  ]);
  expect(familyOf(visibleRows(order, { isCollapsed: among(['sshd']) })).slice(1, 3)).toEqual([
    ['sshd', 0, 1, 2],
    ['cron', 0, 2, 2],
  ]);
  expect(familyOf(visibleRows(order, { isCollapsed: () => false, matches: found('job') }))).toEqual([
    ['init', -1, 1, 1],
    ['cron', 0, 1, 1],
    ['job', 1, 1, 1],
  ]);
});

test('what is not kept is left out, but for what leads to it, and folding goes on', () => {
  const kept = Uint8Array.from(names, (name) => Number(['bash', 'vim', 'job'].includes(name)));
  const rows = (isCollapsed: (position: number) => boolean) => visibleRows(order, { isCollapsed, kept });
  expect(shown(rows(() => false))).toEqual(['init', 'sshd', 'bash', 'vim', 'cron', 'job']);
  expect(shown(rows(among(['bash'])))).toEqual(['init', 'sshd', 'bash', 'cron', 'job']);
  expect(shown(visibleRows(order, { isCollapsed: () => false, kept, matches: found('vim', 'kthreadd') }))).toEqual([
    'init',
    'sshd',
    'bash',
    'vim',
  ]);
});

const crowd = orderOf(`
init
  worker 1
    helper
  cron
  worker 2
  worker 3
  worker 4
    helper
`);
const isWorker = (position: number) => (crowd.names[position]?.startsWith('worker') ? 1 : -1);
const workers = siblingGroups(crowd.order, isWorker, () => 'workers');

/** Rows as text: depth by indentation, groups as `×4`. */
function drawn(choice: Partial<Parameters<typeof visibleRows>[1]>): string[] {
  const rows = visibleRows(crowd.order, { isCollapsed: () => false, groups: workers, ...choice });
  return [...rows.positions].map((position, row) => {
    const name = (rows.groups[row] as number) < 0 ? crowd.names[position] : `×${rows.sizes[row]}`;
    return `${'  '.repeat(rows.depths[row] as number)}${name}`;
  });
}

test('alike siblings stand in one row where the eldest is, and below it when that is open', () => {
  expect(drawn({})).toEqual(['init', '  ×4', '  cron']);
  expect(drawn({ isGroupOpen: () => true })).toEqual([
    'init',
    '  ×4',
    '    worker 1',
    '      helper',
    '    worker 2',
    '    worker 3',
    '    worker 4',
    '      helper',
    '  cron',
  ]);
});

test('who stands apart has a row beside a closed group and is not counted in it; in an open one it stays', () => {
  const isApart = (position: number) => crowd.names[position] === 'worker 3';
  expect(drawn({ isApart })).toEqual(['init', '  ×3', '  cron', '  worker 3']);
  expect(drawn({ isApart, isGroupOpen: () => true })).toHaveLength(9);
  const isNot2 = (position: number) => crowd.names[position] !== 'worker 2';
  expect(drawn({ isApart: isNot2 }).filter((row) => row.includes('×'))).toEqual([]);
});

test('with a filter there are no groups, and a folded parent has none', () => {
  expect(drawn({ matches: new Found(Uint8Array.from(crowd.names, (_, p) => Number(isWorker(p) === 1))) })).toHaveLength(
    5,
  );
  expect(drawn({ isCollapsed: (p) => p === 0 })).toEqual(['init']);
});

test('groups lose nobody and show nobody twice', () => {
  const shape = fc.array(fc.record({ depth: fc.nat(4), like: fc.integer({ min: -1, max: 1 }) }), { maxLength: 60 });
  fc.assert(
    fc.property(shape, fc.boolean(), fc.nat(60), (tasks, isOpen, apart) => {
      let last = -1;
      const lines = tasks.map(({ depth }, i) => {
        last = Math.min(depth, last + 1);
        return `${'  '.repeat(last)}t${i}`;
      });
      const { order } = orderOf(lines.join('\n'));
      const groups = siblingGroups(order, (p) => tasks[p]!.like, String);
      const rows = visibleRows(order, {
        isCollapsed: () => false,
        groups,
        isGroupOpen: () => isOpen,
        isApart: (p) => p === apart,
      });
      const own = [...rows.positions].filter((_, row) => rows.groups[row] === -1);
      expect(new Set(own).size).toBe(own.length);
      // In a closed group are its members and all below them.
      const hidden = new Set<number>();
      for (let row = 0; row < rows.length; row++) {
        const group = rows.groups[row]!;
        if (group < 0) continue;
        const members = groups.membersOf(group).filter((p) => isOpen || p !== apart);
        expect(rows.sizes[row]).toBe(members.length);
        if (isOpen) expect(rows.childCounts[row]).toBe(members.length);
        else for (const p of members) for (let q = p; q < order.subtreeEnds[p]!; q++) hidden.add(q);
      }
      expect(own.length + hidden.size).toBe(order.length);
    }),
  );
});

// One more level was none at all: they stood as roots.
test('a group that is deeper than can be said is opened below its parent', () => {
  const deep = 65_536;
  const length = deep + 4;
  const at = <T>(of: (position: number) => T) => Array.from({ length }, (_, position) => of(position));
  const chain = {
    ...order,
    length,
    tasks: Int32Array.from(at((p) => p)),
    depths: Uint16Array.from(at((p) => Math.min(p, deep - 1))),
    subtreeEnds: Int32Array.from(at((p) => (p < deep ? length : p + 1))),
  };
  const groups = siblingGroups(chain, (p) => (p < deep ? -1 : 1), String);
  const rows = visibleRows(chain, { isCollapsed: () => false, groups, isGroupOpen: () => true });
  expect(rows).toHaveLength(length + 1);
  expect(rows.depths.at(-1)).toBe(deep - 1);
});
