// Dendro says which processes are its own, on the host that it watches.

import { readFileSync, readlinkSync } from 'node:fs';
import { mayUseEbpf } from '@dendro/sources';
import { afterEach, expect, test } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const isHostNamespace = readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]';
const ownPids = () => server?.client.first.info.ownPids ?? [];

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('of a live host it names its own process, and the API does too', async () => {
  server = await TestServer.start({ source: 'procfs' });
  expect(ownPids()).toEqual([process.pid]);
  expect((await server.get('/api/v1/hosts')).json().hosts[0].ownPids).toEqual([process.pid]);
});

test('of what is posted, of a host that may be any, it names none', async () => {
  server = await TestServer.start({ source: 'none' });
  expect(ownPids()).toEqual([]);
});

test.skipIf(!mayUseEbpf() || !isHostNamespace)(
  'the child of eBPF is named, and when it had to be started again, the new one (needs eBPF and the pids of the host)',
  async () => {
    server = await TestServer.start({ source: 'ebpf' });
    await until(() => ownPids().length === 2);
    const [own, child = 0] = ownPids();
    expect(own).toBe(process.pid);
    expect(readFileSync(`/proc/${child}/status`, 'utf8')).toMatch(new RegExp(`^PPid:\\s*${process.pid}$`, 'm'));
    process.kill(child, 'SIGKILL');
    await until(() => ownPids().length === 2 && ownPids()[1] !== child);
    expect(readFileSync(`/proc/${ownPids()[1]}/status`, 'utf8')).toMatch(new RegExp(`^PPid:\\s*${process.pid}$`, 'm'));
  },
);
