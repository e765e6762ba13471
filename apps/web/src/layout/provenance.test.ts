import {
  AUTHORITY,
  type Authority,
  BatchWriter,
  type EventNs,
  FIELDS,
  type TaskId,
  toWireText,
} from '@dendro/protocol';
import { expect, test } from 'vitest';
import { treeOf } from '../testing/tree-of.ts';
import { provenance } from './provenance.ts';

const base = { epochNs: 1_700_000_000_000_000_000n };
const SECOND = 1e9;

function directoryOf(entries: readonly (readonly [seconds: number, by: Authority])[]) {
  const tree = treeOf([{ id: 1 }, { id: 2, parent: 1, start: SECOND }]);
  const batch = new BatchWriter();
  for (const [seconds, by] of entries) {
    const text = batch.text(toWireText('string', `/at-${seconds}`));
    batch.set(2 as TaskId, FIELDS.cwd.id, (seconds * SECOND) as EventNs, by, text);
  }
  tree.apply(batch.finish());
  return (seconds: number, { source }: { readonly source: string | undefined } = { source: 'tracefs' }) =>
    provenance({ tree, task: tree.indexOf(2 as TaskId), at: (seconds * SECOND) as EventNs, base, source }, 'cwd');
}

test('a kernel event is told with its time and with what it was heard through', () => {
  const at = directoryOf([[10, AUTHORITY.event]]);
  expect(at(20)?.text).toMatch(/^kernel event \d\d:\d\d:\d\d$/);
  expect(at(20)?.title).toMatch(/kernel event of \S+Z, heard through tracefs$/);
  // In the history nobody knows through what it came.
  expect(directoryOf([[10, AUTHORITY.event]])(20, { source: undefined })?.title).not.toContain('heard');
});

test('what was seen says when, and what was seen later only says that before is inferred', () => {
  const at = directoryOf([[10, AUTHORITY.sighting]]);
  expect(at(20)?.text).toMatch(/^seen \d\d:\d\d:\d\d while tracefs ran$/);
  expect(at(5)?.text).toMatch(/^first seen \d\d:\d\d:\d\d while tracefs ran, inferred before$/);
});

test('what was concluded, what is inherited, and what nobody has said', () => {
  expect(directoryOf([[10, AUTHORITY.inferred]])(20)?.text).toBe('inferred');
  expect(directoryOf([])(20)).toBeUndefined();
  const tree = treeOf([
    { id: 1, fields: { cwd: '/' } },
    { id: 2, parent: 1, start: SECOND },
  ]);
  const asked = { tree, task: tree.indexOf(2 as TaskId), at: (2 * SECOND) as EventNs, base, source: 'ebpf' };
  expect(provenance(asked, 'cwd')).toMatchObject({ from: 'inherited from its parent', text: 'kernel event' });
});
