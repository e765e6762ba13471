// Whose pids /proc shows. The kernel's events have those of the host; in a container
// /proc can have others, and the two must not be taken for each other
// (pid_namespaces(7)).

import { readFileSync, readlinkSync } from 'node:fs';

/** The pid namespace that a kernel starts with has this inode, on every machine (PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';
/** The parent of all threads of the kernel, in that namespace only. */
const KTHREADD = 2;
/** Field of /proc/PID/stat, counted behind the name, and the bit in it that no program can set. */
const FLAGS = 6;
const PF_KTHREAD = 0x0020_0000;

/** Why events of the kernel cannot be put together with /proc as it is here: a clause; undefined where they can. */
export function whyOtherPids(proc = '/proc'): string | undefined {
  if (linkOf(`${proc}/self/ns/pid`) === FIRST_PID_NAMESPACE || isKernelThread(`${proc}/${KTHREADD}/stat`)) {
    return undefined;
  }
  return 'the kernel tells of the whole host, and /proc here shows the processes of a container only, under other numbers; start the container with those of the host (docker: --pid=host, Kubernetes: hostPID)';
}

/** Its own pid as /proc has it: another one where a parent's /proc is left mounted. */
export function ownPid(): number {
  return Number(linkOf('/proc/self') ?? process.pid);
}

function isKernelThread(stat: string): boolean {
  const behindName = textOf(stat)?.split(') ').at(-1) ?? '';
  return (Number(behindName.split(' ')[FLAGS]) & PF_KTHREAD) !== 0;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // without /proc nobody can say
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
