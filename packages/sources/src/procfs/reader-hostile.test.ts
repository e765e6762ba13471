// What /proc is like when it goes wrong: processes that end while they are read,
// files of others, hidden processes, foreign namespaces, hostile contents.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ObserveEvent } from '@dendro/protocol';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { MAX_FILE_BYTES } from './proc-files.ts';
import { CUT_MARK, ProcfsReader } from './reader.ts';

const isRoot = process.getuid?.() === 0;
const can = (...flags: string[]) => isRoot && spawnSync('unshare', [...flags, 'true']).status === 0;
const clock = HostClock.read();
const reader = new ProcfsReader({ clock });
const started: ChildProcess[] = [];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-procfs-'));
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(command: string, ...args: string[]): number {
  const child = spawn(command, args, { stdio: 'ignore' });
  started.push(child);
  if (child.pid === undefined) throw new Error(`${command} did not start`);
  return child.pid;
}

async function read(pid: number, isIt: (seen: ObserveEvent) => boolean): Promise<ObserveEvent> {
  for (const end = Date.now() + 5000; Date.now() < end; ) {
    const seen = reader.readProcess(pid);
    if (seen !== undefined && isIt(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come about');
}

const STAT = '7 (x) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9876 0 0';

/** A /proc with one process, whose command line is only written once `script` has changed what is around it. */
function slowProc(script: string): { readonly root: string } {
  const root = mkdtempSync(join(folder, 'proc-'));
  mkdirSync(join(root, '7'));
  writeFileSync(join(root, '7/stat'), STAT);
  spawnSync('mkfifo', [join(root, '7/cmdline')]);
  const child = spawn('sh', ['-c', `exec 3>7/cmdline; ${script}; printf 'a\\0b\\0' >&3`], {
    cwd: root,
    stdio: 'ignore',
  });
  started.push(child);
  return { root };
}

test('of a process that has gone before the last file is read nothing is sure, and nothing is made up', () => {
  const { root } = slowProc('rm 7/stat');
  const reading = new ProcfsReader({ clock, root }).tryProcess(7);
  expect(reading).toMatchObject({ isSure: false, seen: { pid: 7, comm: 'x', argv: ['a', 'b'] } });
  for (const field of ['executable', 'cwd', 'uid', 'gid', 'nsPid', 'pidNs', 'container'] as const) {
    expect(reading?.seen[field]).toBeUndefined();
  }
});

test('who asks for what is sure gets nothing of a process that has gone while it was read', () => {
  const { root } = slowProc('rm 7/stat');
  expect(new ProcfsReader({ clock, root }).readProcess(7)).toBeUndefined();
});

test('of a process that has become a zombie while it was read only what is left of it is sure', () => {
  const { root } = slowProc(`echo '${STAT.replace(' S 1 ', ' Z 1 ')}' > 7/stat`);
  const seen = new ProcfsReader({ clock, root }).readProcess(7);
  expect(seen).toMatchObject({ pid: 7, comm: 'x', ppid: 1 });
  expect(seen?.argv).toBeUndefined();
});

test('a command line of 2 MB is read up to its limit', async () => {
  const blocks = Array.from({ length: 16 }, (_, i) => String.fromCharCode(97 + i).repeat(120_000));
  const pid = start('perl', '-e', 'sleep 600', ...blocks);
  const { argv = [] } = await read(pid, ({ argv }) => argv?.[0] === 'perl');
  expect(argv.at(-1)).toBe(CUT_MARK);
  expect(argv.slice(0, 4)).toEqual(['perl', '-e', 'sleep 600', blocks[0]]);
  expect(argv.join('\0').length).toBeLessThanOrEqual(MAX_FILE_BYTES + CUT_MARK.length + 1);
});

test('arguments that are no UTF-8 and a path with line breaks are read as far as they are text', async () => {
  const program = join(folder, 'line\nbreak (x)\nUid:\t7\t7\t7\t7');
  copyFileSync('/bin/sleep', program);
  const seen = await read(start(program, '600'), ({ executable }) => executable?.path.startsWith(folder) === true);
  expect(seen).toMatchObject({ executable: { path: program }, argv: [program, '600'], uid: process.getuid?.() });
  const odd = start('perl', '-e', 'exec("perl", "-e", "sleep 600", "\\xff\\xfe")');
  expect((await read(odd, ({ argv }) => argv?.[2] === 'sleep 600')).argv?.[3]).toBe('\ufffd\ufffd');
});

test.skipIf(!isRoot)('[CR1] user and group are the real ones, whatever rights are borrowed (needs root)', async () => {
  const borrowed = start('perl', '-e', '$) = 65534; $> = 65534; $0 = "borrowed"; sleep 600');
  expect(await read(borrowed, ({ argv }) => argv?.[0] === 'borrowed')).toMatchObject({ uid: 0, gid: 0 });
  const given = start('setpriv', '--reuid=65534', '--regid=65533', '--clear-groups', 'sleep', '600');
  expect(await read(given, ({ comm }) => comm === 'sleep')).toMatchObject({ uid: 65534, gid: 65533 });
});

test.skipIf(!can('--user', '--map-root-user'))(
  'who is root in a user namespace is who it is outside (needs user namespaces)',
  async () => {
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    const pid = start('setpriv', ...nobody, 'unshare', '--user', '--map-root-user', 'sleep', '600');
    expect(await read(pid, ({ comm }) => comm === 'sleep')).toMatchObject({ uid: 65534, gid: 65534 });
  },
);

/** Runs a script that has `clock` and `reader`, and gives what it prints. */
function script(body: string, command: string, ...args: string[]): unknown {
  const code = `
    const { HostClock } = await import(${JSON.stringify(new URL('../host-clock.ts', import.meta.url).href)});
    const { ProcfsReader } = await import(${JSON.stringify(new URL('./reader.ts', import.meta.url).href)});
    const clock = HostClock.read();
    const reader = new ProcfsReader({ clock });
    ${body}`;
  const { stdout, stderr } = spawnSync(command, [...args, process.execPath, '--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test.skipIf(!can('--time', '--boottime', '100000'))(
  'in a time namespace a process has begun when it has begun (needs root and time namespaces)',
  () => {
    const age = script(
      'console.log(JSON.stringify((clock.now() - reader.readProcess(process.pid).start) / 1e9));',
      ...(['unshare', '--time', '--boottime', '100000', '--fork'] as const),
    );
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(60);
  },
);

// The source lies where only root may look, perhaps: the right to read it is kept.
const AS_NOBODY =
  '--reuid=65534 --regid=65534 --clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search';
const SCAN = `
  const events = [...reader.wholeScan()];
  const isSeen = (pid) => events.some((event) => event.pid === pid);
  console.log(JSON.stringify({ last: events.at(-1), init: isSeen(1), self: isSeen(process.pid) }));`;

test.skipIf(!can('--mount')).each([1, 2])(
  'a scan of a /proc with hidepid=%i ends nobody for not being seen (needs root and mount namespaces)',
  (hidepid) => {
    const mount = `mount -t proc -o hidepid=${hidepid} proc /proc && exec setpriv ${AS_NOBODY} "$@"`;
    const { last, init, self } = script(SCAN, 'unshare', '--mount', 'sh', '-c', mount, 'sh') as {
      last: { type: string; from: number | null };
      init: boolean;
      self: boolean;
    };
    expect({ init, self }).toEqual({ init: false, self: true });
    expect(last).toMatchObject({ type: 'scan', from: null }); // JSON has no -Infinity
  },
);

test('a scan of all there is says so', () => {
  const from = clock.now();
  const last = [...reader.wholeScan()].at(-1);
  expect(last?.type === 'scan' && last.from >= from).toBe(true);
});

test('processes are read while they come and go, whatever there is left of them', async () => {
  const before = new Set(reader.pids());
  const storm = start('sh', '-c', 'while :; do /bin/true; (exit 3); /bin/true | /bin/true; done');
  await read(storm, ({ argv }) => argv?.[0] === 'sh');
  let ended = 0;
  const [least, most] = [Date.now() + 500, Date.now() + 20_000];
  while (Date.now() < least || (ended === 0 && Date.now() < most)) {
    for (const pid of reader.pids().filter((pid) => !before.has(pid))) {
      const reading = reader.tryProcess(pid);
      if (reading === undefined) continue;
      if (!reading.isSure) ended++;
      expect(reading.seen.pid).toBe(pid);
      expect(reading.seen.argv ?? ['sh']).not.toContain('');
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(ended).toBeGreaterThan(0);
  expect(reader.rejected).toEqual({});
});
