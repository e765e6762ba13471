import type { TaskId } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { TaskTable } from './task-table.ts';

test('finds what a Map finds whatever is made and freed, also where ids collide', () => {
  // Ids that are equal modulo every table size on the way share their bucket.
  const id = fc.oneof(
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 40 }).map((n) => n * 4096),
    fc.integer({ min: 1, max: 2 ** 45 }),
  );
  const steps = fc.array(fc.record({ id, isMade: fc.boolean() }), { maxLength: 300 });
  fc.assert(
    fc.property(steps, fc.nat(3000), fc.constantFrom(0, 2000), (steps, filler, expected) => {
      const [table, model] = [new TaskTable(expected), new Map<number, TaskIndex>()];
      const make = (one: number) => {
        const task = table.ensure(one as TaskId);
        if (!model.has(one)) expect([...model.values()]).not.toContain(task);
        model.set(one, model.get(one) ?? task);
        expect(table.taskIdOf(task)).toBe(one);
      };
      for (let n = 0; n < filler; n++) model.set(2 ** 46 + n, table.ensure((2 ** 46 + n) as TaskId));
      for (const { id, isMade } of steps) {
        const known = model.get(id);
        if (isMade) make(id);
        else if (known !== undefined) {
          table.freeSlot(known);
          model.delete(id);
        }
      }
      for (const key of new Set([...model.keys(), ...steps.map((one) => one.id)])) {
        expect(table.find(key as TaskId)).toBe(model.get(key) ?? NO_TASK);
      }
    }),
    { numRuns: 60 },
  );
});
