import { ProcessTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { treeAnswer } from './tree-json.ts';

const START = 1_561_000_000_000_000_000n;

test('a tree of a time of which events were lost says so', () => {
  const host = new ProcessTree();
  host.apply({ type: 'clock', epochNs: START });
  host.apply({ type: 'gap', from: 100 as EventNs, to: 200 as EventNs, lost: 7 });
  const reasonAt = (ns: bigint): unknown => {
    const options = {
      host: 'local',
      base: { epochNs: START },
      epochNs: START + ns,
      withExited: false,
      lack: undefined,
    };
    return treeAnswer(host, options).reason;
  };
  expect([99n, 100n, 200n, 201n].map(reasonAt)).toEqual([
    null,
    'Events of that time were lost.',
    'Events of that time were lost.',
    null,
  ]);
});
