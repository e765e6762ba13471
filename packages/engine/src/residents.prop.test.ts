import type { EventNs } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { Residents } from './residents.ts';
import { Rows } from './rows.ts';
import { TASK_ROW } from './task-row.ts';

/** The rule in its plainest form: a list, the one touched last at its end. */
class SlowResidents {
  readonly #limit: number;
  #list: { readonly task: number; readonly hasEnded: boolean }[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#list.length;
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

  excess(): number {
    if (this.#list.length <= this.#limit) return NO_TASK;
    const gone = this.#list.find((one) => one.hasEnded) ?? this.#list[0];
    return this.#take(gone?.task ?? -1)?.task ?? NO_TASK;
  }

  #take(task: number) {
    const known = this.#list.find((one) => one.task === task);
    this.#list = this.#list.filter((one) => one !== known);
    return known;
  }
}

const FIRST_THREAD = 30; // tasks from here on are threads

test('[BO1] whatever is touched, ends and is forgotten, the same ones go as by the plain rule', () => {
  const step = fc.record({
    what: fc.constantFrom('touch' as const, 'touch' as const, 'end' as const, 'forget' as const),
    task: fc.nat(2 * FIRST_THREAD - 1),
  });
  const limits = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), limits, (steps, [maxProcesses, maxThreads]) => {
      const rows = new Rows(TASK_ROW.integers);
      rows.reserve(2 * FIRST_THREAD);
      const fast = new Residents(maxProcesses, maxThreads, rows);
      const slow = { processes: new SlowResidents(maxProcesses), threads: new SlowResidents(maxThreads) };
      for (const [now, { what, task }] of steps.entries()) {
        const isThread = task >= FIRST_THREAD;
        const index = task as TaskIndex;
        if (what === 'touch') fast.touch(index, isThread, now as EventNs);
        else if (what === 'forget') fast.forget(index);
        else {
          fast.touch(index, isThread, now as EventNs); // an end is an event
          fast.end(index, isThread);
        }
        (isThread ? slow.threads : slow.processes)[what](task);
        for (let gone = slow.threads.excess(); gone !== NO_TASK; gone = slow.threads.excess()) {
          expect(fast.excessThread()).toBe(gone);
        }
        for (let gone = slow.processes.excess(); gone !== NO_TASK; gone = slow.processes.excess()) {
          expect(fast.excessProcess()).toBe(gone);
        }
        expect([fast.excessThread(), fast.excessProcess()]).toEqual([NO_TASK, NO_TASK]);
        expect([fast.processes, fast.threads]).toEqual([slow.processes.size, slow.threads.size]);
      }
    }),
    { numRuns: 1000 },
  );
});
