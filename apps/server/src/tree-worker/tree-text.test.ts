import { ProcessTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { treeOf } from './test-shapes.ts';
import { treeText } from './tree-text.ts';

test('branches are drawn on below those that go on, and end with the last child', () => {
  const host = new ProcessTree();
  const see = (tid: number, ppid: number, comm: string, argv?: string[]) =>
    host.apply({
      type: 'observe',
      at: (100 + tid) as EventNs,
      tid,
      pid: tid,
      ppid,
      start: tid as EventNs,
      startIsTick: false,
      comm,
      argv,
    });
  see(1, 0, 'init');
  see(10, 1, 'sshd');
  see(11, 10, 'bash', ['bash', '-c', 'a \u001b[2J b']);
  see(12, 11, 'ls');
  see(13, 10, 'bash');
  see(20, 1, 'cron\u202e');
  see(21, 20, 'job');
  expect(treeText(host.tree, host.newest)).toBe(
    [
      'init(1)',
      '├─sshd(10)',
      '│ ├─bash(11) -c a \\u{1b}[2J b',
      '│ │ └─ls(12)',
      '│ └─bash(13)',
      '└─cron\\u{202e}(20)',
      '  └─job(21)',
      '',
    ].join('\n'),
  );
});

test('a chain of 50,000 is drawn 32 deep, then numbered: no line is longer for being deeper', () => {
  const host = treeOf('chain', 50_000);
  const text = treeText(host.tree, host.newest);
  const lines = text.split('\n');
  expect(lines).toHaveLength(50_001 + 2);
  expect(lines[32]).toBe(`${'  '.repeat(31)}└─link(33) 32`);
  expect(lines[33]).toBe(`${'  '.repeat(32)}…33 link(34) 33`);
  expect(lines[50_000]).toBe(`${'  '.repeat(32)}…50000 link(50001) 50000`);
  expect(lines[50_001]).toBe('(49968 processes deeper than 32 are not drawn: …N is their depth)');
  expect(text.length).toBeLessThan(100 * 50_000);
});

test('what comes after a deep chain is drawn where it belongs', () => {
  const host = treeOf('chain', 40);
  const at = (host.newest + 1000) as EventNs;
  for (const [pid, creatorTid] of [
    [1001, 36],
    [1002, 3],
    [1003, 1],
  ] as const) {
    host.apply({ type: 'fork', at, tid: pid, pid, creatorTid, creatorPid: creatorTid });
  }
  const lines = treeText(host.tree, at).split('\n');
  expect(lines[3]).toBe('│   ├─link(4) 3');
  expect(lines[33]).toBe(`│   │ ${'  '.repeat(29)}…33 link(34) 33`);
  expect(lines.slice(41, 45)).toEqual([
    `│   │ ${'  '.repeat(29)}…36 link(1001) 35`,
    '│   └─link(1002) 2',
    '└─init(1003)',
    '(9 processes deeper than 32 are not drawn: …N is their depth)',
  ]);
});

test('100,000 siblings are a line each', () => {
  const host = treeOf('siblings', 100_000);
  const lines = treeText(host.tree, host.newest).split('\n');
  expect(lines.slice(0, 2)).toEqual(['init(1)', '├─link(2) 1']);
  expect(lines.slice(-2)).toEqual(['└─link(100001) 100000', '']);
  expect(lines).toHaveLength(100_002);
});
