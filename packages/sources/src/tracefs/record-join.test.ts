import type { EventNs, TaskEvent } from '@dendro/protocol';
import { beforeEach, expect, test } from 'vitest';
import type { KernelRecord } from './kernel-record.ts';
import { RecordJoin } from './record-join.ts';

const at = (ns: number) => ns as EventNs;

let events: TaskEvent[] = [];
let join: RecordJoin;

beforeEach(() => {
  events = [];
  join = new RecordJoin((event) => events.push(event));
});

function take(...records: readonly KernelRecord[]): void {
  for (const record of records) join.take(record);
}

function prepareExec(tid: number, interp: string | undefined): KernelRecord {
  return { type: 'prepare-exec', at: at(1), tid, interp };
}

function exec(pid: number, oldTid = pid): TaskEvent {
  return { type: 'exec', at: at(2), pid, oldTid, filename: './tool' };
}

function interps(): (string | undefined)[] {
  return events.flatMap((event) => (event.type === 'exec' ? [event.interp] : []));
}

test('an exec is told once, with what interprets its program', () => {
  take(prepareExec(50, '/bin/sh'), exec(50));
  expect(events).toEqual([{ ...exec(50), interp: '/bin/sh' }]);
});

test('a thread that calls exec is known by the tid that it had', () => {
  take(prepareExec(51, '/bin/sh'), exec(50, 51), exec(51));
  expect(interps()).toEqual(['/bin/sh', undefined]);
});

test('an exec of which nothing was said before is passed on as it is', () => {
  take(exec(50));
  expect(events).toEqual([exec(50)]);
});

test.each<[string, KernelRecord]>([
  ['ran another program since', prepareExec(50, undefined)],
  ['died on the way', { type: 'exit', at: at(2), tid: 50 }],
  ['may have gone on unseen', { type: 'gap', from: at(1), to: at(2), lost: 1 }],
])('what was said of a task that %s is not said of its next exec', (_why, record) => {
  take(prepareExec(50, '/bin/sh'), record, exec(50));
  expect(interps()).toEqual([undefined]);
});

test('of execs without number that never come, only the newest are remembered', () => {
  for (let tid = 1; tid <= 100_000; tid++) take(prepareExec(tid, `/bin/${tid}`));
  take(exec(1), exec(100_000));
  expect(interps()).toEqual([undefined, '/bin/100000']);
});
