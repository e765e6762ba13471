import type { EventNs, TaskEvent } from '@dendro/protocol';
import { beforeEach, expect, test } from 'vitest';
import type { ChangeReading } from './change-reader.ts';
import { Changes } from './changes.ts';

const ms = (time: number) => (time * 1e6) as EventNs;

let events: TaskEvent[] = [];
let asked: number[] = [];
let lost = 0;
let readings = new Map<number, ChangeReading>();
let changes: Changes;

beforeEach(() => {
  events = [];
  asked = [];
  lost = 0;
  readings = new Map();
  const reader = { noteChanged: (tid: number) => asked.push(tid), lastReadingOf: (pid: number) => readings.get(pid) };
  changes = new Changes({ sink: (event) => events.push(event), reader, lost: () => lost });
});

function read(pid: number, at: number, container: string | undefined, start = 0): void {
  readings.set(pid, { at: ms(at), start: ms(start), uid: 0, gid: 0, container });
}

const moved = (pid: number, at: number, container: string | undefined) => ({
  type: 'container',
  at: ms(at),
  tid: pid,
  pid,
  container,
});

test('what was read after a change holds since the change, and is told once', () => {
  changes.note('container', 20, ms(5));
  expect(asked).toEqual([20]);
  changes.settle(ms(50));
  expect(events).toEqual([]);
  read(20, 30, 'c1');
  changes.settle(ms(60));
  changes.settle(ms(80));
  expect(events).toEqual([moved(20, 5, 'c1')]);
  expect(changes.missed).toBe(0);
});

test('it is told when all records from before the reading have been taken: a later change would be the one that was seen', () => {
  changes.note('container', 20, ms(5));
  read(20, 30, 'c2');
  changes.settle(ms(35));
  expect(events).toEqual([]);
  changes.note('container', 20, ms(28));
  changes.settle(ms(60));
  expect(events).toEqual([moved(20, 28, 'c2')]);
});

test('a process can be moved out of every container', () => {
  changes.note('container', 20, ms(5));
  read(20, 30, undefined);
  changes.settle(ms(60));
  expect(events).toEqual([moved(20, 5, undefined)]);
});

test('user and group have times of their own', () => {
  changes.note('gid', 20, ms(5));
  changes.note('uid', 20, ms(6));
  readings.set(20, { at: ms(30), start: ms(0), uid: 7, gid: 8, container: 'c1' });
  changes.settle(ms(60));
  expect(events).toEqual([
    { type: 'credentials', at: ms(6), pid: 20, uid: 7 },
    { type: 'credentials', at: ms(5), pid: 20, gid: 8 },
  ]);
});

test('the effective user is not told when another program has begun, which may have brought its own', () => {
  for (const pid of [20, 21]) {
    for (const kind of ['uid', 'euid'] as const) changes.note(kind, pid, ms(5));
    readings.set(pid, { at: ms(30), start: ms(0), uid: 7, euid: 0 });
  }
  changes.takeExec(20);
  changes.settle(ms(60));
  expect(events).toEqual([
    { type: 'credentials', at: ms(5), pid: 20, uid: 7 },
    { type: 'credentials', at: ms(5), pid: 21, uid: 7 },
    { type: 'credentials', at: ms(5), pid: 21, euid: 0 },
  ]);
  changes.settle(ms(20_000));
  expect(changes.missed).toBe(0);
});

test('a reading from before the change, or of whoever has got the pid since, says nothing of it', () => {
  changes.note('container', 20, ms(5));
  changes.note('container', 21, ms(5));
  read(20, 4, 'c1');
  read(21, 30, 'c1', 10);
  changes.settle(ms(60));
  expect(events).toEqual([]);
  changes.settle(ms(20_000));
  expect(events).toEqual([]);
  expect(changes.missed).toBe(2);
});

test('when records were lost between change and reading, nobody knows which change was seen', () => {
  changes.note('container', 20, ms(5));
  lost++;
  read(20, 30, 'c1');
  changes.settle(ms(60));
  expect(events).toEqual([]);
  expect(changes.missed).toBe(1);
});

test('of changes without number that nobody reads, the oldest are left out and counted', () => {
  for (let pid = 1; pid <= 5000; pid++) changes.note('container', pid, ms(5));
  expect(changes.missed).toBe(5000 - 1024);
  read(1, 30, 'c1');
  read(5000, 30, 'c1');
  changes.settle(ms(60));
  expect(events).toEqual([moved(5000, 5, 'c1')]);
});
