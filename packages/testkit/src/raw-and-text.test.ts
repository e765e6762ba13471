// One recording in two forms, read by two readers that share no code: they must
// say the same, event for event.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskEvent } from '@dendro/protocol';
import { ReplaySource } from '@dendro/sources';
import { expect, test } from 'vitest';
import { parseTraceText } from './trace-text.ts';

const RECORDING = join(import.meta.dirname, '../recordings/core-strace');

test('pages and text of core-strace give the same events at the same microseconds', async () => {
  const raw: TaskEvent[] = [];
  const source = new ReplaySource(RECORDING);
  await source.start((event) => raw.push(event));
  while (source.status().state === 'running') await new Promise((resolve) => setImmediate(resolve));
  const text = parseTraceText(readFileSync(join(RECORDING, 'trace.txt'), 'utf8'));

  // Event time 0 of the replay is the marker, the first record of the first page; of the text it is the boot.
  const markerNs = Number(readFileSync(join(RECORDING, 'cpu0.raw')).readBigUInt64LE(0));
  const inMicroseconds = (event: TaskEvent): unknown =>
    'at' in event ? { ...event, at: Math.round((event.at + markerNs) / 1000) * 1000 } : event;
  const isAtTime = (event: TaskEvent): boolean => event.type !== 'clock';

  expect(source.status().events).toBe(text.records);
  expect(raw.filter(isAtTime).map(inMicroseconds)).toEqual(text.events.filter(isAtTime));
});
