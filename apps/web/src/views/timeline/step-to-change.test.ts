import { type EventNs, encodeFrame, type HostInfo, type Version } from '@dendro/protocol';
import { beforeEach, expect, test } from 'vitest';
import { Past } from '../../replica/past.ts';
import { Replica } from '../../replica/replica.ts';
import { treeView, useTree } from '../../state/tree-store.ts';
import { useView, view } from '../../state/view-store.ts';
import { batchOf } from '../../testing/tree-of.ts';
import { stepToChange } from './step-to-change.ts';

const HOST: HostInfo = {
  ...{ id: 'local', name: 'here', baseEpochNs: '1700000000000000000', isLive: true, users: {} },
  ownPids: [4],
};
const NOW = 1000e9 as EventNs;

const replica = new Replica(() => 0);
const past = new Past({ replica, origin: '', fetch: () => Promise.reject(new Error('nothing is asked')) });

/** 2 as root from 100 to 200; 3 as a user from 300 to 400; 4, of Dendro, from 500 on. */
beforeEach(() => {
  replica.greet(HOST);
  replica.resync();
  const batch = batchOf([
    { id: 1, fields: { comm: 'init', uid: 0 } },
    { id: 2, parent: 1, start: 100e9, exit: { at: 200e9 }, fields: { comm: 'rooted', uid: 0 } },
    { id: 3, parent: 1, start: 300e9, exit: { at: 400e9 }, fields: { comm: 'lent', uid: 1000 } },
    { id: 4, parent: 1, start: 500e9, fields: { comm: 'dendro', uid: 0 } },
  ]);
  const [from, to] = [0 as Version, 1 as Version];
  replica.takeFrame(encodeFrame({ kind: 'snapshot', isLast: true, from, to, now: NOW, batch }));
  view.goLive();
  view.clearQuery();
  treeView.setChip('all');
  if (useTree.getState().hidesOwn) treeView.toggleOwn();
});

/** Seconds at which steps back from the present come to rest. */
function steps(count: number): number[] {
  return Array.from({ length: count }, () => {
    stepToChange({ replica, past }, -1);
    return Math.floor((useView.getState().pausedAt ?? Number.NaN) / 1e9);
  });
}

test('back from the present: every start and end, one after the other; and on again to the present', () => {
  expect(steps(5)).toEqual([500, 400, 300, 200, 100]);
  stepToChange({ replica, past }, 1);
  expect(Math.floor((useView.getState().pausedAt ?? 0) / 1e9)).toBe(200);
  for (let i = 0; i < 4; i++) stepToChange({ replica, past }, 1);
  expect(useView.getState().pausedAt).toBeUndefined();
});

test('what a chip leaves out is passed over', () => {
  treeView.setChip('root');
  expect(steps(3)).toEqual([500, 200, 100]);
});

test('so are the processes of Dendro while they are hidden, and what a filter does not let through', () => {
  treeView.toggleOwn();
  expect(steps(1)).toEqual([400]);
  view.goLive();
  view.setQuery('name:rooted');
  expect(steps(2)).toEqual([200, 100]);
});

test('of the running an end is a step too: a row goes then', () => {
  treeView.setChip('running');
  expect(steps(3)).toEqual([500, 400, 300]);
});
