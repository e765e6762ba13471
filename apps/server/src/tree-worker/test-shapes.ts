// Trees of extreme shapes, for tests.

import { ProcessTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';

/** Init, and so many others: each the child of the one before, or all of them children of init. Each runs a program of its own. */
export function treeOf(shape: 'chain' | 'siblings', count: number): ProcessTree {
  const host = new ProcessTree({ maxProcesses: count + 100 });
  host.apply({ type: 'clock', epochNs: 1_700_000_000_000_000_000n });
  host.apply({ type: 'observe', at: ns(0), tid: 1, pid: 1, ppid: 0, start: ns(0), startIsTick: false, comm: 'init' });
  for (let i = 1; i <= count; i++) {
    const pid = i + 1;
    const creatorTid = shape === 'chain' ? i : 1;
    host.apply({ type: 'fork', at: ns(1000 * i), tid: pid, pid, creatorTid, creatorPid: creatorTid });
    const argv = ['link', String(i)];
    host.apply({
      type: 'exec',
      at: ns(1000 * i + 1),
      pid,
      comm: 'link',
      executable: { path: '/bin/link' },
      argv,
      uid: 7,
    });
  }
  return host;
}

function ns(value: number): EventNs {
  return value as EventNs;
}
