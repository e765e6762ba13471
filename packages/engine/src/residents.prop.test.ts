import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TaskIndex } from './ids.ts';
import { Residents } from './residents.ts';

/** The rule in its plainest form: a list, the one touched last at its end. */
class SlowResidents {
  readonly #limit: number;
  #list: { readonly task: number; readonly hasEnded: boolean }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  touch(task: number): void {
    const known = this.#take(task);
    this.#list.push(known ?? { task, hasEnded: false });
  }

  end(task: number): void {
    this.#take(task);
    this.#list.push({ task, hasEnded: true });
  }

  forget(task: number): void {
    this.#take(task);
  }

  excess(): number | undefined {
    if (this.#list.length <= this.#limit) return undefined;
    const gone = this.#list.find((one) => one.hasEnded) ?? this.#list[0];
    return this.#take(gone?.task ?? -1)?.task;
  }

  #take(task: number) {
    const known = this.#list.find((one) => one.task === task);
    this.#list = this.#list.filter((one) => one !== known);
    return known;
  }
}

test('[BO1] whatever is touched, ends and is forgotten, the same ones go as by the plain rule', () => {
  const step = fc.record({
    what: fc.constantFrom('touch' as const, 'touch' as const, 'end' as const, 'forget' as const),
    task: fc.nat(30),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (steps, limit) => {
      const [fast, slow] = [new Residents(limit), new SlowResidents(limit)];
      for (const { what, task } of steps) {
        fast[what](task as TaskIndex);
        slow[what](task);
        for (let gone = slow.excess(); gone !== undefined; gone = slow.excess()) expect(fast.excess()).toBe(gone);
        expect(fast.excess()).toBeUndefined();
        expect(fast.size).toBeLessThanOrEqual(limit);
      }
    }),
    { numRuns: 1000 },
  );
});
