import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TaskEvent } from '@dendro/protocol';
import { expect, test, vi } from 'vitest';
import { feedsFor, SOURCE_FORMS } from './choose-source.ts';

const names = (spec: string | undefined, isRoot: boolean) => feedsFor(spec, isRoot).map((open) => open().source.name);

test('root gets programs in the kernel, else both of its voices, else the one that can be had, else polling', () => {
  expect(names(undefined, true)).toEqual(['ebpf', 'tracefs+cn_proc', 'cn_proc', 'procfs']);
  expect(names(undefined, false)).toEqual(['procfs']);
  expect(feedsFor(undefined, false, { mayUseEbpf: true }).map((open) => open().source.name)).toEqual([
    'ebpf',
    'procfs',
  ]);
});

test('a source that is named is the only one tried', () => {
  for (const name of ['ebpf', 'tracefs+cn_proc', 'tracefs', 'cn_proc', 'procfs', 'none']) {
    expect(SOURCE_FORMS).toContain(name);
    expect(names(name, true)).toEqual([name]);
  }
});

test('sources of kernel events are completed by /proc of the same clock', () => {
  for (const name of ['ebpf', 'tracefs+cn_proc', 'tracefs', 'cn_proc']) {
    const [feed] = feedsFor(name, true).map((open) => open());
    expect(feed?.procfs).toBeDefined();
    expect(feed?.clock).toBeDefined();
  }
});

test.skipIf(process.geteuid?.() !== 0)(
  'tracefs alone is told by /proc who a process has changed to (only root may trace)',
  async () => {
    const [feed] = feedsFor('tracefs', true).map((open) => open());
    const events: TaskEvent[] = [];
    feed?.procfs?.start(() => {});
    await feed?.source.start((event) => events.push(event));
    const child = spawn('setpriv', ['--reuid=4321', 'sleep', '600']);
    const isIt = (event: TaskEvent) => event.type === 'credentials' && event.pid === child.pid && event.uid === 4321;
    try {
      await vi.waitUntil(() => events.some(isIt), { timeout: 20_000 });
    } finally {
      child.kill();
      await once(child, 'exit');
      await feed?.source.stop();
      await feed?.procfs?.stop();
    }
  },
);

test('a file or standard input is read in the format that is named', () => {
  for (const name of [
    'tracee:a:b',
    'tracee:-',
    'audit:/var/log/audit/audit.log',
    'audit:-',
    'strace:out',
    'strace:-',
  ]) {
    expect(names(name, true)).toEqual([name]);
  }
  for (const kind of ['tracee', 'audit', 'strace']) expect(() => feedsFor(kind, true)).toThrow(`${kind}:FILE`);
});

test('an unknown source is refused with the names that there are', () => {
  expect(() => feedsFor('cn_proc:x', true)).toThrow(/There is no source "cn_proc:x": .*tracefs\+cn_proc, .*cn_proc/);
});

test('options of the kernel sources are refused where nobody would heed them', () => {
  const refused = { code: 'DENDRO_OPTION_INVALID' };
  expect(() => feedsFor('procfs', true, { kernel: { bufferKb: 64 } })).toThrow(expect.objectContaining(refused));
  expect(() => feedsFor('cn_proc', true, { kernel: { bufferKb: 64 } })).toThrow(
    /--buffer-kb is for the sources ebpf and tracefs/,
  );
  expect(() => feedsFor('none', true, { kernel: { pollMs: 5 } })).toThrow(
    /--poll-ms is for the sources ebpf, tracefs and cn_proc/,
  );
  expect(feedsFor('cn_proc', true, { kernel: { pollMs: 5 } })).toHaveLength(1);
  expect(feedsFor('tracefs', true, { kernel: { pollMs: 5, bufferKb: 64 } })).toHaveLength(1);
});

test('options of the sources of Tracee are refused where nobody would heed them', () => {
  expect(() => feedsFor(undefined, true, { follow: true })).toThrow(/--follow is for --source tracee:FILE/);
  expect(() => feedsFor('audit:log', true, { follow: true })).toThrow(/--follow is for/);
  expect(() => feedsFor('tracee:log', true, { policies: ['tree'] })).toThrow(/--policy is for .*tracee-grpc:ADDRESS/);
  expect(feedsFor('tracee:-', true, { follow: true })).toHaveLength(1);
  expect(feedsFor('tracee-grpc:[::1]:4466', true, { policies: ['tree'] })).toHaveLength(1);
  expect(feedsFor('procfs', true, { follow: false, policies: [] })).toHaveLength(1);
});

test('several gRPC servers are one source with a host for each, under names that fit', () => {
  const open = (target: string, options = {}) => feedsFor(`tracee-grpc:${target}`, true, options)[0]?.();
  const hostsOf = (target: string) => open(target)?.hosts?.hosts.map(({ name }) => name);
  expect(hostsOf('unix:/run/a=b.sock')).toEqual([undefined]);
  expect(hostsOf('web-07=unix:/run/a.sock')).toEqual(['web-07']);
  expect(hostsOf('web-07=10.0.0.7:4466,10.0.0.8:4466')).toEqual(['web-07', '10.0.0.8:4466']);
  expect(open('a=unix:/run/a,b=unix:/run/b')?.source.name).toBe('tracee-grpc:a=unix:/run/a,b=unix:/run/b');
  const refusal = { code: 'DENDRO_OPTION_INVALID' };
  expect(() => open('a=unix:/run/a,b=unix:/run/b', { maxHosts: 1 })).toThrow(expect.objectContaining(refusal));
  expect(() => open(`${'a'.repeat(65)}=unix:/run/a`)).toThrow(expect.objectContaining(refusal));
  expect(() => open('a=unix:/run/a,')).toThrow(expect.objectContaining(refusal));
});
