import type { TaskId } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdMap } from './id-map.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

test('agrees with a Map whatever is set and deleted, also where ids collide', () => {
  // Ids that are equal modulo every table size on the way share their home.
  const id = fc.oneof(
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 40 }).map((n) => n * 4096),
    fc.integer({ min: 1, max: 2 ** 45 }),
  );
  const step = fc.record({ id, isSet: fc.boolean(), task: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(3000), (steps, filler) => {
      const [map, model] = [new IdMap(), new Map<number, number>()];
      for (let n = 0; n < filler; n++) {
        map.set((2 ** 46 + n) as TaskId, n as TaskIndex);
        model.set(2 ** 46 + n, n);
      }
      for (const { id, isSet, task } of steps) {
        if (isSet) {
          map.set(id as TaskId, task as TaskIndex);
          model.set(id, task);
        } else {
          map.delete(id as TaskId);
          model.delete(id);
        }
      }
      expect(map.size).toBe(model.size);
      for (const key of new Set([...model.keys(), ...steps.map((one) => one.id)])) {
        expect(map.get(key as TaskId)).toBe(model.get(key) ?? NO_TASK);
      }
    }),
  );
});
