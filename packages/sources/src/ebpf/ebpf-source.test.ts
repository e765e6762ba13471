// The eBPF source on the real kernel: what it says of programs that are special,
// compared with what the file system and the program itself say.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerEvent, ExecEvent, SourceStatus, TaskEvent } from '@dendro/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { EbpfSource } from './ebpf-source.ts';
import { mayUseEbpf } from './refusal.ts';

const CONTAINER = 'c0ffee'.padEnd(64, '0');
const MEMORY_GROUPS = '/sys/fs/cgroup/memory';
const UNIFIED_GROUPS = '/sys/fs/cgroup';
const groups = existsSync(join(MEMORY_GROUPS, 'cgroup.procs')) ? MEMORY_GROUPS : UNIFIED_GROUPS;
const NOBODY = 65_534;
const WAIT = { timeout: 15_000, interval: 20 };

async function whyNoEbpf(): Promise<string | undefined> {
  if (!mayUseEbpf()) return 'no rights or no BTF';
  const source = new EbpfSource();
  try {
    await source.start(() => {});
  } catch (thrown) {
    return String(thrown);
  } finally {
    await source.stop();
  }
  return undefined;
}

const missing = await whyNoEbpf();

describe.skipIf(missing !== undefined)('programs under eBPF (needs root, BTF and libbpf)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dendro ebpf '));
  const group = join(groups, `docker-${CONTAINER}.scope`);
  const events: TaskEvent[] = [];
  let source: EbpfSource;
  let status: SourceStatus;

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    source = new EbpfSource();
    await source.start((event) => events.push(event));
  });
  afterEach(() => {
    events.length = 0;
  });
  afterAll(async () => {
    await source.stop();
    status = source.status();
    rmSync(folder, { recursive: true });
    if (existsSync(group)) rmdirSync(group);
    expect(status.lost).toBe(0);
    expect(status.rejected).toEqual({});
    const { seen, consumed } = source.balance;
    expect(seen).toBe(consumed);
  });

  /** The exec of this file; waits for it. */
  async function execOf(path: string): Promise<ExecEvent> {
    const find = () => events.find((event): event is ExecEvent => event.type === 'exec' && event.filename === path);
    await vi.waitUntil(() => find() !== undefined, WAIT);
    return find() as ExecEvent;
  }

  function copyOf(program: string, name: string): string {
    const path = join(folder, name);
    copyFileSync(program, path);
    return path;
  }

  test('an exec has its arguments, its folder, and its file as stat(2) has it', async () => {
    const path = copyOf('/bin/true', 'a program');
    const file = statSync(path, { bigint: true });
    spawnSync(path, ['with blank', '', 'li\nne', 'ü'], { cwd: folder, argv0: 'another name' });
    expect(await execOf(path)).toMatchObject({
      argv: ['another name', 'with blank', '', 'li\nne', 'ü'],
      cwd: folder,
      comm: 'a program',
      uid: process.getuid?.(),
      executable: {
        path,
        device: Number(file.dev),
        inode: String(file.ino),
        ctime: String(file.ctimeNs),
        mode: Number(file.mode),
        links: 1,
      },
      interp: undefined,
      container: undefined,
    });
  });

  test('arguments beyond 4 kB are cut, and the length that they had is told', async () => {
    const path = copyOf('/bin/true', 'long');
    spawnSync(path, ['x'.repeat(100_000)]);
    const { argv = [] } = await execOf(path);
    expect(argv).toHaveLength(3);
    expect(argv[1]).toBe('x'.repeat(4095 - path.length - 1));
    expect(argv[2]).toBe(`… (cut: the command line has ${path.length + 1 + 100_001} bytes)`);
  });

  test('a script has the file of its interpreter, and what it was named as', async () => {
    const path = join(folder, 'script');
    writeFileSync(path, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    spawnSync(path, ['one']);
    const exec = await execOf(path);
    expect(exec).toMatchObject({ interp: '/bin/sh', argv: ['/bin/sh', path, 'one'] });
    expect(statSync(exec.executable?.path ?? '').ino).toBe(statSync('/bin/sh').ino);
    await vi.waitUntil(() => events.some((event) => event.type === 'exit' && event.pid === exec.pid), WAIT);
    expect(events.find((event) => event.type === 'exit' && event.pid === exec.pid)).toMatchObject({ code: 3 });
  });

  test('[CR1] a setuid program has the user who started it, and the rights of another', async () => {
    const path = copyOf('/bin/true', 'setuid');
    chownSync(path, 0, 0);
    chmodSync(path, 0o4755);
    spawnSync(path, { uid: NOBODY, gid: NOBODY });
    expect(await execOf(path)).toMatchObject({ uid: NOBODY, gid: NOBODY, euid: 0, egid: NOBODY });
  });

  test('a file in memory and a deleted file have no names left', async () => {
    const path = copyOf('/bin/sh', 'deleted');
    spawnSync('perl', [
      '-e',
      'open(F, "<", $ARGV[0]); $^F = 255; open(F, "<", $ARGV[0]); unlink $ARGV[0]; exec "/proc/self/fd/" . fileno(F), "-c", ":"',
      path,
    ]);
    await vi.waitUntil(
      () => events.some((event) => event.type === 'exec' && event.filename?.startsWith('/proc/self/fd/')),
      WAIT,
    );
    const exec = events.find(
      (event): event is ExecEvent => event.type === 'exec' && event.filename?.startsWith('/proc/self/fd/') === true,
    );
    expect(exec?.executable).toMatchObject({ path, links: 0 });
  });

  test('[CO1] a move into the group of a container and out of it is told, and a program there has it', async () => {
    mkdirSync(group, { recursive: true });
    const path = copyOf('/bin/true', 'contained');
    spawnSync('sh', ['-c', `echo $$ > '${group}/cgroup.procs'; '${path}'; echo $$ > '${groups}/cgroup.procs'; :`]);
    expect(await execOf(path)).toMatchObject({ container: CONTAINER });
    const isOut = (event: TaskEvent) => event.type === 'container' && event.container === undefined;
    await vi.waitUntil(() => events.some(isOut), WAIT);
    const move = events.find((event): event is ContainerEvent => event.type === 'container');
    const shell = events.find((event) => event.type === 'fork' && event.pid === move?.pid);
    expect(move).toMatchObject({ container: CONTAINER });
    expect(shell).toBeDefined();
    const out = events.findLast((event): event is ContainerEvent => event.type === 'container');
    expect(out).toMatchObject({ pid: move?.pid, container: undefined });
  });

  // What came last of it once lay over its beginning.
  test('a record is whole in which everything is as long as it can be', async () => {
    const [file, cwd] = ['f', 'c'].map((name) => join(folder, ...Array.from({ length: 5 }, () => name.repeat(255))));
    for (const path of [file, cwd]) mkdirSync(path as string, { recursive: true });
    const path = join(file as string, 'p'.repeat(255));
    copyFileSync('/bin/true', path);
    const levels = Array.from({ length: 4 }, (_, nth) =>
      join(groups, ...Array.from({ length: nth + 1 }, () => 'g'.repeat(200))),
    );
    const inner = join(levels.at(-1) as string, `docker-${CONTAINER}.scope`);
    mkdirSync(inner, { recursive: true });
    try {
      const run = `echo $$ > '${inner}/cgroup.procs'; cd '${cwd}'; '${path}' ${'x'.repeat(6000)}; echo $$ > '${groups}/cgroup.procs'`;
      spawnSync('sh', ['-c', run]);
      const find = () => events.find((event) => event.type === 'exec' && event.comm === 'p'.repeat(15));
      await vi.waitUntil(() => find() !== undefined, WAIT);
      const exec = find() as ExecEvent;
      expect(exec).toMatchObject({ uid: process.getuid?.(), container: CONTAINER });
      expect(exec.argv?.[0]).toBe(path);
      expect(exec.argv?.[1]).toMatch(/^x{2000,}$/);
      expect(exec.executable?.inode).toBe(String(statSync(path).ino));
      expect(exec.executable?.path).toMatch(/f{255}\/p{255}$/);
      expect(exec.cwd).toMatch(/c{255}\/c{255}$/);
    } finally {
      for (const level of [...levels, inner].toReversed()) if (existsSync(level)) rmdirSync(level);
    }
  });

  test('[CR1] who becomes another user is told at once', async () => {
    spawnSync('perl', ['-e', '$( = $) = 7; $< = 12345; $> = 12345; sleep 0']);
    await vi.waitUntil(
      () => events.some((event) => event.type === 'credentials' && event.uid === 12345 && event.euid === 12345),
      WAIT,
    );
    expect(events.findLast((event) => event.type === 'credentials')).toMatchObject({
      uid: 12345,
      euid: 12345,
      gid: 7,
      egid: 7,
    });
  });
});
