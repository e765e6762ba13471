// One line of Tracee with every field that it can tell of an exec, and whatever
// of it the tree is there to answer, compared as a whole.

import { ProcessTree, ProcessTreeDataSource } from '@dendro/engine';
import { type EventNs, epochOf, eventTimeOf } from '@dendro/protocol';
import { TraceeDecoder } from '@dendro/sources';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestServer } from './test-server.ts';

const CONTAINER = '0123456789abcdef'.repeat(4);
const SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const START_NS = BigInt(Date.now() - 60_000) * 1_000_000n + 1n;
const EXEC_NS = START_NS + 1_000_000_007n;

/** A script: its loader is that of its interpreter. 64-bit numbers are as large as they get. */
const ARGS = [
  ['cmdpath', 'string', 'str', './run.sh'],
  ['pathname', 'string', 'str', '/srv/run.sh'],
  ['dev', 'uint32', 'u_int32', 4_294_967_295],
  ['inode', 'uint64', 'u_int64', 18_446_744_073_709_551_615n],
  ['ctime', 'uint64', 'u_int64', 1_708_465_191_345_601_525n],
  ['inode_mode', 'uint16', 'u_int32', 0o100755],
  ['interpreter_pathname', 'string', 'str', '/usr/lib/ld-linux-x86-64.so.2'],
  ['interpreter_dev', 'uint32', 'u_int32', 271_581_185],
  ['interpreter_inode', 'uint64', 'u_int64', 9_007_199_254_740_993n],
  ['interpreter_ctime', 'uint64', 'u_int64', 1_668_435_807_645_667_619n],
  ['argv', '[]string', 'str_array', ['./run.sh', '', 'na\u00efve "\u2713"\n', '--x']],
  ['interp', 'string', 'str', '/bin/dash'],
  ['stdin_type', 'uint16', 'u_int32', 8192],
  ['stdin_path', 'string', 'str', '/dev/pts/0'],
  ['invoked_from_kernel', 'bool', 'bool', false],
  ['prev_comm', 'string', 'str', 'bash'],
  ['env', '[]string', 'str_array', ['SECRET=1']],
  ['pwd', 'string', 'str', '/srv'],
  ['sha256', 'string', 'str', SHA256],
] as const;

type Dialect = 'legacy' | 'v1beta1';
const PIDS = { legacy: 4200, v1beta1: 4300 } as const;

function line(dialect: Dialect): string {
  const pid = PIDS[dialect];
  return dialect === 'legacy' ? legacyLine(pid) : v1beta1Line(pid);
}

function legacyLine(pid: number): string {
  return written({
    timestamp: EXEC_NS,
    threadStartTime: START_NS,
    processId: 20,
    threadId: 20,
    parentProcessId: 10,
    hostProcessId: pid,
    hostThreadId: pid,
    hostParentProcessId: pid - 100,
    userId: 1000,
    mountNamespace: 4_026_531_841,
    pidNamespace: 4_026_532_567,
    processName: 'run.sh',
    containerId: CONTAINER,
    container: { id: CONTAINER, name: 'web', image: 'nginx' },
    eventId: '715',
    eventName: 'sched_process_exec',
    args: ARGS.map(([name, type, , value]) => ({ name, type, value })),
  });
}

function v1beta1Line(pid: number): string {
  const data = ARGS.map(([name, , type, value]) => {
    if (type === 'str_array') return { name, [type]: { value } };
    return { name, [type]: typeof value === 'bigint' ? String(value) : value };
  });
  const thread = { start_time: rfc3339(START_NS), name: 'run.sh', host_tid: pid, tid: 20 };
  const process = { host_pid: pid, pid: 20, real_user: { id: 1000 }, thread, ancestors: [{ host_pid: pid - 100 }] };
  const workload = { process, container: { id: CONTAINER, name: 'web' } };
  return written({ timestamp: rfc3339(EXEC_NS), id: 1015, name: 'sched_process_exec', workload, data });
}

/** JSON with bare 64-bit numbers, as Tracee writes them. */
function written(value: object): string {
  const text = JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `bare:${one}` : one));
  return text.replace(/"bare:(\d+)"/g, '$1');
}

function rfc3339(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19);
  return `${date}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`;
}

/** What is to be answered. Of a group, and of the namespace of a v1beta1 line, Tracee tells nothing. */
function expectedInfo(dialect: Dialect): object {
  const pid = PIDS[dialect];
  return {
    taskId: expect.any(Number),
    entityId: expect.any(Number),
    pid,
    nsTid: 20,
    nsPid: 20,
    pidNs: dialect === 'legacy' ? 4_026_532_567 : null,
    ppid: pid - 100,
    nsPpid: null,
    parentTaskId: expect.any(Number),
    parentEntityId: expect.any(Number),
    parentSince: String(START_NS),
    parentSource: 'sighting',
    comm: 'run.sh',
    cmd: ['./run.sh', '', 'na\u00efve "\u2713"\n', '--x'],
    executionBinary: {
      path: '/srv/run.sh',
      device: 4_294_967_295,
      inode: '18446744073709551615',
      ctime: '1708465191345601525',
      mode: 0o100755,
      hash: SHA256,
    },
    interpreter: {
      path: '/usr/lib/ld-linux-x86-64.so.2',
      device: 271_581_185,
      inode: '9007199254740993',
      ctime: '1668435807645667619',
    },
    interp: '/bin/dash',
    cwd: '/srv',
    containerId: CONTAINER,
    uid: 1000,
    gid: null,
    euid: null,
    egid: null,
    startTime: String(START_NS),
    execTime: String(EXEC_NS),
    exitTime: null,
    exitCode: null,
    signal: null,
    isAlive: true,
    isEvicted: false,
    placeholder: false,
    trimmed: [],
    source: 'event',
    threadIds: [{ tid: pid, taskId: expect.any(Number), entityId: expect.any(Number) }],
    childProcessIds: [],
  };
}

describe.each(['legacy', 'v1beta1'] as const)('an exec line of the %s dialect with every field', (dialect) => {
  test('is answered whole by the data source', () => {
    const host = new ProcessTree();
    const decoder = new TraceeDecoder((event) => host.apply(event));
    decoder.push(Buffer.from(line(dialect)));
    decoder.end();
    expect(decoder.rejected).toEqual({});
    const base = host.base ?? { epochNs: 0n };
    const time = eventTimeOf(base, EXEC_NS);
    const task = { pid: PIDS[dialect] };
    const { info } = new ProcessTreeDataSource(host).get({ kind: 'ProcKey', task, time }).process_info;
    const { startTime, execTime, parentSince, isPlaceholder, ...rest } = info;
    const inEpoch = (at: EventNs | undefined) => (at === undefined ? undefined : String(epochOf(base, at)));
    const answer = {
      ...rest,
      startTime: inEpoch(startTime),
      execTime: inEpoch(execTime),
      parentSince: inEpoch(parentSince),
      placeholder: isPlaceholder,
      threadIds: info.threadIds,
      childProcessIds: info.childProcessIds,
    };
    expect(asJson(answer)).toEqual(expectedInfo(dialect));
  });

  describe('over HTTP', () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await TestServer.start();
    });
    afterAll(() => server.stop());

    test('is taken in and answered whole, the environment left out', async () => {
      const posted = await server.post(line(dialect));
      expect(posted.json()).toEqual({ accepted: 1, rejected: {} });
      const answer = await server.get(`/api/v1/processes/pid:${PIDS[dialect]}?at=${EXEC_NS}`);
      expect(answer.json()).toEqual({ timestamp: String(EXEC_NS), info: expectedInfo(dialect) });
      expect(answer.body).not.toContain('SECRET');

      const thread = await server.get(`/api/v1/threads/pid:${PIDS[dialect]}?at=${EXEC_NS}`);
      const { info } = answer.json();
      expect(thread.json()).toEqual({
        timestamp: String(EXEC_NS),
        info: {
          taskId: info.taskId,
          entityId: info.entityId,
          tid: info.pid,
          pid: info.pid,
          nsTid: 20,
          nsPid: 20,
          pidNs: info.pidNs,
          processTaskId: info.taskId,
          processEntityId: info.entityId,
          name: 'run.sh',
          uid: 1000,
          gid: null,
          euid: null,
          egid: null,
          startTime: String(START_NS),
          exitTime: null,
          exitCode: null,
          signal: null,
          isAlive: true,
          placeholder: false,
          trimmed: [],
        },
      });
    });
  });
});

/** What is not known is null in an answer, and left out of a file. */
function asJson(info: object): unknown {
  return JSON.parse(
    JSON.stringify(Object.fromEntries(Object.entries(info).map(([key, value]) => [key, value ?? null]))),
  );
}
