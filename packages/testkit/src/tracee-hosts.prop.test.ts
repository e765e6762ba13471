// Two hosts in one feed of Tracee, however their lines are mixed and cut into
// chunks, give the trees that each feed gives alone. Both use the same few pids;
// some of their processes are in containers, which do not name their host.

import { ProcessTree } from '@dendro/engine';
import { eventTimeOf, type TaskEvent } from '@dendro/protocol';
import { type FeedHost, HostSplit, TraceeDecoder } from '@dendro/sources';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeTree } from './tree-text.ts';

const S = 1_700_000_000_000_000_000n;
const PIDS = 12;
const TYPES: Readonly<Record<string, string>> = {
  pathname: 'string',
  argv: '[]string',
  child_tid: 'int32',
  child_pid: 'int32',
  start_time: 'time.Time',
  exit_code: 'int32',
  new_name: 'string',
};

interface Alive {
  readonly tid: number;
  readonly start: bigint;
  readonly container: string | undefined;
}

interface Step {
  readonly what: 'fork' | 'exec' | 'exit' | 'rename';
  /** Which of the living does it, and which pid a child gets. */
  readonly who: number;
  readonly pid: number;
  /** Does the child begin a container? */
  readonly contains: boolean;
}

const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    what: fc.constantFrom('fork' as const, 'fork' as const, 'exec' as const, 'exit' as const, 'rename' as const),
    who: fc.nat(),
    pid: fc.integer({ min: 2, max: PIDS }),
    contains: fc.boolean(),
  }),
  { maxLength: 60 },
);

/** What happens on a host, as Tracee's older dialect tells it. */
function linesOf(hostName: string, bootNs: bigint, steps: readonly Step[]): string[] {
  const living: Alive[] = [{ tid: 1, start: bootNs, container: undefined }];
  const lines: string[] = [];
  let at = bootNs;
  const tell = (eventName: string, { tid, start, container }: Alive, args: Record<string, unknown>): void => {
    lines.push(
      JSON.stringify({
        timestamp: String(at),
        threadStartTime: String(start),
        processId: container === undefined ? tid : 1,
        threadId: container === undefined ? tid : 1,
        hostProcessId: tid,
        hostThreadId: tid,
        hostParentProcessId: 1,
        userId: tid,
        processName: `${hostName}-${tid}`,
        // In a container a task sees the container's name, which is the same on both hosts.
        hostName: container === undefined ? hostName : 'inside',
        container: container === undefined ? {} : { id: container },
        eventName,
        syscall: eventName === 'task_rename' ? 'prctl' : '',
        // With their types, or no line would be scanned.
        args: Object.entries(args).map(([name, value]) => ({ name, type: TYPES[name], value })),
      }),
    );
  };
  tell('sched_process_exec', living[0] as Alive, { pathname: `/sbin/${hostName}` });
  for (const { what, who, pid, contains } of steps) {
    at += 1_000_000n;
    const index = who % living.length;
    const task = living[index] as Alive;
    if (what === 'fork' && !living.some(({ tid }) => tid === pid)) {
      const container = task.container ?? (contains ? `${hostName}-${at}` : undefined);
      tell('sched_process_fork', task, { child_tid: pid, child_pid: pid, start_time: String(at) });
      living.push({ tid: pid, start: at, container });
    } else if (what === 'exec')
      tell('sched_process_exec', task, { pathname: `/bin/${at}`, argv: [hostName, `${who}`] });
    else if (what === 'rename') tell('task_rename', task, { new_name: `${hostName}${who % 100}` });
    else if (what === 'exit' && index > 0) {
      tell('sched_process_exit', task, { exit_code: who % 200 });
      living.splice(index, 1);
    }
  }
  return lines;
}

/** Feeds chunks of `size` bytes and gives what each host's tree holds, and how much was rejected. */
function treesOf(lines: readonly string[], size: number) {
  const hosts = new HostSplit();
  const trees = new Map<FeedHost, ProcessTree>();
  const treeOf = (host: FeedHost = hosts.first): ProcessTree => {
    const tree = trees.get(host) ?? new ProcessTree();
    trees.set(host, tree);
    return tree;
  };
  hosts.trees = {
    baseOf: (host) => treeOf(host).base,
    hasBegun: (host, tid, start) => {
      const tree = treeOf(host);
      return tree.base !== undefined && tree.hasBegun(tid, eventTimeOf(tree.base, start));
    },
  };
  const decoder = new TraceeDecoder((event: TaskEvent, host) => treeOf(host).apply(event), { hosts });
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  for (let from = 0; from < bytes.length; from += size) decoder.push(bytes.subarray(from, from + size));
  decoder.end();
  const told = Object.fromEntries(
    [...trees].map(([{ name }, { tree, base }]) => [name, { base, tasks: describeTree(tree) }]),
  );
  return {
    told,
    scanned: decoder.scanned,
    rejected: decoder.rejected,
    counts: hosts.hosts.map(({ accepted }) => accepted),
  };
}

test('hosts of one feed have the trees that they have alone, however the feed is mixed and cut', () => {
  let scanned = 0;
  fc.assert(
    fc.property(
      STEPS,
      STEPS,
      fc.constantFrom(0n, 500_000n, 86_400_000_000_000n, 31_536_000_000_000_000n),
      fc.array(fc.boolean(), { minLength: 130, maxLength: 130 }),
      fc.constantFrom(1, 700, 5000, 1_000_000),
      (a, b, apart, picks, size) => {
        const [one, two] = [linesOf('n1', S, a), linesOf('n2', S + apart + 1n, b)];
        // Each names itself before there is anything in a container.
        const mixed = [one[0] as string, two[0] as string];
        const [first, second] = [one.slice(1), two.slice(1)];
        for (const isFirst of picks) mixed.push(...(isFirst ? first : second).splice(0, 1));
        mixed.push(...first, ...second);
        const together = treesOf(mixed, size);
        scanned += together.scanned;
        expect(together.rejected).toEqual({});
        expect(together.counts).toEqual([one.length, two.length]);
        expect(together.told).toEqual({ ...treesOf(one, size).told, ...treesOf(two, size).told });
      },
    ),
    { numRuns: 60 },
  );
  expect(scanned).toBeGreaterThan(100);
});
