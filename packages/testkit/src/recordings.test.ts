// Real recordings, all the way from the kernel's bytes to the tree, against
// what other observers said of the same workload.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { NO_TASK, ProcessTree, type TaskIndex } from '@dendro/engine';
import { AUTHORITY, type EventNs } from '@dendro/protocol';
import { ReplaySource } from '@dendro/sources';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseTraceText } from './trace-text.ts';

const RECORDINGS = join(import.meta.dirname, '../recordings');
const ROOMY = { maxProcesses: 200_000, maxThreads: 200_000 };

/** All lives of all tids, oldest first. */
function livesByTid({ tree }: ProcessTree): Map<number, TaskIndex[]> {
  const tasks = Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex)
    .filter((task) => tree.isPresent(task))
    .sort((a, b) => tree.startOf(a) - tree.startOf(b));
  return Map.groupBy(tasks, (task) => tree.tidOf(task) as number);
}

describe('core-strace', () => {
  let host: ProcessTree;
  let lives: Map<number, TaskIndex[]>;
  let records = 0;
  const strace = readFileSync(join(RECORDINGS, 'core-strace/strace.txt'), 'latin1').split('\n');

  beforeAll(async () => {
    host = new ProcessTree(ROOMY);
    const source = new ReplaySource(join(RECORDINGS, 'core-strace'));
    await source.start((event) => host.apply(event));
    while (source.status().state === 'running') await new Promise((resolve) => setImmediate(resolve));
    expect(source.status()).toMatchObject({ state: 'ended', lost: 0, rejected: {} });
    records = source.status().events;
    lives = livesByTid(host);
  });

  test('has 925 records', () => {
    expect(records).toBe(925);
  });

  test('gives every birth that strace saw the creator and the kind that strace saw', () => {
    const births = [...strace.entries()].flatMap(([number, line]) => {
      const call =
        /^(\d+) [\d.]+ (?:(clone|clone3|fork|vfork)\(|<\.\.\. (clone|clone3|fork|vfork) resumed>)(.*)= (\d+)$/.exec(
          line,
        );
      if (call === null) return [];
      const [, creator, name, resumed, args = '', child] = call;
      // The flags stand where the call begins.
      const begun = name
        ? args
        : strace.slice(0, number).findLast((old) => old.startsWith(`${creator} `) && old.includes(`${resumed}(`));
      return [{ creator: Number(creator), child: Number(child), isThread: begun?.includes('CLONE_THREAD') ?? false }];
    });
    expect(births).toHaveLength(163);
    const wrong = births.filter(({ creator, child, isThread }) => {
      const life = lives.get(child)?.[0];
      if (life === undefined) return true;
      const by = host.tree.creatorOf(life);
      return by === NO_TASK || host.tree.tidOf(by) !== creator || host.tree.isThread(life) !== isThread;
    });
    // strace prints the numbers that a caller inside a pid namespace sees: these two are such.
    expect(wrong.map(({ child }) => child).toSorted((a, b) => a - b)).toEqual([2, 3]);
  });

  test('gives every exec that strace saw its file', () => {
    // A call that another thread's line interrupts is finished on a later line; one that failed is no exec.
    const execs = strace.flatMap((line, number) => {
      const [, tid, path, end] = /^(\d+) [\d.]+ execve\("([^"]*)".*(= 0|<unfinished \.\.\.>)$/.exec(line) ?? [];
      if (tid === undefined || path === undefined) return [];
      const resumed = strace
        .slice(number)
        .find((later) => later.startsWith(`${tid} `) && later.includes('<... execve resumed>'));
      return end === '= 0' || resumed?.endsWith('= 0') ? [{ tid: Number(tid), path: readable(path) }] : [];
    });
    expect(execs).toHaveLength(136);
    const unseen = execs.filter(({ tid, path }) => {
      const life = lives.get(tid)?.[0];
      if (life === undefined) return true;
      const process = host.tree.leaderOf(life);
      return !host.tree
        .changelogOf(process, 'executable')
        .some(({ value }) => (value as { path: string } | undefined)?.path === path);
    });
    expect(unseen).toEqual([]);
  });

  test('gives every end that strace saw', () => {
    const ends = strace.flatMap((line) => {
      const end = /^(\d+) [\d.]+ \+\+\+ (?:exited with|killed by)/.exec(line);
      return end ? [Number(end[1])] : [];
    });
    expect(ends.length).toBeGreaterThan(150);
    const running = ends.filter((tid) => {
      const life = lives.get(tid)?.[0];
      return life === undefined || host.tree.exitOf(life) === Number.POSITIVE_INFINITY;
    });
    expect(running).toEqual([]);
  });

  test('keeps a process whose thread called exec: one life, from its birth to its end', () => {
    const [process, ...others] = lives.get(14691) ?? [];
    expect(others).toEqual([]);
    const caller = lives.get(14693)?.[0];
    const exec = host.tree.changelogOf(process!, 'executable').at(-1)!;
    expect(host.tree.exitOf(caller!)).toBe(exec.since);
    expect(host.tree.exitOf(process!)).toBeGreaterThan(exec.since);
    expect(host.tree.exitAuthorityOf(process!)).toBe(AUTHORITY.event);
  });
});

/** strace writes bytes beyond ASCII, and some others, as octal or C escapes. */
function readable(text: string): string {
  const bytes = text.replace(/\\(?:([0-7]{1,3})|(.))/g, (_, octal?: string, letter?: string) =>
    octal !== undefined
      ? String.fromCharCode(Number.parseInt(octal, 8))
      : ({ n: '\n', t: '\t', r: '\r' }[letter ?? ''] ?? letter ?? ''),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

test('stress gives 41,927 births the parent that the process connector named, through 9,553 reuses of pids', () => {
  const unzipped = (path: string) => gunzipSync(readFileSync(join(RECORDINGS, path))).toString();
  const { events } = parseTraceText(unzipped('stress/trace.txt.gz'));
  const host = new ProcessTree(ROOMY);
  for (const event of events.toSorted((a, b) => ('at' in a ? a.at : 0) - ('at' in b ? b.at : 0))) host.apply(event);

  const truth = [
    ...unzipped('stress/cn_proc.truth.txt.gz').matchAll(
      /^cpu\d+ seq=\d+ ts=(\d+) fork parent \d+\/(\d+) child (\d+)\/(\d+)$/gm,
    ),
  ].map(([, ts, parent, tid, pid]) => ({ ts: Number(ts), parent: Number(parent), tid: Number(tid), pid: Number(pid) }));
  expect(truth).toHaveLength(41_927);
  const truthByTid = Map.groupBy(
    truth.toSorted((a, b) => a.ts - b.ts),
    ({ tid }) => tid,
  );
  const lives = livesByTid(host);
  let born = 0;
  const wrong: unknown[] = [];
  for (const [tid, expected] of truthByTid) {
    // Tasks that were there before the recording began are placeholders: nobody saw their birth.
    const seen = (lives.get(tid) ?? []).filter((task) => host.tree.authorityOf(task) === AUTHORITY.event);
    born += seen.length;
    for (const [i, birth] of expected.entries()) {
      const task = seen[i];
      const start = task === undefined ? (0 as EventNs) : host.tree.startOf(task);
      const parent =
        task === undefined
          ? NO_TASK
          : host.tree.isThread(task)
            ? host.tree.leaderOf(task)
            : host.tree.parentAt(task, start);
      // A thread's real parent is that of its process, as the connector says it.
      const isRight =
        task !== undefined &&
        host.tree.pidOf(task) === birth.pid &&
        (host.tree.isThread(task) || (parent !== NO_TASK && host.tree.pidOf(parent) === birth.parent));
      if (!isRight) wrong.push({ ...birth, got: task === undefined ? 'nothing' : host.tree.pidOf(parent) });
    }
  }
  expect(wrong.slice(0, 10)).toEqual([]);
  expect(wrong).toHaveLength(0);
  expect(born).toBe(41_927);
});
