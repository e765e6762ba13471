// The baseline: a process tree as one would first write it, with lru-cache, Map,
// Set and objects, and arrays of values with times. Also the oracle of speed:
// whatever is claimed is a ratio to this, in one run.

import { LRUCache } from 'lru-cache';
import type { WorkloadEvent } from '../src/workload.ts';

interface Value<T> {
  readonly at: number;
  value: T;
}

interface File {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
  readonly mode: number;
}

interface Task {
  readonly id: number;
  tid: number;
  pid: number;
  ppid: number;
  start: number;
  exit: number;
  readonly names: Value<string>[];
}

interface Process {
  readonly id: number;
  parentId: number;
  readonly task: Task;
  readonly files: Value<File>[];
  readonly children: Set<number>;
  readonly threads: Set<number>;
}

export interface NaiveInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string | undefined;
  readonly file: File | undefined;
  readonly start: number;
  readonly exit: number;
  readonly threads: ReadonlyMap<number, number>;
  readonly children: ReadonlyMap<number, number>;
  readonly isAlive: boolean;
}

const MAX_VALUES = 5;

export class NaiveTree {
  readonly #processes: LRUCache<number, Process>;
  readonly #threads: LRUCache<number, Task>;

  constructor(maxProcesses: number, maxThreads: number) {
    this.#processes = new LRUCache({ max: maxProcesses });
    this.#threads = new LRUCache({ max: maxThreads });
  }

  get size(): number {
    return this.#processes.size;
  }

  apply(event: WorkloadEvent): void {
    switch (event.kind) {
      case 'fork':
      case 'thread':
        this.#fork(event);
        return;
      case 'exec':
        this.#exec(event);
        return;
      default:
        this.#thread(event.id).exit = event.at;
        if (event.kind === 'exit') this.#process(event.id).task.exit = event.at;
    }
  }

  processAt(id: number, at: number): NaiveInfo | undefined {
    const process = this.#processes.get(id);
    return process && this.#info(process, at);
  }

  lineageAt(id: number, at: number, depth: number): NaiveInfo[] {
    let process = this.#processes.get(id);
    if (process === undefined) return [];
    const lineage = [this.#info(process, at)];
    for (let i = 0; i < depth; i++) {
      const { start } = process.task;
      process = this.#processes.get(process.parentId);
      if (process === undefined) break;
      lineage.push(this.#info(process, start));
    }
    return lineage;
  }

  #fork(event: WorkloadEvent): void {
    const parent = this.#process(event.parentId);
    if (parent.task.pid !== event.parentPid) {
      parent.task.tid = parent.task.pid = event.parentPid;
      parent.task.start = event.parentStart;
    }
    parent.children.add(event.leaderId);
    const leader = this.#process(event.leaderId);
    if (leader.task.ppid !== event.parentPid) {
      leader.task.tid = leader.task.pid = event.pid;
      leader.task.ppid = event.parentPid;
      leader.task.start = event.leaderStart;
      const name = parent.task.names.at(-1);
      if (name !== undefined) put(leader.task.names, event.at, name.value);
    }
    leader.parentId = event.parentId;
    if (event.kind === 'fork') {
      const file = parent.files.at(-1);
      if (file !== undefined) put(leader.files, event.at, file.value);
    }
    const thread = this.#thread(event.id);
    if (thread.ppid !== event.parentPid) {
      thread.tid = event.tid;
      thread.pid = event.pid;
      thread.ppid = event.parentPid;
      thread.start = event.start;
      const name = leader.task.names.at(-1);
      if (name !== undefined) put(thread.names, event.at, name.value);
    }
    leader.threads.add(event.id);
  }

  #exec(event: WorkloadEvent): void {
    const process = this.#process(event.id);
    put(process.task.names, event.at, event.path.slice(event.path.lastIndexOf('/') + 1));
    put(process.files, event.at, { path: event.path, device: 2049, inode: event.inode, mode: 0o100755 });
  }

  #process(id: number): Process {
    let process = this.#processes.get(id);
    if (process === undefined) {
      process = { id, parentId: 0, task: this.#thread(id), files: [], children: new Set(), threads: new Set([id]) };
      this.#processes.set(id, process);
    }
    return process;
  }

  #thread(id: number): Task {
    let task = this.#threads.get(id) ?? this.#processes.get(id)?.task;
    if (task === undefined) {
      task = { id, tid: 0, pid: 0, ppid: 0, start: 0, exit: 0, names: [] };
      this.#threads.set(id, task);
    }
    return task;
  }

  #info(process: Process, at: number): NaiveInfo {
    const { task } = process;
    const children = new Map<number, number>();
    for (const id of process.children) {
      const child = this.#processes.get(id);
      if (child !== undefined && isAlive(child.task, at)) children.set(child.task.pid, id);
    }
    const threads = new Map<number, number>();
    for (const id of process.threads) {
      const thread = this.#threads.get(id);
      if (thread !== undefined && isAlive(thread, at)) threads.set(thread.tid, id);
    }
    return {
      pid: task.pid,
      ppid: task.ppid,
      name: valueAt(task.names, at),
      file: valueAt(process.files, at),
      start: task.start,
      exit: task.exit,
      threads,
      children,
      isAlive: isAlive(task, at),
    };
  }
}

function isAlive(task: Task, at: number): boolean {
  return task.start <= at && (task.exit === 0 || at <= task.exit);
}

function put<T>(values: Value<T>[], at: number, value: T): void {
  let i = values.length;
  while (i > 0 && (values[i - 1]?.at ?? 0) > at) i--;
  const before = values[i - 1];
  if (before?.at === at) {
    before.value = value;
    return;
  }
  values.splice(i, 0, { at, value });
  if (values.length > MAX_VALUES) values.shift();
}

function valueAt<T>(values: readonly Value<T>[], at: number): T | undefined {
  return values.findLast((value) => value.at <= at)?.value;
}
