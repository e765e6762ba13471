// One run of a workload, told twice: by the kernel's trace pages and by strace.
// The trees that are made of the two are the same where both can tell; what only
// strace tells is held against another reader of the same lines.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUTHORITY, type SourceStatus, type TaskEvent } from '@dendro/protocol';
import { StraceSource } from '@dendro/sources';
import { beforeAll, expect, test } from 'vitest';
import { CoreTree, readCoreStrace } from './core-strace.ts';
import { justBefore, RECORDINGS } from './recorded-lives.ts';
import { parseStraceText, type StraceText } from './strace-text.ts';
import type { TrueTask } from './strace-truth.ts';

const FILE = join(RECORDINGS, 'core-strace/strace.txt');

let kernel: CoreTree;
let imported: CoreTree;
let status: SourceStatus;
let truth: readonly TrueTask[];
let strace: StraceText;

beforeAll(async () => {
  const core = await readCoreStrace();
  kernel = new CoreTree(core.events);
  truth = [...core.truth.values()].sort((a, b) => a.tid - b.tid);
  const events: TaskEvent[] = [];
  const source = new StraceSource(FILE);
  await source.start((event) => events.push(event));
  while (source.status().state === 'running') await new Promise((resolve) => setImmediate(resolve));
  status = source.status();
  imported = new CoreTree(events);
  const base = events[0]?.type === 'clock' ? events[0].epochNs : 0n;
  strace = parseStraceText(readFileSync(FILE, 'latin1'), base);
});

const born = () => truth.filter(({ birth }) => birth !== undefined);

function lifeIn(tree: CoreTree, tid: number) {
  const task = tree.lifeOf(tid);
  return {
    tid,
    creator: tree.creatorOf(tid),
    pid: tree.tree.pidOf(task) as number,
    isThread: tree.tree.isThread(task),
    parent: tree.parentAt(tid, tree.startOf(tid)),
  };
}

test('every line is of use, or of a call that changes nothing here', () => {
  expect(status).toMatchObject({ state: 'ended', lost: 0 });
  expect(Object.keys(status.rejected)).toEqual(['not-a-lifecycle-call']);
});

test('[FO1] [FO2] [FO3] births, creators, parents and threads are those of the kernel', () => {
  expect(born()).toHaveLength(163);
  expect(born().map(({ tid }) => lifeIn(imported, tid))).toEqual(born().map(({ tid }) => lifeIn(kernel, tid)));
});

test('[ID1] nobody else is in the tree, and everybody once', () => {
  const tids = [...imported.lives].flatMap(([tid, lives]) => lives.map(() => tid)).toSorted((a, b) => a - b);
  expect(tids.filter((tid) => tid !== 1)).toEqual(truth.map(({ tid }) => tid));
});

test('[EX1] [EX3] every process has run the programs that the kernel tells, one after the other', () => {
  const programs = (tree: CoreTree, tid: number) => {
    const task = tree.lifeOf(tid);
    const names: (string | undefined)[] = [];
    for (let at = tree.exitOf(tid), since = tree.tree.sinceAt(task, 'executable', at); since !== undefined; ) {
      names.unshift(tree.readAt(tid, 'executable', since));
      at = (since - 1) as typeof at;
      const before = tree.tree.sinceAt(task, 'executable', at);
      since = before === since ? undefined : before;
    }
    return names;
  };
  const processes = truth.filter(({ process, tid }) => process.tid === tid);
  expect(processes.flatMap(({ tid }) => programs(imported, tid))).toHaveLength(138);
  expect(processes.map(({ tid }) => [tid, programs(imported, tid)])).toEqual(
    processes.map(({ tid }) => [tid, programs(kernel, tid)]),
  );
});

test('[EX1] every exec that succeeded gave its arguments', () => {
  const execs = strace.calls.filter(({ name, result }) => name.startsWith('exec') && result === 0);
  const told = execs.map(({ tid, during }) => {
    const process = imported.tree.leaderOf(imported.lifeOf(tid));
    const isNextAtOnce = execs.some((exec) => exec.tid === tid && exec.during.from === during.to);
    return imported.tree.valueAt(process, 'argv', isNextAtOnce ? justBefore(during.to) : during.to);
  });
  expect(told).toHaveLength(138);
  expect(told.map((argv) => JSON.stringify(argv))).toEqual(execs.map(({ args }) => argvText(args)));
});

/** Strings as in JSON, but for octal escapes, and for the dots behind one that was cut. */
function argvText(args: string): string {
  const list = /\[(?:"(?:[^"\\]|\\.)*"(?:\.\.\.)?(?:, )?)*\]/.exec(args)?.[0] ?? '';
  const bytes = list
    .replace(/"\.\.\.(?=[,\]])/g, '..."')
    .replace(/\\([0-7]{1,3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return JSON.stringify(JSON.parse(Buffer.from(bytes, 'latin1').toString()));
}

test('[EN1] [EN3] [EN5] every end that strace tells has its code or its signal', () => {
  const signals = { SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 } as Readonly<Record<string, number>>;
  const ends = strace.ends.map(({ tid, code, signal }) => ({ tid, code, signal: signal && signals[signal] }));
  expect(ends).toHaveLength(163);
  const inTree = ends.map(({ tid }) => {
    const task = imported.lifeOf(tid);
    return { tid, code: imported.tree.exitCodeOf(task), signal: imported.tree.exitSignalOf(task) };
  });
  expect(inTree).toEqual(ends);
  expect(inTree.filter(({ code }) => code !== 0).length).toBeGreaterThan(10);
});

test('[CR1] who became somebody else', () => {
  const task = imported.lifeOf(14701);
  const at = imported.exitOf(14701);
  expect([imported.tree.numberAt(task, 'uid', at), imported.tree.numberAt(task, 'gid', at)]).toEqual([1000, 1000]);
});

test('[NA1] names at the end are those of the kernel, but of a program that has no file', () => {
  const nameless = strace.calls.filter(({ name }) => name === 'execveat').map(({ tid }) => tid);
  const named = born().filter(({ tid }) => !nameless.includes(tid));
  const names = (tree: CoreTree) => named.map(({ tid }) => [tid, tree.readAt(tid, 'comm', tree.exitOf(tid))]);
  expect(names(imported)).toEqual(names(kernel));
});

test('births are told by events, none is concluded', () => {
  const authorities = born().map(({ tid }) => imported.tree.authorityOf(imported.lifeOf(tid)));
  expect(authorities.every((authority) => authority === AUTHORITY.event)).toBe(true);
});
