import type { EventNs, TaskEvent } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { ProgramCount } from './program-count.ts';

const at = 1 as EventNs;
const later = (ms: number) => (at + ms * 1_000_000) as EventNs;
const exec = (pid: number, argv?: string[]): TaskEvent => ({ type: 'exec', at, pid, argv });
const exit = (tid: number, ranMs = 30): TaskEvent => ({ type: 'exit', at: later(ranMs), tid });
const seen = (pid: number, argv?: string[]): TaskEvent => {
  return { type: 'observe', at, tid: pid, pid, ppid: 1, start: at, startIsTick: true, argv };
};

function counted(...events: TaskEvent[]): string[] {
  const count = new ProgramCount();
  for (const event of events) count.take(event);
  return [...count.notices()];
}

test('a program whose process is read while it runs is known, one that has ended is not', () => {
  expect(counted(exec(2), seen(2, ['a']), exec(3), exit(3), exec(4), seen(4, ['b']), exit(4))).toEqual([
    'Arguments known for 66 % of 3 programs; 1 exited before they could be read.',
  ]);
});

test('a program that another one follows unread is not known', () => {
  expect(counted(exec(2), exec(2), seen(2, ['b']))).toEqual([
    'Arguments known for 50 % of 2 programs; 1 exited before they could be read (of those that ran for so long: 0 % of 1 under 1 ms).',
  ]);
});

test('how many are known is told by how long they ran', () => {
  const ran = (pid: number, ms: number, isKnown: boolean) =>
    isKnown ? [exec(pid), seen(pid, ['x']), exit(pid, ms)] : [exec(pid), exit(pid, ms)];
  const programs = [
    ran(2, 0.2, false),
    ran(3, 0.9, true),
    ran(4, 1, true),
    ran(5, 4, false),
    ran(6, 4.9, true),
    ran(7, 20, true),
  ];
  expect(counted(...programs.flat())).toEqual([
    'Arguments known for 66 % of 6 programs; 2 exited before they could be read (of those that ran for so long: 50 % of 2 under 1 ms, 66 % of 3 under 5 ms).',
  ]);
});

test('what still runs, and what was seen without an exec, is not counted', () => {
  expect(counted(exec(2), seen(3, ['a']), exit(4), seen(2))).toEqual([]);
  expect(counted(exec(2, ['a']))).toEqual(['Arguments known for 100 % of 1 programs.']);
});

test('one of many thousands is no rounding: it is never 100 % then', () => {
  const many = Array.from({ length: 5000 }, (_, i) => [exec(i), seen(i, ['x'])]).flat();
  expect(counted(...many, exec(9999), exit(9999))[0]).toMatch(/^Arguments known for 99 % of 5001 programs; 1 exited/);
});
