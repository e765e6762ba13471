// Files as somebody drops them, read by the code of the page. That a browser can run it is shown in e2e/open-recording.spec.ts.

import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { TaskIndex } from '@dendro/engine';
import { expect, test } from 'vitest';
import type { OpenedFile } from './file-reading.ts';
import { readFile } from './read-file.ts';

const RECORDED = new URL('../../../../packages/testkit/', import.meta.url);
const bytesOf = (path: string) => new Uint8Array(readFileSync(new URL(path, RECORDED)));
const TRACEE = bytesOf('vectors/tracee/legacy.ndjson');
const AUDIT = bytesOf('recordings/audit/x86_64-enriched.log');
const STRACE = bytesOf('recordings/core-strace/strace.txt');

async function open(bytes: Uint8Array<ArrayBuffer>, name = 'a-file'): Promise<OpenedFile> {
  const opened = await readFile(
    new File([bytes], name),
    () => {},
    () => true,
  );
  if (opened === undefined) throw new Error('it was given up');
  return opened;
}

const refusalOf = (bytes: Uint8Array<ArrayBuffer>, name?: string) =>
  open(bytes, name).then(
    () => 'it was opened',
    ({ message }: Error) => message,
  );

function commsOf({ tree, now }: OpenedFile): Set<string> {
  const comms = new Set<string>();
  for (let slot = 0; slot < tree.slotCount; slot++) comms.add(tree.textAt(slot as TaskIndex, 'comm', now) ?? '');
  return comms;
}

test.each([
  ['Tracee', TRACEE, 'Events of Tracee'],
  ['the audit system', AUDIT, 'Records of the Linux audit system'],
  ['strace', STRACE, 'Calls that strace saw'],
])('lines of %s are a tree, packed with gzip the same', async (_, bytes, what) => {
  const plain = await open(bytes);
  const { source, stats } = plain.stats;
  expect(source).toMatchObject({ name: 'a-file', state: 'ended', detail: `${what}, opened in this page.` });
  expect(source.events).toBeGreaterThan(3);
  expect(stats.tasks).toBeGreaterThan(3);
  expect(commsOf(plain).size).toBeGreaterThan(1);
  expect(BigInt(plain.host.baseEpochNs)).toBeGreaterThan(1_500_000_000_000_000_000n);
  expect(plain.host).toMatchObject({ id: 'file:a-file', isLive: false });

  const packed = await open(new Uint8Array(gzipSync(bytes)));
  expect(packed.stats).toEqual(plain.stats);
  expect(commsOf(packed)).toEqual(commsOf(plain));
});

test('a long file is the same tree as a short one, whatever pieces it is read in', async () => {
  const once = await open(STRACE);
  const head = new TextEncoder().encode(`${'starting up\n'.repeat(40)}`);
  const long = new Uint8Array(Buffer.concat([head, STRACE, Buffer.alloc(300_000, 'x\n')]));
  const opened = await open(long);
  expect(opened.stats.stats.processes).toBe(once.stats.stats.processes);
  expect(opened.stats.source.events).toBe(once.stats.source.events);
});

test('one that is cut off is shown as far as it goes, and says so', async () => {
  const packed = gzipSync(Buffer.concat(Array.from({ length: 40 }, () => STRACE)), { level: 0 });
  const { stats } = await open(new Uint8Array(packed.subarray(0, packed.length >> 1)));
  expect(stats.source.events).toBeGreaterThan(10);
  expect(stats.source.notices[0]).toContain('damaged or cut off');
});

test('of several hosts the first is shown, and it is said how to see all', async () => {
  const line = (host: string, pid: number) =>
    JSON.stringify({
      ...{
        eventName: 'sched_process_exit',
        timestamp: String(1_700_000_000_000_000_000n + BigInt(pid)),
        hostName: host,
      },
      ...{ hostThreadId: pid, hostProcessId: pid, hostParentProcessId: 1, processName: host },
      ...{ args: [{ name: 'exit_code', value: 0 }] },
    });
  const lines = [line('web-1', 10), line('web-2', 20), line('web-1', 11)].join('\n');
  const { host, stats } = await open(new TextEncoder().encode(lines));
  expect(host.name).toBe('web-1');
  expect(stats.source).toMatchObject({ events: 2, rejected: { 'too-many-hosts': 1 } });
  expect(stats.source.notices.join(' ')).toContain('dendro --source tracee:FILE shows all');
});

test('what cannot be read is refused with what can, and which command can', async () => {
  const text = (lines: string) => new TextEncoder().encode(lines);
  expect(await refusalOf(text('a,b\n1,2\n'))).toMatch(/^This is not a recording of dendro, nor Tracee's JSON lines/);
  expect(await refusalOf(new Uint8Array(5000).fill(7))).toMatch(/^This is not a recording of dendro/);
  expect(await refusalOf(text(''))).toMatch(/^This is not a recording of dendro/);
  expect(await refusalOf(new Uint8Array(zstdCompressSync(TRACEE)))).toContain('dendro --source tracee:FILE');
  expect(await refusalOf(bytesOf('recordings/core-strace/trace.txt'))).toContain('dendro --source replay:FOLDER');
  expect(await refusalOf(bytesOf('recordings/core-strace/cpu0.raw'), 'cpu0.raw')).toContain('replay:FOLDER');
  expect(await refusalOf(text('12 18:48:02 execve("/bin/true", ["true"], 0x0) = 0\n'))).toContain('strace -f -ttt');
  expect(await refusalOf(text('{"a":1}\n'))).toMatch(/^No line in it was an event that could be used\..*line 1\.$/);
  expect(await refusalOf(new Uint8Array(gzipSync('a,b\n')))).toMatch(/^This is not a recording of dendro/);
});

test('it is given up as soon as nobody wants it, and tells how far it is', async () => {
  const long = new Uint8Array(Buffer.concat(Array.from({ length: 200 }, () => STRACE)));
  const parts: number[] = [];
  const opened = await readFile(
    new File([long], 'long'),
    (part) => parts.push(part),
    () => parts.length < 3,
  );
  expect(opened).toBeUndefined();
  expect(parts).toHaveLength(3);
  expect(parts).toEqual(parts.toSorted((a, b) => a - b));
  expect(parts.at(-1)).toBeLessThan(1);
});
