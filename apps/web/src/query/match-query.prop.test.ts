// The matcher against the plainest reading of the same query: one task at a
// time, every field asked of the tree anew, ancestors walked.

import { NO_TASK, orderTree, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { type EventNs, type FileInfo, TASK_FLAG } from '@dendro/protocol';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import type { Pattern, Query, Test } from './ast.ts';
import { Columns } from './columns.ts';
import { matchQuery } from './match-query.ts';
import { parseQuery } from './parse-query.ts';
import { loadRegexEngine } from './regex.ts';

beforeAll(loadRegexEngine);

const base = { epochNs: 1_700_000_000_000_000_000n };
const users = { 0: 'root', 1000: 'deploy', 1001: 'Root' };
const SECOND = 1e9;
const AT = 100 * SECOND;

const word = fc.constantFrom('sh', 'sshd', 'Worker', 'a b', '4', '', '$x');
const sketch = (id: number): fc.Arbitrary<TaskSketch> =>
  fc
    .record({
      parent: fc.integer({ min: 1, max: Math.max(1, id - 1) }),
      isThread: fc.boolean(),
      isKernel: fc.integer({ max: 9, min: 0 }).map((n) => n === 0),
      start: fc.integer({ min: 0, max: 120 }),
      lives: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined }),
      code: fc.option(fc.constantFrom(0, 1, 137), { nil: undefined }),
      signal: fc.option(fc.constantFrom(0, 9, 11), { nil: undefined }),
      comm: fc.option(word, { nil: undefined }),
      argv: fc.option(fc.array(word, { maxLength: 3 }), { nil: undefined }),
      path: fc.option(fc.constantFrom('/bin/sh', '/usr/sbin/sshd'), { nil: undefined }),
      uid: fc.option(fc.constantFrom(0, 1000, 1001, 4), { nil: undefined }),
      euid: fc.option(fc.constantFrom(0, 1000), { nil: undefined }),
      container: fc.option(fc.constantFrom('4f1c', 'beef4'), { nil: undefined }),
    })
    .map(({ parent, isThread, isKernel, start, lives, code, signal, comm, argv, path, uid, euid, container }) => ({
      id,
      ...(id > 1 ? { parent } : {}),
      ...(isThread && id > 1 ? { leader: parent } : {}),
      flags: isKernel ? TASK_FLAG.kernelThread : 0,
      start: start * SECOND,
      ...(lives === undefined
        ? {}
        : { exit: { at: (start + lives) * SECOND, ...(signal ? { signal } : code === undefined ? {} : { code }) } }),
      fields: Object.fromEntries(
        Object.entries({
          comm,
          argv,
          executable: path === undefined ? undefined : { path, inode: '4' },
          uid,
          euid,
          container,
        }).filter(([, value]) => value !== undefined),
      ),
    }));
const trees = fc
  .integer({ min: 1, max: 14 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => sketch(i + 1))))
  .map(treeOf);

const terms = fc.constantFrom(
  ...[
    'sh',
    '4',
    '"a b"',
    '/^s+h$/',
    'name:ssh',
    'name:=SH',
    'name:!=sh',
    'name:/^(sh|w.*)$/',
    'cmd:"a b"',
    'cmd:/b 4/',
  ],
  ...['exe:/bin', 'exe:=/bin/sh', 'exe:4', 'container:4', 'user:root', 'user:4', 'user:!=root', 'user:/oo/|deploy'],
  ...['euid:root', 'uid:>=1000', 'uid:!=0', 'pid:4', 'pid:2..5', 'ppid:1', 'ppid:>2|1', 'tid:3', 'state:running'],
  ...['state:exited', 'state:all', 'exit:0', 'exit:!=0', 'exit:137', 'exit:SIGKILL', 'exit:!=KILL', 'exit:1..200'],
  ...['age:<30s', 'age:10s..1m', 'born:>20s', 'started:>-30s', 'under:1', 'under:sh', 'above:4', 'above:/ssh/'],
);
const queries: fc.Arbitrary<string> = fc.letrec<{ query: string }>((tie) => ({
  query: fc.oneof(
    { depthSize: 'small' },
    terms,
    fc.tuple(tie('query'), tie('query')).map(([a, b]) => `(${a}) (${b})`),
    fc.tuple(tie('query'), tie('query')).map(([a, b]) => `(${a}) | (${b})`),
    tie('query').map((a) => `!(${a})`),
  ),
})).query;

test('rows are meant exactly where the plainest reading says so', () => {
  fc.assert(
    fc.property(trees, queries, (tree, text) => {
      const parsed = parseQuery(text);
      if (parsed.kind === 'problem' || parsed.query === undefined) throw new Error(`not a query: ${text}`);
      const order = orderTree(tree, {
        at: AT as EventNs,
        keepExitedNs: Number.POSITIVE_INFINITY,
        threads: () => true,
        kernelThreads: true,
      });
      const found = matchQuery(parsed.query, { columns: new Columns(tree, order), base, users });
      const { query } = parsed;
      const wanted = Array.from(order.tasks, (task) => Number(isMeant(query, new Plain(tree, task as TaskIndex))));
      expect([...found]).toEqual(wanted);
    }),
    { numRuns: 3000 },
  );
});

class Plain {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;

  constructor(tree: TemporalTree, task: TaskIndex) {
    this.tree = tree;
    this.task = task;
  }

  value(field: 'comm' | 'argv' | 'executable' | 'container' | 'uid' | 'euid') {
    return this.tree.valueAt(this.task, field, AT as EventNs);
  }

  get name(): string | undefined {
    return this.value('comm') as string | undefined;
  }

  get hasCommand(): boolean {
    return !this.tree.isThread(this.task) && !this.tree.isKernelThread(this.task);
  }

  get command(): string | undefined {
    return this.hasCommand ? (this.value('argv') as readonly string[] | undefined)?.join(' ') : undefined;
  }

  get path(): string | undefined {
    return this.hasCommand ? (this.value('executable') as FileInfo | undefined)?.path : undefined;
  }

  get exit(): number {
    return this.tree.exitOf(this.task);
  }

  get start(): number {
    return this.tree.startOf(this.task);
  }

  get parent(): TaskIndex {
    if (this.tree.isThread(this.task)) return this.tree.leaderOf(this.task);
    return this.tree.parentAt(this.task, Math.min(AT, this.exit) as EventNs);
  }

  get ppid(): number | undefined {
    const process = this.tree.isThread(this.task) ? new Plain(this.tree, this.tree.leaderOf(this.task)) : this;
    return process.parent === NO_TASK ? undefined : this.tree.pidOf(process.parent);
  }

  /** As they are shown. */
  get ancestors(): Plain[] {
    const above: Plain[] = [];
    for (let one: Plain = this; ; ) {
      const { parent } = one;
      if (parent === NO_TASK || !this.tree.isPresent(parent) || this.tree.startOf(parent) > AT) return above;
      if (this.tree.isThread(parent)) return above;
      one = new Plain(this.tree, parent);
      above.push(one);
    }
  }
}

function isMeant(query: Query, task: Plain): boolean {
  switch (query.kind) {
    case 'all':
      return query.items.every((item) => isMeant(item, task));
    case 'any':
      return query.items.some((item) => isMeant(item, task));
    case 'not':
      return !isMeant(query.item, task);
    case 'text': {
      const isId = query.pattern.kind === 'words' && query.pattern.text === String(task.tree.tidOf(task.task));
      return isId || [task.name, task.command, task.path].some((text) => isIn(query.pattern, text));
    }
    case 'field':
      return query.tests.some((one) => isTrue(query.field, one, task));
  }
}

function isIn(pattern: Pattern, text: string | undefined): boolean {
  if (text === undefined) return false;
  if (pattern.kind === 'regex') return new RegExp(pattern.source, 'i').test(text);
  return plain(text).includes(plain(pattern.text));
}

const plain = (text: string) => text.toLowerCase().replace(/\s+/g, ' ');

function isText(one: Test, text: string | undefined): boolean {
  if (one.kind !== 'text' || text === undefined) return false;
  if (one.op === ':' || one.pattern.kind === 'regex') return isIn(one.pattern, text) !== (one.op === '!=');
  return (plain(text) === plain(one.pattern.text)) === (one.op === '=');
}

function isTrue(field: Extract<Query, { kind: 'field' }>['field'], one: Test, task: Plain): boolean {
  const { tree } = task;
  switch (field) {
    case 'name':
      return isText(one, task.name);
    case 'cmd':
      return isText(one, task.command);
    case 'exe':
      return isText(one, task.path);
    case 'container':
      return isText(one, task.value('container') as string | undefined);
    case 'user':
      return isUser(one, task.value('uid') as number | undefined);
    case 'euid':
      return isUser(one, task.value('euid') as number | undefined);
    case 'uid':
      return isNumber(one, task.value('uid') as number | undefined);
    case 'pid':
      return isNumber(one, tree.pidOf(task.task));
    case 'tid':
      return isNumber(one, tree.tidOf(task.task));
    case 'ppid':
      return isNumber(one, task.ppid);
    case 'state':
      return one.kind === 'state' && (one.state === 'all' || (one.state === 'running') === task.exit > AT);
    case 'exit': {
      if (task.exit > AT) return false;
      const signal = tree.exitSignalOf(task.task);
      const code = tree.exitCodeOf(task.task);
      if (one.kind === 'compare' && one.value.kind === 'signal') {
        if (!signal && code === undefined) return false;
        return (signal === one.value.signal) === (one.op === '=');
      }
      return isNumber(one, signal ? 128 + signal : code);
    }
    case 'age':
      return isNumber(one, Math.min(AT, task.exit) - task.start);
    case 'born':
      return isNumber(one, AT - task.start);
    case 'started':
      return isNumber(one, task.start);
    case 'under':
      return task.ancestors.some((above) => isTarget(one, above));
    case 'above': {
      for (let slot = 0; slot < tree.slotCount; slot++) {
        const below = new Plain(tree, slot as TaskIndex);
        if (!tree.isPresent(below.task) || below.start > AT || !isTarget(one, below)) continue;
        if (below.ancestors.some((above) => above.task === task.task)) return true;
      }
      return false;
    }
  }
}

function isTarget(one: Test, task: Plain): boolean {
  return one.kind === 'text' ? isText(one, task.name) : isNumber(one, task.tree.tidOf(task.task));
}

function isUser(one: Test, uid: number | undefined): boolean {
  if (one.kind !== 'text' || uid === undefined) return false;
  const name = (users as Record<number, string>)[uid] ?? '';
  const { pattern } = one;
  const isOne = pattern.kind === 'regex' ? isIn(pattern, name) : [name, String(uid)].includes(pattern.text);
  return isOne === (one.op !== '!=');
}

function isNumber(one: Test, value: number | undefined): boolean {
  if (value === undefined) return false;
  if (one.kind === 'range') return value >= numberIn(one.from, -1e30) && value <= numberIn(one.to, 1e30);
  if (one.kind !== 'compare') return false;
  const to = numberIn(one.value, 0);
  const isSo = { '=': value === to, '!=': value !== to, '<': value < to, '<=': value <= to, '>': value > to };
  return one.op === '>=' ? value >= to : isSo[one.op];
}

function numberIn(scalar: Extract<Test, { kind: 'range' }>['from'], otherwise: number): number {
  if (scalar?.kind === 'number') return scalar.value;
  if (scalar?.kind === 'duration') return scalar.ns;
  if (scalar?.kind === 'time') return AT - Number(scalar.written.slice(1, -1)) * SECOND;
  return otherwise;
}
