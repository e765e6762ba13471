import { type EventNs, FIELDS } from '@dendro/protocol';
import { expect, test } from 'vitest';
import type { TaskIndex } from './ids.ts';
import { ProcessTree } from './process-tree.ts';

test('the index of a text is that of what is read, asked alone or with all others, and the same for the same text', () => {
  const host = new ProcessTree();
  const at = (n: number) => n as EventNs;
  host.apply({ type: 'clock', epochNs: 0n });
  host.apply({ type: 'fork', at: at(1), tid: 10, pid: 10, creatorTid: 1 });
  host.apply({
    type: 'exec',
    at: at(2),
    pid: 10,
    comm: 'sh',
    argv: ['sh', '-c', 'x'],
    executable: { path: '/bin/sh' },
  });
  host.apply({ type: 'fork', at: at(3), tid: 20, pid: 20, creatorTid: 10 });
  host.apply({ type: 'container', at: at(4), tid: 20, container: '4f1c' });
  host.apply({ type: 'exec', at: at(5), pid: 20, comm: 'vim', argv: [], executable: { path: '/bin/vim' }, uid: 5 });
  const { tree } = host;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    for (const time of [at(1), at(3), at(4), at(6)]) {
      const all = [...tree.textIndexesAt(task, time)];
      for (const field of ['comm', 'container', 'argv', 'executable'] as const) {
        const index = tree.textIndexAt(task, field, time);
        const read =
          field === 'comm' || field === 'container'
            ? tree.textAt(task, field, time)
            : tree.wireTextAt(task, field, time);
        expect(index === 0 ? undefined : tree.textOf(index)).toBe(read);
        expect(all[FIELDS[field].id]).toBe(index);
      }
      expect(all[FIELDS.uid.id]).toBe(0);
    }
  }
  const [shell, child] = [1, 2].map((slot) => tree.textIndexAt(slot as TaskIndex, 'comm', at(3)));
  expect(child).toBe(shell);
  expect(shell).toBeGreaterThan(0);
});
