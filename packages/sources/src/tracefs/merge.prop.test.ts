import type { EventNs, TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventMerge, timeOf } from './merge.ts';

function rename(at: number, tid: number): TaskEvent {
  return { type: 'rename', at: at as EventNs, tid, comm: '' };
}

test('events of several CPUs that are read in any portions come out in order, none too early, none lost', () => {
  const streams = fc.array(fc.array(fc.nat(100), { maxLength: 30 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(streams, fc.infiniteStream(fc.nat(5)), (times, portions) => {
      const out: TaskEvent[] = [];
      const merge = new EventMerge((event) => out.push(event));
      const cpus = times.map((cpuTimes, cpu) => cpuTimes.toSorted((a, b) => a - b).map((at) => rename(at, cpu)));
      const all = cpus.flat();
      const unread = cpus.map((events) => events.slice());
      while (unread.some((events) => events.length > 0)) {
        for (const events of unread) {
          for (const event of events.splice(0, portions.next().value)) merge.push(event);
        }
        const until = Math.min(
          ...unread.map((events) => (events[0] ? timeOf(events[0]) - 1 : Number.POSITIVE_INFINITY)),
        );
        merge.release(until);
        expect(merge.held).toBe(all.filter((event) => !out.includes(event) && !unread.flat().includes(event)).length);
        for (const event of out) expect(timeOf(event)).toBeLessThanOrEqual(until);
      }
      merge.flush();
      expect(out).toHaveLength(all.length);
      expect(new Set(out)).toEqual(new Set(all));
      expect(out.map(timeOf)).toEqual(all.map(timeOf).sort((a, b) => a - b));
    }),
    { numRuns: 200 },
  );
});

test('events of one time keep the order in which they came', () => {
  const out: TaskEvent[] = [];
  const merge = new EventMerge((event) => out.push(event));
  const events = [rename(5, 1), rename(5, 2), rename(5, 3)];
  for (const event of events) merge.push(event);
  merge.release(5);

  expect(out).toEqual(events);
});

test('an event that comes too late is passed on at the next release, before all later ones', () => {
  const out: TaskEvent[] = [];
  const merge = new EventMerge((event) => out.push(event));
  merge.push(rename(10, 1));
  merge.release(10);
  merge.push(rename(11, 3));
  merge.push(rename(4, 2));
  merge.release(20);

  expect(out.map(timeOf)).toEqual([10, 4, 11]);
});

test('a gap is told where it ends, after what was seen inside it', () => {
  const out: TaskEvent[] = [];
  const merge = new EventMerge((event) => out.push(event));
  merge.push({ type: 'gap', from: 1 as EventNs, to: 6 as EventNs, lost: 3 });
  merge.push(rename(6, 1));
  merge.push(rename(3, 2));
  merge.flush();

  expect(out.map((event) => event.type)).toEqual(['rename', 'gap', 'rename']);
});
