// Tracee's lines, from bytes to the tree.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessTree, type TaskIndex } from '@dendro/engine';
import { type EventNs, epochOf } from '@dendro/protocol';
import { TraceeDecoder } from '@dendro/sources';
import { expect, test } from 'vitest';
import { describeTree, drawTree } from './tree-text.ts';

const VECTORS = join(import.meta.dirname, '../vectors/tracee');

function treeOf(lines: string): { host: ProcessTree; decoder: TraceeDecoder } {
  const host = new ProcessTree();
  const decoder = new TraceeDecoder((event) => host.apply(event));
  decoder.push(Buffer.from(lines));
  decoder.end();
  return { host, decoder };
}

const read = (dialect: string) => readFileSync(join(VECTORS, `${dialect}.ndjson`), 'utf8');

test.each(['legacy', 'v1beta1'])(
  'the %s dialect gives birth, program, threads and end, exact to the nanosecond',
  (dialect) => {
    const { host, decoder } = treeOf(read(dialect));
    expect(decoder).toMatchObject({ lines: 4, decoded: 4, rejected: {} });
    const { tree, base } = host;
    expect(base).toEqual({ epochNs: 1_700_000_005_000_120_000n });
    const find = (tid: number) =>
      Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex).filter(
        (task) => tree.isPresent(task) && tree.tidOf(task) === tid,
      );
    const [process, ...more] = find(200);
    expect(more).toEqual([]);
    const task = process!;
    const epoch = (at: EventNs) => epochOf(base!, at);
    const at = (ns: number) => ns as EventNs;

    expect(epoch(tree.startOf(task))).toBe(1_700_000_005_000_000_001n);
    expect(epoch(tree.exitOf(task))).toBe(1_700_000_009_000_000_000n);
    expect([tree.exitCodeOf(task), tree.exitSignalOf(task)]).toEqual([undefined, 11]);
    expect(tree.pidOf(tree.parentAt(task, tree.startOf(task)))).toBe(100);
    expect(tree.textAt(task, 'comm', tree.startOf(task))).toBe('bash');

    const later = at(2e9);
    expect(tree.textAt(task, 'comm', later)).toBe('ls');
    expect(tree.valueAt(task, 'argv', later)).toEqual(['ls', '-l', '12345678901234567890 "quoted"']);
    expect(tree.textAt(task, 'cwd', later)).toBe('/home/u');
    expect(tree.numberAt(task, 'uid', later)).toBe(1000);
    expect(tree.numberAt(task, 'nsPid', later)).toBe(20);
    expect(tree.valueAt(task, 'executable', later)).toEqual({
      path: '/usr/bin/ls',
      device: 271581185,
      inode: '18446744073709551615',
      ctime: '1708465191345601524',
      mode: 33261,
      hash: undefined,
    });
    expect(tree.valueAt(task, 'interpreter', later)).toMatchObject({
      path: '/usr/lib/ld-linux-x86-64.so.2',
      inode: '1315526',
    });

    const [thread] = find(201);
    expect(tree.leaderOf(thread!)).toBe(task);
    expect(epoch(tree.exitOf(thread!))).toBe(1_700_000_007_000_000_000n);
    expect(drawTree(tree, at(1.8e9))).toBe(['1 - ?', '  100 bash', '    200 ls +1'].join('\n'));
  },
);

test.each(['', '-threads'])(
  'both dialects make the same tree of the same happenings (vector "%s"), but only legacy names the pid namespace',
  (kind) => {
    const [legacy, v1beta1] = ['legacy', 'v1beta1'].map(
      (dialect) => describeTree(treeOf(read(dialect + kind)).host.tree) as { fields: Record<string, unknown> }[],
    );
    expect(legacy!.filter(({ fields }) => 'pidNs' in fields).length).toBeGreaterThan(0);
    for (const { fields } of legacy!) delete fields['pidNs'];
    expect(legacy).toEqual(v1beta1);
  },
);

test.each(['legacy', 'v1beta1'])('in the %s dialect threads fork, rename themselves and end as they did', (dialect) => {
  const { host, decoder } = treeOf(read(`${dialect}-threads`));
  expect(decoder).toMatchObject({ lines: 7, decoded: 7, rejected: {} });
  const { tree, base } = host;
  const start = 1_700_000_000_000_000_000n;
  const at = (seconds: number) => Number(start + BigInt(seconds * 1e9) - base!.epochNs) as EventNs;
  const find = (tid: number) =>
    Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex).find(
      (task) => tree.isPresent(task) && tree.tidOf(task) === tid,
    )!;
  const [web, thread, child, sibling] = [1000, 1001, 1002, 1003].map(find) as [
    TaskIndex,
    TaskIndex,
    TaskIndex,
    TaskIndex,
  ];

  expect(tree.leaderOf(thread)).toBe(web);
  expect(tree.textAt(thread, 'comm', at(2.25))).toBe('web');
  expect(tree.textAt(thread, 'comm', at(2.75))).toBe('pool-1');
  expect(tree.textAt(web, 'comm', at(2.75))).toBe('web');
  // A thread forked it; its parent is the process.
  expect([tree.creatorOf(child), tree.parentAt(child, at(4))]).toEqual([thread, web]);
  expect(tree.valueAt(child, 'argv', at(4))).toEqual(['sh', '-c', 'echo "na\u00efve \u2713"; exit 3']);
  expect(tree.valueAt(child, 'executable', at(4))).toMatchObject({
    inode: '9007199254740993',
    ctime: '1699999999999999999',
  });
  expect(tree.exitCodeOf(child)).toBe(3);
  // With CLONE_PARENT the caller is the creator, not the parent.
  expect([tree.creatorOf(sibling), tree.parentAt(sibling, at(4.5))]).toEqual([child, web]);
  expect(tree.numberAt(sibling, 'nsPid', at(4.5))).toBe(4);
  expect(tree.textAt(sibling, 'container', at(4.5))).toBe(`${'c0ffee'.repeat(10)}c0ff`);
  expect(drawTree(tree, at(4.5))).toBe(['900 - ?', '  1000 web +1', '    1002 sh', '    1003 sh'].join('\n'));
  expect(drawTree(tree, at(6.5))).toBe(['900 - ?', '  1000 web', '    1003 sh'].join('\n'));
});

test('lines in any order make a tree with the same lives', () => {
  const lines = read('legacy').trim().split('\n');
  const lives = (order: string[]) => {
    const { tree, base } = treeOf(order.join('\n')).host;
    return describeTree(tree)
      .map((task) => task as { tid: number; start: number; exit: number })
      .map(({ tid, start, exit }) => [
        tid,
        epochOf(base!, start as EventNs),
        Number.isFinite(exit) ? epochOf(base!, exit as EventNs) : undefined,
      ])
      .filter(([tid]) => tid !== 1)
      .sort((a, b) => Number(a[0]) - Number(b[0]));
  };
  expect(lives(lines.toReversed())).toEqual(lives(lines));
});
