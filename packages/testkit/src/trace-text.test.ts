import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CLONE, type ForkEvent } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { parseTraceText } from './trace-text.ts';

const RECORDINGS = join(import.meta.dirname, '../recordings');

function unzipped(path: string): string {
  return gunzipSync(readFileSync(join(RECORDINGS, path))).toString();
}

/** What the process connector said of a birth. Its parent is the parent process, which is not the creator. */
const TRUTH = /^cpu\d+ seq=\d+ ts=(\d+) fork parent (\d+)\/(\d+) child (\d+)\/(\d+)$/gm;

test('the text of core-strace has 925 records, all understood', () => {
  const { records, unparsed, events } = parseTraceText(readFileSync(join(RECORDINGS, 'core-strace/trace.txt'), 'utf8'));
  const count = (type: string) => events.filter((event) => event.type === type).length;

  expect(records).toBe(925);
  expect(unparsed).toBe(0);
  expect(['clock', 'fork', 'rename', 'exec', 'exit'].map(count)).toEqual([1, 166, 147, 139, 167]);
});

test('the text of stress has the 41,927 births that the process connector saw, with the same parents', () => {
  const { records, unparsed, events } = parseTraceText(unzipped('stress/trace.txt.gz'));
  const truth = [...unzipped('stress/cn_proc.truth.txt.gz').matchAll(TRUTH)].map((match) => match.slice(1).map(Number));
  const births = events.filter((event): event is ForkEvent => event.type === 'fork');
  expect(records).toBe(157_453);
  expect(unparsed).toBe(0);
  expect(births).toHaveLength(41_927);
  expect(truth).toHaveLength(41_927);

  // Both are nearly in order of time; a tid is given out again only seconds later.
  const truthByTid = Map.groupBy(
    truth.toSorted((a, b) => a[0]! - b[0]!),
    ([, , , tid]) => tid!,
  );
  const birthsByTid = Map.groupBy(
    births.toSorted((a, b) => a.at - b.at),
    ({ tid }) => tid,
  );
  const pidOf = new Map<number, number>(); // tid of a living thread -> its pid
  const wrong: ForkEvent[] = [];
  const seen = new Map<number, number>();
  for (const birth of births.toSorted((a, b) => a.at - b.at)) {
    const life = seen.get(birth.tid) ?? 0;
    seen.set(birth.tid, life + 1);
    const [, parentTid, parentPid, , pid] = truthByTid.get(birth.tid)?.[life] ?? [];
    const creatorPid = pidOf.get(birth.creatorTid) ?? birth.creatorTid;
    const isThread = ((birth.cloneFlags ?? 0) & CLONE.thread) !== 0;
    pidOf.set(birth.tid, isThread ? creatorPid : birth.tid);
    const hasOwnParent = ((birth.cloneFlags ?? 0) & (CLONE.parent | CLONE.thread)) === 0;
    const isRight = isThread
      ? pid === creatorPid
      : pid === birth.tid && birth.pid === birth.tid && (!hasOwnParent || parentPid === creatorPid);
    if (!isRight || parentTid === undefined) wrong.push(birth);
  }
  expect(wrong).toEqual([]);
  expect([...birthsByTid].filter(([tid, lives]) => lives.length !== truthByTid.get(tid)?.length)).toEqual([]);
});

const HEADER = '            bash-12      (     12) [000] .....     1.000001: ';

test('names that look like the text around them are read to their end', () => {
  const { events, records } = parseTraceText(
    [
      `${HEADER}sched_process_exec: filename=./x pid=1 old_pid=2 pid=13813 old_pid=13813`,
      `${HEADER}task_newtask: pid=13 comm=pid=7 x=y clone_flags=3d0f00 oom_score_adj=0`,
      `${HEADER}task_rename: pid=13 oldcomm=a newcomm=] (b\nc oom_score_adj=-5`,
      `        new\nname-13      (-------) [001] .N.1.     2.500000: sched_process_exit: comm=new\nname pid=13 prio=120 group_dead=true`,
      `${HEADER}sched_process_exit: comm= pid=14 prio=120`,
      '',
    ].join('\n'),
  );

  expect(records).toBe(5);
  expect(events).toEqual([
    { type: 'exec', at: 1_000_001_000, pid: 13813, oldTid: 13813, filename: './x pid=1 old_pid=2' },
    {
      type: 'fork',
      at: 1_000_001_000,
      tid: 13,
      pid: undefined,
      creatorTid: 12,
      cloneFlags: 0x3d0f00,
      comm: 'pid=7 x=y',
    },
    { type: 'rename', at: 1_000_001_000, tid: 13, comm: '] (b\nc' },
    { type: 'exit', at: 2_500_000_000, tid: 13, isGroupDead: true, comm: 'new\nname' },
    { type: 'exit', at: 1_000_001_000, tid: 14, isGroupDead: undefined, comm: '' },
  ]);
});

test('a record of a known kind and an unknown form is counted, one of another kind is none of our business', () => {
  const text = `${HEADER}task_newtask: nonsense\n${HEADER}sched_waking: comm=x pid=1\n${HEADER}sys_exit_group(error_code: 5)\n`;

  expect(parseTraceText(text)).toEqual({ records: 3, unparsed: 1, events: [] });
});
