import type { EventNs } from '@dendro/protocol';
import { FeedHost } from '@dendro/sources';
import { expect, test } from 'vitest';
import { answerJson } from './answers.ts';
import { HostTree } from './host-tree.ts';
import type { TreeAnswer } from './tree-json.ts';

test('a tree of a time of which events were lost says so, and which instant is the nearest without', () => {
  const limits = { maxProcesses: 16, maxThreads: 16, canEnrich: false, isRecorded: false, clock: undefined };
  const tree = new HostTree(new FeedHost(0, undefined), limits);
  tree.apply({ type: 'clock', epochNs: 0n });
  tree.apply({ type: 'fork', at: 50 as EventNs, tid: 7, creatorTid: 1 });
  tree.apply({ type: 'gap', from: 100 as EventNs, to: 200 as EventNs, lost: 5 });
  const at = (time: number) => {
    const question = { kind: 'tree', at: String(time), withExited: false } as const;
    const { reason, lacks } = JSON.parse(answerJson(tree, question)) as TreeAnswer;
    return [reason, ...lacks.map(({ why, nearest }) => [why, nearest])];
  };
  expect([99, 100, 160, 200, 201].map(at)).toEqual([
    [null],
    ['Events of that time were lost.', ['source', '99']],
    ['Events of that time were lost.', ['source', '201']],
    ['Events of that time were lost.', ['source', '201']],
    [null],
  ]);
});
