// A small tree from a list, for tests. Ids, tids and TaskIds are the same numbers.

import { TemporalTree } from '@dendro/engine';
import {
  AUTHORITY,
  type Authority,
  BatchWriter,
  type EntityId,
  type EventNs,
  FIELDS,
  type FieldName,
  type FieldValue,
  NO_TASK_ID,
  TASK_FLAG,
  type TaskId,
  type Tid,
  toWireText,
} from '@dendro/protocol';

export interface TaskSketch {
  readonly id: number;
  readonly parent?: number;
  /** Makes it a thread of that process. */
  readonly leader?: number;
  readonly start?: number;
  readonly flags?: number;
  readonly exit?: { readonly at: number; readonly code?: number; readonly signal?: number; readonly by?: Authority };
  readonly fields?: Partial<Readonly<Record<Exclude<FieldName, 'parent'>, FieldValue>>>;
}

/** @param evicted told of last */
export function batchOf(sketches: readonly TaskSketch[], evicted: readonly number[] = []): Uint8Array<ArrayBuffer> {
  const writer = new BatchWriter();
  for (const sketch of sketches) write(writer, sketch);
  for (const id of evicted) writer.evict(id as TaskId, false);
  return writer.finish();
}

export function treeOf(sketches: readonly TaskSketch[]): TemporalTree {
  const tree = new TemporalTree();
  tree.apply(batchOf(sketches));
  return tree;
}

function write(writer: BatchWriter, { id, parent, leader = id, start = 0, flags = 0, exit, fields }: TaskSketch): void {
  const task = id as TaskId;
  const since = start as EventNs;
  const by = AUTHORITY.event;
  const bits = flags | (leader === id ? 0 : TASK_FLAG.thread);
  const creator = (parent ?? NO_TASK_ID) as TaskId;
  writer.task(task, id as Tid, leader as Tid, leader as TaskId, creator, since, id as EntityId, bits, by);
  if (parent !== undefined) writer.set(task, FIELDS.parent.id, since, by, parent);
  for (const [field, value] of Object.entries(fields ?? {})) {
    const { id: fieldId, type } = FIELDS[field as FieldName];
    const wire = typeof value === 'number' ? value : writer.text(toWireText(type, value ?? ''));
    writer.set(task, fieldId, since, by, wire);
  }
  if (exit !== undefined)
    writer.exit(task, exit.at as EventNs, exit.by ?? AUTHORITY.event, exit.code ?? -1, exit.signal ?? -1);
}
