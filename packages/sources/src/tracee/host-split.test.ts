import type { TaskEvent } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { type FeedHost, HostSplit, type HostSplitOptions, type HostTrees } from './host-split.ts';
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

function decode(lines: readonly string[], options: HostSplitOptions = {}, trees?: HostTrees) {
  const hosts = new HostSplit(options);
  hosts.trees = trees;
  const events: { event: TaskEvent; host: FeedHost | undefined }[] = [];
  const decoder = new TraceeDecoder((event, host) => events.push({ event, host }), { hosts });
  // In chunks of their own: the first of each host is parsed, the others are scanned.
  for (const line of lines) decoder.push(Buffer.from(`${line}\n`));
  decoder.end();
  const tids: Record<string, number[]> = {};
  for (const { event, host } of events) {
    const name = host?.name ?? '';
    if (event.type === 'exit') tids[name] = [...(tids[name] ?? []), event.tid];
  }
  const clocks = events.filter(({ event }) => event.type === 'clock').map(({ host }) => host?.name);
  return { hosts, decoder, tids, clocks, events };
}

const FEED = ['n1', 'n2', 'n1', 'n2', 'n3', 'n1'].map((hostName, i) => exit(i + 1, { hostName }));

test('each host has its events, its clock and its counts', () => {
  const { hosts, decoder, tids, clocks } = decode([...FEED, exit(7, { hostName: 'n2', threadStartTime: 'x' })]);
  expect(tids).toEqual({ n1: [1, 3, 6], n2: [2, 4], n3: [5] });
  expect(clocks).toEqual(['n1', 'n2', 'n3']);
  expect(hosts.hosts.map(({ name, accepted, rejected }) => ({ name, accepted, rejected }))).toEqual([
    { name: 'n1', accepted: 3, rejected: {} },
    { name: 'n2', accepted: 2, rejected: {} },
    { name: 'n3', accepted: 1, rejected: {} },
  ]);
  expect(decoder).toMatchObject({ decoded: 6, rejected: { 'bad-timestamp': 1 }, scanned: 3 });
  expect(hosts.notices).toEqual([]);
});

test('hosts of times that lie years apart have each their own base', () => {
  const year = 31_536_000_000_000_000n;
  const lines = [0n, year, 1n, year + 1n].map((after, i) =>
    exit(i + 1, { hostName: i % 2 === 0 ? 'old' : 'new', timestamp: String(S + after) }),
  );
  const { decoder, events } = decode(lines);
  expect([decoder.decoded, decoder.scanned, decoder.rejected]).toEqual([4, 2, {}]);
  const told = events.map(({ event, host }) => [
    host?.name,
    event.type === 'clock' ? event.epochNs : 'at' in event && event.at,
  ]);
  expect(told).toEqual([
    ['old', S],
    ['old', 0],
    ['new', S + year],
    ['new', 0],
    ['old', 1],
    ['new', 1],
  ]);
});

test('times since boot are those of the host that told when it was started', () => {
  const info = (hostName: string, boot: bigint) =>
    JSON.stringify({
      eventName: 'tracee_info',
      hostName,
      timestamp: '1',
      args: [{ name: 'boot_time', value: String(boot) }],
    });
  const lines = [info('n1', S), info('n2', S + 7n), exit(1, { hostName: 'n1', timestamp: '50' })];
  const { events, decoder } = decode([...lines, exit(2, { hostName: 'n2', timestamp: '60' })]);
  const clocks = events.flatMap(({ event, host }) => (event.type === 'clock' ? [[host?.name, event.epochNs]] : []));
  expect(clocks).toEqual([
    ['n1', S + 50n],
    ['n2', S + 67n],
  ]);
  expect(decoder.notices).toEqual([]);
});

test('the hosts that were asked for are taken, also when another one comes first', () => {
  const { hosts, decoder, tids } = decode(FEED, { wanted: ['n2', 'n3'] });
  expect(tids).toEqual({ n2: [2, 4], n3: [5] });
  expect(hosts.first.name).toBe('n2');
  expect(decoder.rejected).toEqual({ 'other-host': 3 });
  expect(decoder.notices).toContain(
    'Only events of n2, n3 were asked for: those of others are rejected as other-host. --host-from also takes n1.',
  );
});

test('a host that is not in the feed gives nothing, and the notice says who is', () => {
  const { hosts, tids, decoder } = decode(FEED, { wanted: ['n9'] });
  expect([tids, hosts.first.name]).toEqual([{}, undefined]);
  expect(decoder.notices).toContain('No event is of the host n9: --host-from can be n1, n2, n3.');
});

test('a long name is the one that Tracee has cut off', () => {
  const feed = [exit(1, { hostName: 'ip-10-0-0-1.eu-' }), exit(2, { hostName: 'ip-10-0-0-2.eu-' })];
  const name = 'ip-10-0-0-2.eu-central-1.example';
  expect(decode(feed, { wanted: [name] }).tids).toEqual({ [name]: [2] });
  expect(decode(feed, { own: name }).tids).toEqual({ 'ip-10-0-0-1.eu-': [1], [name]: [2] });
});

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];

test('as long as there is one host, what is in containers or names none is of it, and names it not', () => {
  const feed = [
    exit(1, { hostName: 'aaaaaaaaaaaa', container: { id: A } }),
    exit(2, {}),
    exit(3, { hostName: 'n1' }),
    exit(4, { hostName: 'bbbbbbbbbbbb', containerId: B }),
    exit(5, { hostName: 'inner', processId: 1 }),
    exit(6, { hostName: null }),
  ];
  const { hosts, decoder, tids } = decode(feed);
  expect(Object.values(tids).flat()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(hosts.hosts.map(({ name }) => name)).toEqual(['n1']);
  expect(decoder).toMatchObject({ rejected: {}, notices: [] });
  expect(decode([exit(1, {})], { wanted: ['n1'] }).decoder.notices.join()).toMatch(/do not say which host/);
});

test('among several hosts a container is of the one that made it, or has its name, or nobody knows', () => {
  const created = JSON.stringify({
    eventName: 'container_create',
    hostName: 'n2',
    timestamp: String(S),
    args: [{ name: 'container_id', value: A }],
  });
  const feed = [
    ...FEED,
    created,
    exit(11, { hostName: 'aaaaaaaaaaaa', container: { id: A } }),
    exit(12, { hostName: 'n3', containerId: B }), // on the network of its host
    exit(13, { hostName: 'somebody', containerId: 'c'.repeat(64) }),
    exit(14, {}),
  ];
  const { decoder, tids } = decode(feed);
  expect(tids).toEqual({ n1: [1, 3, 6], n2: [2, 4, 11], n3: [5, 12] });
  expect(decoder.rejected).toEqual({ 'host-unknown': 2 });
  expect(decoder.notices.join()).toMatch(/2 events in containers, .* rejected as host-unknown/);
});

test('among several hosts a task in a container is of the only one that knows it, and so is its container', () => {
  const trees: HostTrees = {
    baseOf: () => undefined,
    hasBegun: ({ name }, tid, start) => (name === 'n2' && tid === 11 && start === S) || tid === 12,
  };
  const inside = { hostName: 'inside', container: { id: A }, threadStartTime: String(S) };
  const feed = [
    ...FEED,
    exit(10, inside),
    exit(11, inside),
    exit(10, inside),
    exit(12, { ...inside, container: {}, processId: 1 }),
  ];
  const { decoder, tids } = decode(feed, {}, trees);
  expect(tids).toEqual({ n1: [1, 3, 6], n2: [2, 4, 11, 10], n3: [5] });
  expect(decoder.rejected).toEqual({ 'host-unknown': 2 }); // before it was known, and what all of them know
});

test('no more hosts than are allowed get a tree; the others are counted and named', () => {
  const { hosts, decoder, tids } = decode(FEED, { maxHosts: 2 });
  expect(tids).toEqual({ n1: [1, 3, 6], n2: [2, 4] });
  expect(hosts.hosts.length).toBe(2);
  expect(decoder.rejected).toEqual({ 'too-many-hosts': 1 });
  expect(decoder.notices.join()).toMatch(/more than 2 hosts: 1 events of others .* of n3\. --max-hosts/);
});

test('ever new and hostile names take bounded memory and reach no terminal as they are', () => {
  const lines = Array.from({ length: 5000 }, (_, i) => exit(1, { hostName: `\u001b[2J${i}` }));
  const { hosts, decoder } = decode([...lines, exit(1, { hostName: 'x'.repeat(1_000_000) })]);
  expect(hosts.hosts.length).toBe(64);
  expect(decoder.rejected).toEqual({ 'too-many-hosts': 5000 - 64, 'bad-host-name': 1 });
  expect(hosts.notices[0]).toMatch(/^[\x20-\x7e]{1,1000}$/);
});
