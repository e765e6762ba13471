// Audit logs in the styles of several kernels and of auditd's settings, from the
// file to the tree. The logs are written by hand from the documented format.

import { join } from 'node:path';
import type { EventNs, SourceStatus, TaskEvent } from '@dendro/protocol';
import { AuditSource, HostFilter } from '@dendro/sources';
import { expect, test } from 'vitest';
import { CoreTree } from './core-strace.ts';
import { RECORDINGS } from './recorded-lives.ts';

async function read(
  name: string,
  hosts?: HostFilter,
): Promise<{ tree: CoreTree; status: SourceStatus; ms: (time: number) => EventNs }> {
  const events: TaskEvent[] = [];
  const source = new AuditSource(join(RECORDINGS, 'audit', name), { hosts });
  await source.start((event) => events.push(event));
  while (source.status().state === 'running') await new Promise((resolve) => setImmediate(resolve));
  const base = events[0]?.type === 'clock' ? events[0].epochNs : 0n;
  const ms = (time: number) => Number(BigInt(Math.round(time * 1000)) * 1_000_000n + 999_999n - base) as EventNs;
  return { tree: new CoreTree(events), status: source.status(), ms };
}

test('auditd with names added: programs, files, users, names, and how they ended', async () => {
  const { tree: core, status, ms } = await read('x86_64-enriched.log');
  const { tree } = core;
  expect(status).toMatchObject({ state: 'ended', events: 13 });
  expect(status.rejected).toEqual({ 'not-about-processes': 2, 'exit-of-a-thread': 1, 'birth-of-unknown-kind': 1 });
  expect([...core.lives.keys()].toSorted((a, b) => a - b)).toEqual([1, 900, 1990, 2000, 2001, 2010, 2011]);

  const ls = core.lifeOf(2001);
  const at = ms(1_700_000_000.104);
  expect(core.creatorOf(2001)).toBe(2000);
  expect(core.parentAt(2000, at)).toBe(1990);
  expect(tree.valueAt(ls, 'argv', at)).toEqual(['ls', '-l', '/tmp/with blank "q"', '']);
  expect(tree.textAt(ls, 'cwd', at)).toBe('/home/alice');
  expect(tree.valueAt(ls, 'executable', at)).toMatchObject({
    path: '/usr/bin/ls',
    device: 0xfd00,
    inode: '262210',
    mode: 0o100755,
  });
  expect(tree.valueAt(ls, 'interpreter', at)).toMatchObject({ path: '/lib64/ld-linux-x86-64.so.2', inode: '131085' });
  expect([tree.exitCodeOf(ls), tree.exitSignalOf(ls)]).toEqual([2, undefined]);
});

test('a script that was spawned by clone3 becomes somebody else, gets a thread, and dies of a fault', async () => {
  const { tree: core, ms } = await read('x86_64-enriched.log');
  const { tree } = core;
  const job = core.lifeOf(2010);
  const born = ms(1_700_000_001.003);
  expect(core.creatorOf(2010)).toBe(900);
  expect(core.parentAt(2010, born)).toBe(900);
  const at = ms(1_700_000_001.05);
  expect(tree.executablePathAt(job, at)).toBe('/usr/bin/bash');
  expect(tree.textAt(job, 'interp', at)).toBe('/bin/sh');
  expect(tree.textAt(job, 'comm', at)).toBe('job.sh');
  expect(tree.textAt(job, 'cwd', at)).toBe('/srv/my jobs');
  expect(tree.valueAt(job, 'argv', at)).toEqual(['/bin/sh', './job.sh', 'ä\\xff\n']);
  expect([tree.numberAt(job, 'uid', at), tree.numberAt(job, 'gid', at)]).toEqual([0, 0]);
  const later = ms(1_700_000_001.13);
  expect([tree.numberAt(job, 'uid', later), tree.numberAt(job, 'gid', later)]).toEqual([1001, 1002]);
  expect(tree.textAt(job, 'comm', later)).toBe('my job');
  expect(core.threadsOf(2010)).toEqual([2011]);
  expect([tree.exitCodeOf(job), tree.exitSignalOf(job)]).toEqual([undefined, 11]);
});

test('an old kernel of 32 bits: long arguments over many records, with the ends of events', async () => {
  const { tree: core, status, ms } = await read('i386-raw.log');
  const { tree } = core;
  expect(status).toMatchObject({ state: 'ended', events: 5, rejected: {} });
  const argv = tree.valueAt(core.lifeOf(3001), 'argv', ms(1_500_000_000.55));
  expect(argv).toEqual(['cat', `${'x'.repeat(15_000)}tail`, '-']);
  expect(core.creatorOf(3001)).toBe(3000);
  expect(tree.exitCodeOf(core.lifeOf(3001))).toBe(1);
  expect(core.creatorOf(3002)).toBe(3000);
  expect(tree.numberAt(core.lifeOf(3002), 'uid', ms(1_500_000_000.9))).toBe(33);
});

test('a log of two hosts gives the tree of the first, and says how to get the other', async () => {
  const { tree: core, status, ms } = await read('aarch64-hosts.log');
  expect(status.rejected).toEqual({ 'other-host': 7 });
  expect(status.notices.join(' ')).toMatch(
    /2 hosts: the tree is that of web1\.example.*--host-from NAME: db1\.example/,
  );
  expect(core.creatorOf(4001)).toBe(4000);
  expect(core.tree.valueAt(core.lifeOf(4001), 'argv', ms(1_700_000_000.5))).toEqual(['uname', '-a']);
});

test('another host of a log is shown when it is asked for', async () => {
  const hosts = new HostFilter('db1.example');
  const { tree: core, status } = await read('aarch64-hosts.log', hosts);
  expect(hosts.name).toBe('db1.example');
  expect(status).toMatchObject({ events: 2, rejected: { 'other-host': 7 } });
  expect(core.creatorOf(4001)).toBe(4000);
});
