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

test('both dialects make the same tree of the same happenings', () => {
  const [legacy, v1beta1] = ['legacy', 'v1beta1'].map((dialect) => treeOf(read(dialect)).host);
  expect(describeTree(legacy!.tree)).toEqual(describeTree(v1beta1!.tree));
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
