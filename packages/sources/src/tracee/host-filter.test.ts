import type { TaskEvent } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { HostFilter } from '../input/host-filter.ts';
import { TraceeDecoder } from './tracee-decoder.ts';

const S = 1_700_000_000_000_000_000n;

function exit(tid: number, more: object): string {
  const known = { hostThreadId: tid, hostProcessId: tid, hostParentProcessId: 1, processId: tid, container: {} };
  return JSON.stringify({
    timestamp: String(S + BigInt(tid)),
    ...known,
    ...more,
    eventName: 'sched_process_exit',
    args: [],
  });
}

function decode(lines: readonly string[], wanted?: string) {
  const hosts = new HostFilter(wanted);
  const events: TaskEvent[] = [];
  const decoder = new TraceeDecoder((event) => events.push(event), { hosts });
  // In chunks of their own: the first is parsed, the others are scanned.
  for (const line of lines) decoder.push(Buffer.from(`${line}\n`));
  decoder.end();
  const tids = events.flatMap((event) => (event.type === 'exit' ? [event.tid] : []));
  return { hosts, decoder, tids };
}

const FEED = ['n1', 'n2', 'n1', 'n2', 'n3', 'n1'].map((hostName, i) => exit(i + 1, { hostName }));

test('the tree is that of the first host, and events of others are counted', () => {
  const { hosts, decoder, tids } = decode(FEED);
  expect(tids).toEqual([1, 3, 6]);
  expect(hosts.name).toBe('n1');
  expect(decoder).toMatchObject({ decoded: 3, rejected: { 'other-host': 3 } });
  expect(decoder.scanned).toBe(5);
  expect(decoder.notices).toContain(
    'The feed has events of 3 hosts: the tree is that of n1, the others are rejected as other-host. ' +
      'Another is shown with --host-from NAME: n2, n3.',
  );
});

test('the host that was asked for is taken, also when another one comes first', () => {
  const { hosts, decoder, tids } = decode(FEED, 'n2');
  expect(tids).toEqual([2, 4]);
  expect(hosts.name).toBe('n2');
  expect(decoder.rejected).toEqual({ 'other-host': 4 });
});

test('a host that is not in the feed gives nothing, and the notice says who is', () => {
  const { hosts, tids, decoder } = decode(FEED, 'n9');
  expect([tids, hosts.name]).toEqual([[], undefined]);
  expect(decoder.notices).toContain('No event is of the host n9: --host-from can be n1, n2, n3.');
});

test('a long name is the one that Tracee has cut off', () => {
  const feed = [exit(1, { hostName: 'ip-10-0-0-1.eu-' }), exit(2, { hostName: 'ip-10-0-0-2.eu-' })];
  const { hosts, tids } = decode(feed, 'ip-10-0-0-2.eu-central-1.example');
  expect(tids).toEqual([2]);
  expect(hosts.name).toBe('ip-10-0-0-2.eu-central-1.example');
});

test('a task in a container sees the name of its container: it is taken, and names no host', () => {
  const feed = [
    exit(1, { hostName: 'aaaaaaaaaaaa', container: { id: 'a'.repeat(64) } }),
    exit(2, { hostName: 'n1' }),
    exit(3, { hostName: 'bbbbbbbbbbbb', containerId: 'b'.repeat(64) }),
    exit(4, { hostName: 'inner', processId: 1 }),
    exit(5, { hostName: 'n2' }),
  ];
  const { hosts, decoder, tids } = decode(feed);
  expect(tids).toEqual([1, 2, 3, 4]);
  expect(hosts.name).toBe('n1');
  expect(decoder.rejected).toEqual({ 'other-host': 1 });
  expect(decoder.notices.join()).toMatch(/--host-from NAME: n2\. Events in containers .* are all taken\.$/);
});

test('events that name no host are taken, which is said where one was asked for', () => {
  const feed = [exit(1, {}), exit(2, { hostName: '' }), exit(3, { hostName: null })];
  expect(decode(feed).tids).toEqual([1, 2, 3]);
  expect(decode(feed).decoder.notices).toEqual([]);
  expect(decode(feed, 'n1').decoder.notices.join()).toMatch(/^3 events do not say which host/);
});

test('ever new and hostile names take bounded memory and reach no terminal as they are', () => {
  const hosts = new HostFilter();
  hosts.takes('n1', false);
  for (let i = 0; i < 5000; i++) expect(hosts.takes(`\u001b[2J${i}`, false)).toBe(false);
  expect(hosts.takes('x'.repeat(1_000_000), false)).toBe(false);
  expect(hosts.notices[0]).toMatch(/at least 1001 hosts/);
  expect(hosts.notices[0]).toMatch(/^[\x20-\x7e]{1,1000}$/);
});
