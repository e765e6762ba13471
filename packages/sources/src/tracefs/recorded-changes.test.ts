// What a real kernel wrote of moves between control groups, of calls that change
// user and group, and of scripts. The program that was recorded did the same
// twelve times over, each with a child of its own.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventNs, TaskEvent } from '@dendro/protocol';
import { beforeAll, expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { Changes } from './changes.ts';
import { CpuStream, FeedCounters, PageBuffer } from './cpu-stream.ts';
import { RecordDecoder } from './decode.ts';
import { parseEventFormat, parsePageLayout } from './format.ts';
import type { KernelRecord } from './kernel-record.ts';
import { EventMerge } from './merge.ts';
import { PageDecoder } from './page.ts';
import { RecordJoin } from './record-join.ts';

const RECORDING = join(import.meta.dirname, '../../../testkit/recordings/changes');
const ID = '0123456789abcdef'.repeat(4);
const ROUNDS = 12;
/** The only hierarchy that the program moved within. */
const UNIFIED = 0;

const records: KernelRecord[] = [];
const counters = new FeedCounters();

beforeAll(() => {
  const formats = readdirSync(join(RECORDING, 'formats'))
    .filter((name) => name.endsWith('.format'))
    .map((name) => parseEventFormat(readFileSync(join(RECORDING, 'formats', name), 'latin1')));
  formats.push({ name: 'print', id: 5, fields: new Map() }); // the marker of the recording
  const layout = parsePageLayout(readFileSync(join(RECORDING, 'formats/header_page'), 'latin1'));
  const buffer = new PageBuffer(layout.sizeBytes);
  const merge = new EventMerge<KernelRecord>((record) => records.push(record));
  const pages = new PageDecoder(layout, new HostClock(0n, 1_795_776_652_000n));
  const decoder = new RecordDecoder(formats);
  for (const name of readdirSync(RECORDING).filter((file) => file.endsWith('.raw'))) {
    const stream = new CpuStream(pages, decoder, merge, counters, buffer, 0 as EventNs);
    const bytes = readFileSync(join(RECORDING, name));
    for (let at = 0; at < bytes.length; at += layout.sizeBytes) {
      bytes.copy(buffer.bytes, 0, at, at + layout.sizeBytes);
      stream.take(layout.sizeBytes);
    }
  }
  merge.flush();
});

/** The records of a kind, in the groups in which tasks made them. */
function byTask<T extends KernelRecord['type']>(...types: readonly T[]) {
  const chosen = records.filter((record): record is Extract<KernelRecord, { type: T; tid: number }> =>
    types.some((type) => type === record.type),
  );
  return [...Map.groupBy(chosen, ({ tid }) => tid).values()];
}

test('every record is understood', () => {
  expect(counters).toMatchObject({ lost: 0, rejected: {} });
});

test('ends of calls that failed are left out by the kernel', () => {
  const changes = byTask('id-change').map((ofTask) => ofTask.map(({ id }) => id).join());
  expect(changes.sort()).toEqual([
    // Effective group, group twice, effective user, user, effective user, user; then three that fail.
    ...Array(ROUNDS).fill('gid,gid,gid,uid,uid,uid,uid'),
    ...Array(ROUNDS).fill('uid'),
  ]);
});

test('moves name the group by its whole path', () => {
  const moves = byTask('move').map((ofTask) => ofTask.map(({ hierarchy, path }) => [hierarchy, path]));
  expect(moves).toEqual(
    Array(ROUNDS).fill([
      [UNIFIED, `/dendro-recording/${ID}`],
      [UNIFIED, '/'],
    ]),
  );
});

test('put together they are changes of the right processes, moves into a container and out of it, and scripts', () => {
  const events: TaskEvent[] = [];
  const noted: number[] = [];
  const sink = (event: TaskEvent) => events.push(event);
  const reader = { noteChanged: (tid: number) => noted.push(tid), lastReadingOf: () => undefined };
  const join = new RecordJoin(sink, { changes: new Changes({ sink, reader, lost: () => 0 }), hierarchies: [UNIFIED] });
  for (const record of records) join.take(record);
  const interps = events.flatMap((event) => (event.type === 'exec' ? [event.interp] : []));
  const containers = events.flatMap((event) => (event.type === 'container' ? [event.container] : []));
  const changed = [...Map.groupBy(noted, (tid) => tid).values()].map((times) => times.length);

  expect(interps.filter((interp) => interp === '/bin/sh')).toHaveLength(ROUNDS);
  expect(containers).toEqual(Array(ROUNDS).fill([ID, undefined]).flat());
  expect(changed.sort()).toEqual([...Array(ROUNDS).fill(14), ...Array(ROUNDS).fill(2)]);
});
