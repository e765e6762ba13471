import { ProcessTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { ReplayFileSource } from '@dendro/sources';
import { expect, test, vi } from 'vitest';
import { EVENING_FILE, eveningEvents } from './evening.ts';
import { describeTree, drawTree } from './tree-text.ts';

const host = new ProcessTree();
for (const event of eveningEvents()) host.apply(event);
const { tree } = host;

test('it is over half an hour old, and nobody in it is unknown', () => {
  expect(host.newest).toBeGreaterThan(25 * 60e9);
  expect(drawTree(tree, host.newest)).not.toContain(' ?');
});

test('what is asked of it in the tour has one answer: a pool of PHP, as www-data', () => {
  const curls = Array.from({ length: tree.slotCount }, (_, slot) => slot as Parameters<typeof tree.tidOf>[0]).filter(
    (task) => tree.isPresent(task) && tree.textAt(task, 'comm', Number.POSITIVE_INFINITY as EventNs) === 'curl',
  );
  expect(curls).toHaveLength(1);
  const [curl] = curls as [(typeof curls)[0]];
  const start = tree.startOf(curl);
  const shell = tree.parentAt(curl, start);
  expect(tree.valueAt(shell, 'argv', start)).toEqual(['sh', '-c', expect.stringContaining('curl')]);
  expect(tree.valueAt(shell, 'uid', start)).toBe(33);
  expect(tree.textAt(tree.parentAt(shell, start), 'comm', start)).toBe('php-fpm8.2');
});

test('the recording that comes with the documentation is of it', async () => {
  const played = new ProcessTree();
  const source = new ReplayFileSource(EVENING_FILE);
  await source.start((event) => played.apply(event));
  await vi.waitUntil(() => source.status().state === 'ended');
  expect(describeTree(played.tree)).toEqual(describeTree(tree));
});
