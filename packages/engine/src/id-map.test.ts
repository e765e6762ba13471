import type { TaskId } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdMap } from './id-map.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

test('agrees with a Map whatever is added and deleted, also where ids collide', () => {
  // Ids that are equal modulo every table size on the way share their bucket.
  const id = fc.oneof(
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 40 }).map((n) => n * 4096),
    fc.integer({ min: 1, max: 2 ** 45 }),
  );
  fc.assert(
    fc.property(fc.array(fc.record({ id, isAdd: fc.boolean() }), { maxLength: 300 }), fc.nat(3000), (steps, filler) => {
      const ids: number[] = [];
      const [map, model] = [new IdMap((task) => ids[task] as TaskId), new Map<number, number>()];
      const add = (one: number): void => {
        if (model.has(one)) return;
        model.set(one, ids.length);
        map.add(one as TaskId, (ids.push(one) - 1) as TaskIndex);
      };
      for (let n = 0; n < filler; n++) add(2 ** 46 + n);
      for (const { id, isAdd } of steps) {
        if (isAdd) add(id);
        else {
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
