import { expect, test } from 'vitest';
import { BatchWriter, batchUntil, factsOf, movedBatch } from './batch-codec.ts';
import { AUTHORITY, FIELDS } from './facts.ts';
import type { EntityId, EventNs, TaskId, Tid } from './ids.ts';

test('a batch for another base says the same, of later times', () => {
  const writer = new BatchWriter();
  const [task, tid, ns] = [7 as TaskId, 70 as Tid, (n: number) => n as EventNs];
  writer.task(task, tid, tid, task, 3 as TaskId, ns(5), 9 as EntityId, 0, AUTHORITY.event);
  writer.set(task, FIELDS.comm.id, ns(6), AUTHORITY.event, writer.text('näme'));
  writer.set(task, FIELDS.cwd.id, ns(6), AUTHORITY.event, 0); // not known
  writer.set(task, FIELDS.uid.id, ns(7), AUTHORITY.sighting, 1000);
  writer.exit(task, ns(8), AUTHORITY.event, 3, -1);
  writer.gap(ns(1), ns(2), 4);
  writer.evict(task, true);
  const bytes = writer.finish();
  const wanted = factsOf(bytes).map((fact) => {
    switch (fact.type) {
      case 'task':
        return { ...fact, start: fact.start + 100 };
      case 'set':
        return { ...fact, since: fact.since + 100 };
      case 'exit':
        return { ...fact, at: fact.at + 100 };
      case 'gap':
        return { ...fact, from: fact.from + 100, to: fact.to + 100 };
      default:
        return fact;
    }
  });
  expect(factsOf(movedBatch(bytes, 100))).toEqual(wanted);
  expect(factsOf(movedBatch(movedBatch(bytes, 100), -100))).toEqual(factsOf(bytes));
});

test('of a batch until an instant there is what took effect by then, and no text of later', () => {
  const writer = new BatchWriter();
  const [task, other, ns] = [7 as TaskId, 8 as TaskId, (n: number) => n as EventNs];
  const add = (id: TaskId, start: number) =>
    writer.task(id, id as unknown as Tid, id as unknown as Tid, id, task, ns(start), 9 as EntityId, 0, AUTHORITY.event);
  add(task, 5);
  add(other, 11);
  writer.set(task, FIELDS.comm.id, ns(10), AUTHORITY.event, writer.text('then'));
  writer.set(task, FIELDS.comm.id, ns(11), AUTHORITY.event, writer.text('a secret of later'));
  writer.exit(task, ns(10), AUTHORITY.event, 3, -1);
  writer.exit(other, ns(12), AUTHORITY.event, 3, -1);
  writer.gap(ns(1), ns(20), 4);
  writer.gap(ns(11), ns(20), 4);
  const cut = batchUntil(writer.finish(), ns(10));
  expect(factsOf(cut)).toMatchObject([
    { type: 'task', task, start: 5 },
    { type: 'set', since: 10, value: 'then' },
    { type: 'exit', task, at: 10 },
    { type: 'gap', from: 1, to: 10 },
  ]);
  expect(Buffer.from(cut).includes('secret')).toBe(false);
});
