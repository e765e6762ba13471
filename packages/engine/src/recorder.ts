// The one way in which facts come about: merged into the tree, and, if that
// changed anything, written to the batch that is being collected.

import {
  AUTHORITY,
  type Authority,
  BatchWriter,
  type EntityId,
  type EventNs,
  FIELDS,
  type FieldName,
  type FileInfo,
  fieldType,
  isTextField,
  NO_TASK_ID,
  type TaskId,
  type Tid,
  toWireText,
  type Version,
} from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { NO_TEXT } from './string-table.ts';
import { NOT_KNOWN } from './task-table.ts';
import type { TemporalTree } from './temporal-tree.ts';
import { TextCache } from './text-cache.ts';

/** Stubs at most [BO4]: some hundred bytes each. */
export const MAX_STUBS = 4096;

/** Facts committed together: they lead from one version of the tree to the next. */
export interface Batch {
  readonly from: Version;
  readonly to: Version;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export class Recorder {
  /** Where they are merged. */
  readonly tree: TemporalTree;
  readonly #writer = new BatchWriter();
  readonly #texts: TextCache;
  #version = 0;

  constructor(tree: TemporalTree) {
    this.tree = tree;
    this.#texts = new TextCache((wire) => tree.intern(wire));
  }

  /** Committed batches so far. */
  get version(): Version {
    return this.#version as Version;
  }

  /** Facts that the next batch will hold. */
  get pending(): number {
    return this.#writer.count;
  }

  task(
    task: TaskIndex,
    tid: number,
    leader: TaskIndex,
    creator: TaskIndex,
    start: EventNs,
    entityId: EntityId,
    flags: number,
    authority: Authority,
  ): void {
    const pid = leader === task ? tid : this.tree.tidOf(leader);
    this.taskOf(task, tid as Tid, pid as Tid, leader, creator, start, entityId, flags, authority);
  }

  /** As `task`, where the pid is said: the leader need not be known yet. */
  taskOf(
    task: TaskIndex,
    tid: Tid,
    pid: Tid,
    leader: TaskIndex,
    creator: TaskIndex,
    start: EventNs,
    entityId: EntityId,
    flags: number,
    authority: Authority,
  ): void {
    if (!this.tree.mergeTask(task, tid, pid, leader, creator, start, entityId, flags, authority)) return;
    const id = this.tree.taskIdOf(task);
    this.#writer.task(id, tid, pid, this.#idOf(leader), this.#idOf(creator), start, entityId, flags, authority);
  }

  /** @param text undefined says that from then on it is not known */
  text(task: TaskIndex, field: FieldName, since: EventNs, authority: Authority, text: string | undefined): void {
    const value = text === undefined ? NO_TEXT : this.tree.intern(toWireText('string', text));
    this.#setText(task, FIELDS[field].id, since, authority, value);
  }

  /** As `text`. */
  file(task: TaskIndex, field: FieldName, since: EventNs, authority: Authority, file: FileInfo | undefined): void {
    this.#setText(task, FIELDS[field].id, since, authority, file === undefined ? NO_TEXT : this.#texts.file(file));
  }

  /** As `text`. */
  list(
    task: TaskIndex,
    field: FieldName,
    since: EventNs,
    authority: Authority,
    list: readonly string[] | undefined,
  ): void {
    const value = list === undefined ? NO_TEXT : this.tree.intern(toWireText('strings', list));
    this.#setText(task, FIELDS[field].id, since, authority, value);
  }

  /**
   * The program that an exec starts: file, arguments (undefined: not known) and, if it is told, name. How much the first
   * two are worth is said apart.
   */
  program(
    task: TaskIndex,
    since: EventNs,
    file: FileInfo,
    fileAuthority: Authority,
    argv: readonly string[] | undefined,
    argvAuthority: Authority,
    comm: string | undefined,
    commAuthority: Authority,
  ): void {
    const program = this.#texts.program(file, argv, comm);
    if (comm !== undefined) this.#setText(task, FIELDS.comm.id, since, commAuthority, program.commText);
    this.#setText(task, FIELDS.executable.id, since, fileAuthority, program.fileText);
    this.#setText(task, FIELDS.argv.id, since, argvAuthority, program.argvText);
  }

  number(task: TaskIndex, field: FieldName, since: EventNs, authority: Authority, value: number): void {
    const { id } = FIELDS[field];
    if (!this.tree.mergeValue(task, id, since, authority, value)) return;
    this.#writer.set(this.tree.taskIdOf(task), id, since, authority, value);
  }

  /** A sighting. It is left out where the task itself says so already: what others say of it can turn out otherwise. */
  seen(
    task: TaskIndex,
    field: Exclude<FieldName, 'parent'>,
    at: EventNs,
    value: FileInfo | readonly string[] | string | number,
  ): void {
    const { id } = FIELDS[field];
    const raw = typeof value === 'number' ? value : this.#indexOf(value);
    if (!this.tree.says(task, id, at, raw)) this.value(task, id, at, AUTHORITY.sighting, raw);
  }

  #indexOf(value: FileInfo | readonly string[] | string): number {
    if (typeof value === 'string') return this.tree.intern(toWireText('string', value));
    return 'path' in value ? this.#texts.file(value) : this.tree.intern(toWireText('strings', value));
  }

  parent(task: TaskIndex, parent: TaskIndex, since: EventNs, authority: Authority): void {
    if (!this.tree.mergeParent(task, parent, since, authority)) return;
    const value = parent === NO_TASK ? Number.NaN : this.tree.taskIdOf(parent);
    this.#writer.set(this.tree.taskIdOf(task), FIELDS.parent.id, since, authority, value);
  }

  exit(task: TaskIndex, at: EventNs, authority: Authority, code = NOT_KNOWN, signal = NOT_KNOWN): void {
    if (!this.tree.mergeExit(task, at, authority, code, signal)) return;
    this.#writer.exit(this.tree.taskIdOf(task), at, authority, code, signal);
  }

  gap(from: EventNs, to: EventNs, lost: number): void {
    if (this.tree.mergeGap(from, to, lost)) this.#writer.gap(from, to, lost);
  }

  evict(task: TaskIndex): void {
    const tree = this.tree;
    const isCut = tree.stubCount >= MAX_STUBS && tree.isReferenced(task) && !tree.isThread(task);
    if (isCut) {
      const start = tree.startOf(task);
      const values: [field: number, value: number][] = [];
      tree.forEachInherited(task, (field, value) => values.push([field, value]));
      for (const [field, value] of values) this.value(task, field, start, AUTHORITY.sighting, value);
    }
    this.#writer.evict(tree.taskIdOf(task), isCut);
    tree.evictTask(task, isCut);
  }

  /** Of any field, with a value as the tree holds it. */
  value(task: TaskIndex, field: number, since: EventNs, authority: Authority, value: number): void {
    if (isTextField(fieldType(field))) this.#setText(task, field, since, authority, value);
    else if (this.tree.mergeValue(task, field, since, authority, value))
      this.#writer.set(this.tree.taskIdOf(task), field, since, authority, value);
  }

  /** Closes the batch. Undefined, and no new version, when nothing changed. */
  commit(): Batch | undefined {
    if (this.#writer.count === 0) return undefined;
    const from = this.version;
    this.#version++;
    if (this.tree.forgetUnusedTexts()) this.#texts.clear();
    return { from, to: this.version, bytes: this.#writer.finish() };
  }

  #setText(task: TaskIndex, field: number, since: EventNs, authority: Authority, index: number): void {
    if (!this.tree.mergeValue(task, field, since, authority, index)) return;
    const text = index === NO_TEXT ? 0 : this.#writer.numberedText(index, this.tree.textOf(index));
    this.#writer.set(this.tree.taskIdOf(task), field, since, authority, text);
  }

  #idOf(task: TaskIndex): TaskId {
    return task === NO_TASK ? NO_TASK_ID : this.tree.taskIdOf(task);
  }
}
