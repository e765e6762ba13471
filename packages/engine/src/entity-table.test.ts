import type { EntityId } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EntitySlots, EntityTable } from './entity-table.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

/** Slots as a plain list: undefined where the task is not present. */
class PlainSlots implements EntitySlots {
  readonly ids: (number | undefined)[] = [];

  get slotCount(): number {
    return this.ids.length;
  }

  isPresent(task: TaskIndex): boolean {
    return this.ids[task] !== undefined;
  }

  entityIdOf(task: TaskIndex): EntityId {
    return (this.ids[task] ?? 0) as EntityId;
  }
}

test('[ID7] finds all tasks of an id whatever came, changed and went since it was last asked', () => {
  const step = fc.record({
    what: fc.constantFrom('set' as const, 'set' as const, 'evict' as const, 'ask' as const),
    slot: fc.nat(60),
    id: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(2048, 4096, 0xffff_ffff)),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(1500), (steps, filler) => {
      const slots = new PlainSlots();
      const table = new EntityTable(slots);
      const set = (slot: number, id: number) => {
        while (slots.ids.length < slot) slots.ids.push(undefined);
        slots.ids[slot] = id;
        table.noteChange(slot as TaskIndex);
      };
      for (let n = 0; n < filler; n++) set(n, 7 + n);
      for (const { what, slot, id } of steps) {
        if (what === 'set') set(slot, id);
        else if (what === 'evict' && slot < slots.ids.length) slots.ids[slot] = undefined;
        else {
          const found: number[] = [];
          for (let task = table.firstOf(id as EntityId); task !== NO_TASK; task = table.nextOf(task)) found.push(task);
          const expected = [...slots.ids.keys()].filter((one) => slots.ids[one] === id);
          expect(found.sort((a, b) => a - b)).toEqual(expected);
        }
      }
    }),
    { numRuns: 300 },
  );
});
