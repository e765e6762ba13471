// Generators of facts and events for property tests.

import {
  AUTHORITY,
  type Authority,
  type BatchWriter,
  type EntityId,
  type EventNs,
  FIELDS,
  type FieldName,
  TASK_FLAG,
  type TaskId,
  type Tid,
} from '@dendro/protocol';
import fc from 'fast-check';

/** Writes one fact into a batch. */
export type WriteFact = (out: BatchWriter) => void;

const authority = fc.constantFrom<Authority>(AUTHORITY.inferred, AUTHORITY.sighting, AUTHORITY.event);
const time = fc.integer({ min: 0, max: 12 }).map((ns) => ns as EventNs);
const id = (max: number) => fc.integer({ min: 1, max }).map((n) => n as TaskId);
const flags = fc.constantFrom(
  0,
  TASK_FLAG.thread,
  TASK_FLAG.placeholder,
  TASK_FLAG.startIsTick,
  TASK_FLAG.kernelThread,
  TASK_FLAG.sibling,
);
const fieldNames = Object.keys(FIELDS) as FieldName[];

/** Facts about few tasks at few times, so that they meet: many say different things about the same. */
export function arbitraryFacts(tasks = 5): fc.Arbitrary<WriteFact[]> {
  const task = id(tasks);
  const taskFact = fc
    .record({ task, leader: task, creator: fc.oneof(task, fc.constant(0 as TaskId)), time, flags, authority })
    .map(({ task, leader, creator, time, flags, authority }): WriteFact => {
      const isThread = leader !== task;
      const own = isThread ? flags | TASK_FLAG.thread : flags & ~TASK_FLAG.thread;
      return (out) =>
        out.task(
          task,
          task as number as Tid,
          leader as number as Tid,
          leader,
          creator,
          time,
          0 as EntityId,
          own,
          authority,
        );
    });
  const setFact = fc
    .record({ task, field: fc.constantFrom(...fieldNames), time, authority, value: fc.integer({ min: 0, max: 3 }) })
    .map(({ task, field, time, authority, value }): WriteFact => {
      const { id, type } = FIELDS[field];
      if (type === 'number') return (out) => out.set(task, id, time, authority, value === 0 ? Number.NaN : value);
      if (type === 'task') return (out) => out.set(task, id, time, authority, value === 0 ? Number.NaN : value);
      return (out) => out.set(task, id, time, authority, value === 0 ? 0 : out.text(`text ${value}`));
    });
  const exitFact = fc
    .record({ task, time, authority, code: fc.integer({ min: -1, max: 2 }), signal: fc.integer({ min: -1, max: 2 }) })
    .map(
      ({ task, time, authority, code, signal }): WriteFact =>
        (out) =>
          out.exit(task, time, authority, code, signal),
    );
  const gapFact = fc.record({ from: time, to: time, lost: fc.integer({ min: 0, max: 3 }) }).map(
    ({ from, to, lost }): WriteFact =>
      (out) =>
        out.gap(from, to, lost),
  );
  const fact = fc.oneof(
    { weight: 3, arbitrary: taskFact },
    { weight: 6, arbitrary: setFact },
    { weight: 2, arbitrary: exitFact },
    { weight: 1, arbitrary: gapFact },
  );
  return fc.array(fact, { maxLength: 60 });
}
