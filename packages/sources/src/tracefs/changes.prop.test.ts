import type { EventNs } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChangeReading } from './change-reader.ts';
import { Changes } from './changes.ts';

const MS = 1e6;
/** Records are taken so much later than they were made. */
const DELAY = 25 * MS;
/** What is read is what the process is like so much later at most. */
const READING = 8 * MS;

test('whatever is told of a process that changes again and again is what it changed to then', () => {
  const steps = fc.array(fc.record({ pauseMs: fc.nat(60), isRead: fc.boolean(), readingMs: fc.nat(READING / MS) }), {
    minLength: 10,
    maxLength: 60,
  });
  let told = 0;
  fc.assert(
    fc.property(steps, (taken) => {
      let now = 0;
      const moves: EventNs[] = [];
      const readings: { reading: ChangeReading; arrives: number }[] = [];
      const valueAt = (time: number) => String(moves.filter((at) => at <= time).length);
      for (const { pauseMs, isRead, readingMs } of taken) {
        now += pauseMs * MS + 1;
        if (!isRead) moves.push(now as EventNs);
        else readings.push({ reading: { at: now as EventNs, start: 0 as EventNs }, arrives: now + readingMs * MS });
      }

      let newest: ChangeReading | undefined;
      const changes = new Changes({
        sink: (event) => {
          if (event.type !== 'container') throw new Error(`${event.type} was told`);
          expect(event.container).toBe(valueAt(event.at));
          told++;
        },
        reader: { noteChanged: () => {}, lastReadingOf: () => newest },
        lost: () => 0,
      });
      const unnoted = moves.slice();
      for (let time = 0; time < now + 200 * MS; time += 5 * MS) {
        const isThere = readings.filter(({ arrives }) => arrives <= time);
        const last = isThere.at(-1);
        newest = last && { ...last.reading, container: valueAt(last.arrives) };
        while (unnoted[0] !== undefined && unnoted[0] <= time - DELAY)
          changes.note('container', 9, unnoted.shift() as EventNs);
        changes.settle((time - DELAY) as EventNs);
      }
    }),
    { numRuns: 500 },
  );
  expect(told).toBeGreaterThan(500);
});
