import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventOfMessage } from './event-message.ts';
import { TraceeDecoder } from './tracee-decoder.ts';

const id = (value: number) => ({ value });
const EXEC = {
  name: 'sched_process_exec',
  timestamp: { seconds: '1700000000', nanos: 5 },
  workload: {
    process: {
      host_pid: id(20),
      pid: id(20),
      real_user: { id: {} },
      thread: { start_time: { seconds: '1699999999' }, name: 'sh', host_tid: id(20), tid: id(20) },
      ancestors: [{ host_pid: id(1), pid: id(1) }],
    },
  },
  data: [
    { name: 'pathname', str: '/bin/sh' },
    { name: 'inode', u_int64: '18446744073709551615' },
    { name: 'argv', str_array: { value: ['sh', ''] } },
    { name: 'env', str_array: {} },
    { name: 'stdin_path' },
  ],
};

test('an event of gRPC says what its line says: wrappers, times and defaults are those of protobuf', () => {
  const events: unknown[] = [];
  new TraceeDecoder((event) => events.push(event)).pushEvent(eventOfMessage(EXEC));
  expect(events).toEqual([
    { type: 'clock', epochNs: 1_700_000_000_000_000_005n },
    expect.objectContaining({
      type: 'exec',
      at: 0,
      pid: 20,
      start: -1_000_000_005,
      uid: 0,
      argv: ['sh', ''],
      executable: expect.objectContaining({ path: '/bin/sh', inode: '18446744073709551615' }),
    }),
    expect.objectContaining({ type: 'observe', ppid: 1, comm: 'sh' }),
  ]);
});

test('whatever a message holds, it is decoded or counted', () => {
  const decoder = new TraceeDecoder(() => {});
  const places: [object, string][] = [];
  const message = structuredClone(EXEC);
  decoder.pushEvent(eventOfMessage(message)); // times count from a sound one
  const collect = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      places.push([node, key]);
      collect(child);
    }
  };
  collect(message);
  fc.assert(
    fc.property(fc.nat(places.length - 1), fc.jsonValue({ maxDepth: 3 }), (which, value) => {
      const [node = {}, key = ''] = places[which] ?? [];
      const before = Reflect.get(node, key);
      Reflect.set(node, key, value);
      decoder.pushEvent(eventOfMessage(message));
      Reflect.set(node, key, before);
      decoder.pushEvent(eventOfMessage(value));
    }),
    { numRuns: 5000 },
  );
  const rejected = Object.values(decoder.rejected).reduce((sum, times) => sum + times, 0);
  expect(decoder.lines).toBe(10_001);
  expect(decoder.decoded).toBeGreaterThan(100);
  expect(decoder.decoded + rejected).toBe(decoder.lines);
});
