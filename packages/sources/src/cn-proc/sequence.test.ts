import type { EventNs } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SequenceCheck } from './sequence.ts';

const at = (ns: number) => ns as EventNs;

test('a CPU that counts on has lost nothing, and CPUs count apart', () => {
  const check = new SequenceCheck();
  expect(check.take(0, 5, at(1))).toBeUndefined();
  expect(check.take(1, 900, at(2))).toBeUndefined();
  expect(check.take(0, 6, at(3))).toBeUndefined();
  expect(check.take(1, 901, at(4))).toBeUndefined();
});

test('a jump is the number of messages lost since the last of that CPU', () => {
  const check = new SequenceCheck();
  check.take(0, 5, at(10));
  check.take(1, 5, at(20));
  expect(check.take(0, 9, at(30))).toEqual({ lost: 3, from: 10 });
  expect(check.take(0, 10, at(40))).toBeUndefined();
});

test('the count goes on at zero after 2^32', () => {
  const check = new SequenceCheck();
  check.take(0, 2 ** 32 - 1, at(1));
  expect(check.take(0, 0, at(2))).toBeUndefined();
  check.take(0, 2 ** 32 - 2, at(3)); // a repetition moves nothing
  expect(check.take(0, 3, at(4))).toEqual({ lost: 2, from: 2 });
});

test('whatever is lost between first and last of each CPU is counted to the last one', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.array(fc.tuple(fc.nat({ max: 3 }), fc.boolean())), (first, stream) => {
      const check = new SequenceCheck();
      const next = [first, first, first, first];
      const [seen, pending] = [new Set<number>(), [0, 0, 0, 0]];
      let expected = 0;
      let counted = 0;
      for (const [index, [cpu, isLost]] of stream.entries()) {
        const seq = next[cpu]!;
        next[cpu] = (seq + 1) % 2 ** 32;
        if (isLost) {
          if (seen.has(cpu)) pending[cpu]!++;
          continue;
        }
        seen.add(cpu);
        expected += pending[cpu]!;
        pending[cpu] = 0;
        counted += check.take(cpu, seq, at(index))?.lost ?? 0;
      }
      expect(counted).toBe(expected);
    }),
  );
});
