// On the real kernel, in instances of our own.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DendroError } from '@dendro/protocol';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  missingIn,
  parseCpuList,
  readFormats,
  readOptionalFormats,
  removeOwnInstance,
  TracefsInstance,
} from './instance.ts';
import { ensureTracefs } from './mount.ts';

const isRoot = process.geteuid?.() === 0;
const canUnshare = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;
const INSTANCE_MODULE = new URL('./instance.ts', import.meta.url).href;

/** A module that opens an instance and says its path and notices, or its error. */
const OPEN = `
  const { TracefsInstance } = await import(${JSON.stringify(INSTANCE_MODULE)});
  try {
    const instance = TracefsInstance.open({ bufferKb: 64 });
    console.log(JSON.stringify({ path: instance.path, notices: instance.notices }));
  } catch ({ code, message }) {
    console.log(JSON.stringify({ code, message }));
  }
`;
const STAY = `${OPEN}; setInterval(() => {}, 1000);`;

interface Opened {
  readonly path?: string;
  readonly notices?: readonly string[];
  readonly code?: string;
  readonly message?: string;
}

const children: ChildProcess[] = [];
const instances: TracefsInstance[] = [];

afterEach(async () => {
  for (const instance of instances.splice(0)) instance.remove();
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

function open(): TracefsInstance {
  const instance = TracefsInstance.open({ bufferKb: 64 });
  instances.push(instance);
  return instance;
}

async function openInChild(): Promise<{ child: ChildProcess; path: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', STAY], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, path: (JSON.parse(line.toString()) as Opened).path! };
}

/** For a mount namespace of one's own: nothing left of tracefs, wherever it was. */
const UNMOUNT = 'umount -R /sys/kernel/debug 2>/dev/null || true; umount /sys/kernel/tracing';

/** What opening says after a shell has prepared a mount namespace of its own. */
function openAfter(preparation: string, run = '"$NODE"'): Opened {
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['-m', 'sh', '-ec', `${preparation}\nexec ${run} --input-type=module -e "$SCRIPT; process.exit()"`],
    {
      encoding: 'utf8',
      env: { ...process.env, NODE: process.execPath, SCRIPT: `${OPEN}` },
    },
  );
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Opened;
}

describe.skipIf(!isRoot)('a private instance (only root may make one)', () => {
  test('has our events, the boot clock and an open pipe for each CPU, and goes away without a trace', () => {
    const instance = open();
    const read = (name: string) => readFileSync(join(instance.path, name), 'utf8').trim();

    expect(basename(instance.path)).toMatch(/^dendro-\d+-\d+(-\d+)?$/);
    expect(read('tracing_on')).toBe('1');
    expect(read('trace_clock')).toContain('[boot]');
    expect(read('events/task/task_newtask/enable')).toBe('1');
    expect(read('events/sched/sched_switch/enable')).toBe('0');
    expect(instance.cpus.map(({ id }) => `cpu${id}`)).toEqual(readdirSync(join(instance.path, 'per_cpu')));
    expect(instance.isIntact()).toBe(true);

    expect(instance.remove()).toBe(true);
    expect(existsSync(instance.path)).toBe(false);
    expect(instance.remove()).toBe(true);
  });

  test('is found to be changed when somebody else switches something, and switched back', () => {
    const instance = open();
    for (const [file, text] of [
      ['tracing_on', '0'],
      ['trace_clock', 'local'],
      ['events/task/task_rename/enable', '0'],
      ['events/enable', '0'],
    ] as const) {
      writeFileSync(join(instance.path, file), text);
      expect(instance.isIntact()).toBe(false);
      instance.arm();
      expect(instance.isIntact()).toBe(true);
    }
  });

  test('traces calls that change user and group when asked to, and only those that may', () => {
    const instance = open();
    if (instance.missing.some(({ name }) => name === 'system calls')) return; // such a kernel there is, too
    const read = (name: string) => readFileSync(join(instance.path, 'events/syscalls', name), 'utf8').trim();
    expect(read('enable')).toBe('0');
    instance.traceIdCalls();
    const names = ['sys_exit_setuid', 'sys_exit_setresgid', 'sys_enter_setuid', 'sys_exit_setfsuid'];
    expect(names.map((name) => read(`${name}/enable`))).toEqual(['1', '1', '0', '0']);
    expect(read('sys_exit_setuid/filter')).toBe('ret == 0');
    expect(instance.isIntact()).toBe(true);
    writeFileSync(join(instance.path, 'events/syscalls/sys_exit_setuid/enable'), '0');
    expect(instance.isIntact()).toBe(false);
    instance.arm();
    expect(instance.isIntact()).toBe(true);
  });

  test('two of one process have names of their own', () => {
    expect(open().path).not.toBe(open().path);
  });

  test('stays as long as somebody else reads it, and goes when they stop', () => {
    const instance = open();
    const reader = openSync(join(instance.path, 'per_cpu/cpu0/trace_pipe_raw'), 'r');
    try {
      expect(instance.remove()).toBe(false);
    } finally {
      closeSync(reader);
    }
    expect(instance.remove()).toBe(true);
  });

  test('of a killed process is removed at the next start, which says so', async () => {
    const { child, path } = await openInChild();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(path)).toBe(true);

    expect(open().notices.join()).toContain(basename(path));
    expect(existsSync(path)).toBe(false);
  });

  test('of a living dendro is left alone', async () => {
    const { path } = await openInChild();
    open();

    expect(existsSync(path)).toBe(true);
  });

  test('of a pid that was given out again is stale, unless somebody reads it; other names are nobody of ours', () => {
    const folder = join(ensureTracefs().path, 'instances');
    const stale = join(folder, `dendro-${process.pid}-1`);
    const inUse = join(folder, 'dendro-4194303-1');
    const foreign = join(folder, `dendro-test-${process.pid}`);
    for (const path of [stale, inUse, foreign]) mkdirSync(path);
    const reader = openSync(join(inUse, 'per_cpu/cpu0/trace_pipe_raw'), 'r');
    try {
      open();
      expect([stale, inUse, foreign].map((path) => existsSync(path))).toEqual([false, true, true]);
    } finally {
      closeSync(reader);
      for (const path of [inUse, foreign]) rmdirSync(path);
    }
  });

  test('of a worker that was ended by force is removed by the main thread', async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       import(${JSON.stringify(INSTANCE_MODULE)}).then(({ TracefsInstance }) =>
         parentPort.postMessage(TracefsInstance.open({ bufferKb: 64 }).path));
       setInterval(() => {}, 1000);`,
      { eval: true },
    );
    const [path] = (await once(worker, 'message')) as [string];
    expect(existsSync(path)).toBe(true);
    await worker.terminate();

    expect(removeOwnInstance()).toBe(true);
    expect(existsSync(path)).toBe(false);
  });
});

describe.skipIf(!canUnshare)('what can be in the way (needs root and mount namespaces)', () => {
  beforeAll(() => {
    ensureTracefs();
  });

  test('tracefs that is not mounted is mounted, which is said', () => {
    const { path, notices } = openAfter(UNMOUNT);

    expect(path).toMatch(/^\/sys\/kernel\/tracing\/instances\/dendro-/);
    expect(notices?.[0]).toBe('tracefs was not mounted: dendro has mounted it at /sys/kernel/tracing.');
    open(); // takes away what the child left behind
    expect(existsSync(path!)).toBe(false);
  });

  test.each<[string, string, string | undefined, RegExp]>([
    ['no capability to mount', UNMOUNT, 'setpriv --bounding-set=-sys_admin "$NODE"', /mounting it .* failed \(.+\)/],
    ['a kernel without tracefs', `${UNMOUNT}; mount -t tmpfs none /sys/kernel`, undefined, /has no tracefs/],
    [
      'tracefs mounted read-only',
      'mount --bind /sys/kernel/tracing /sys/kernel/tracing; mount -o remount,bind,ro /sys/kernel/tracing',
      undefined,
      /mounted read-only/,
    ],
    [
      'a folder without what tracefs has',
      'mount -t tmpfs none /sys/kernel/tracing/instances',
      undefined,
      /lacks something \(ENOENT.*header_page/,
    ],
  ])('%s gives one sentence that says why and what to do', (_what, preparation, run, why) => {
    const { code, message } = openAfter(preparation, run);

    expect(code).toBe('DENDRO_SOURCE_UNAVAILABLE');
    expect(message).toMatch(why);
    expect(message).toMatch(/^Source tracefs cannot be used: [^\n]+ --source procfs[^\n]*\.$/);
  });
});

test('a user who is not root is told what to do', () => {
  const { stdout } = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `await import(${JSON.stringify(INSTANCE_MODULE)});
      if (process.geteuid() === 0) process.seteuid(65534); ${OPEN}`,
    ],
    { encoding: 'utf8' },
  );
  const { code, message } = JSON.parse(stdout) as Opened;

  expect(code).toBe('DENDRO_SOURCE_UNAVAILABLE');
  expect(message).toMatch(/it needs root, and this is uid \d+; start dendro with sudo, or use --source procfs/);
});

test('a tracefs without instances, or one where nothing can be made, is explained and left as it was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dendro-tracefs-'));
  const openThere = () => {
    try {
      TracefsInstance.open({ tracefs: { path: folder, isNewMount: false } });
    } catch (error) {
      return error as DendroError;
    }
    return undefined;
  };
  try {
    expect(openThere()).toMatchObject({
      code: 'DENDRO_SOURCE_UNAVAILABLE',
      message: expect.stringMatching(/lacks something.*instances/),
    });
    mkdirSync(join(folder, 'instances'));
    expect(openThere()).toMatchObject({
      code: 'DENDRO_SOURCE_UNAVAILABLE',
      message: expect.stringMatching(/header_page/),
    });
    expect(readdirSync(join(folder, 'instances'))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('an event that the kernel does not have is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dendro-events-'));
  const recorded = join(import.meta.dirname, '../../../testkit/recordings/core-strace/formats');
  try {
    for (const name of ['task/task_newtask', 'task/task_rename', 'sched/sched_process_exec']) {
      const path = join(folder, name, 'format');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, readFileSync(join(recorded, `${name.replace('/', ':')}.format`)));
    }
    expect(() => readFormats(folder)).toThrow(DendroError);
    expect(() => readFormats(folder)).toThrow('this kernel has no trace event sched:sched_process_exit; use --source');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('formats of events that a kernel may lack are read where they are there and make sense', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dendro-events-'));
  const path = join(folder, 'sched/sched_prepare_exec/format');
  try {
    expect(readOptionalFormats(folder)).toEqual([]);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'no format');
    expect(readOptionalFormats(folder)).toEqual([]);
    writeFileSync(path, 'name: sched_prepare_exec\nID: 7\nformat:\n');
    expect(readOptionalFormats(folder)).toEqual([]);
    const recorded = '../../../testkit/recordings/core-strace/formats/sched:sched_prepare_exec.format';
    writeFileSync(path, readFileSync(join(import.meta.dirname, recorded)));
    const formats = readOptionalFormats(folder);
    expect(formats.map(({ name }) => name)).toEqual(['sched_prepare_exec']);
    expect(missingIn([]).map(({ name }) => name)).toContain('sched:sched_prepare_exec');
    expect(missingIn(formats).map(({ name }) => name)).toEqual(['cgroup:cgroup_attach_task', 'system calls']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the kernel's way to write a set of CPUs is understood", () => {
  expect([...parseCpuList('0-3,8,10-11\n')]).toEqual([0, 1, 2, 3, 8, 10, 11]);
  expect([...parseCpuList('\n')]).toEqual([]);
});
