// How far back a page can look by what it is given at first.

import { type TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { EVENING_FILE } from '@dendro/testkit';
import { afterEach, expect, test, vi } from 'vitest';
import { TestServer } from '../test-server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
});

test('of a recording, which has no history, all that is in memory, however long ago it ended', async () => {
  server = await TestServer.start({ source: `replay:${EVENING_FILE}` });
  const { first } = server.client;
  await vi.waitUntil(() => first.status.source.state === 'ended');
  const tree = new TemporalTree();
  await new Promise<void>((resolve) => {
    first.requestSnapshot(({ bytes, isLast }) => {
      tree.apply(bytes);
      if (isLast) resolve();
    });
  });
  const tasks = Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex);
  const pulls = tasks.filter((task) => tree.textAt(task, 'comm', (tree.startOf(task) + 1e9) as EventNs) === 'git');
  expect(pulls).toHaveLength(1);
  expect(tree.exitOf(pulls[0] as TaskIndex)).toBeLessThan(first.status.now - 15 * 60e9);
  expect(tasks.filter((task) => tree.isPresent(task))).toHaveLength(first.status.counts.tasks);
});
