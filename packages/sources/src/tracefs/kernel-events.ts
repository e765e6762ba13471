// The kernel's events that are traced, and what is not known where it lacks one.

export interface KernelEvent {
  readonly system: string;
  readonly name: string;
  /** In the kernel's language: other records of the event are not wanted. */
  readonly filter?: string;
}

/** Events that are of use together only. */
export interface OptionalEvents {
  /** For people. */
  readonly name: string;
  /** For people: what it is like without them. */
  readonly without: string;
  readonly events: readonly KernelEvent[];
}

/** What a source cannot do without. */
export const REQUIRED_EVENTS: readonly KernelEvent[] = [
  { system: 'task', name: 'task_newtask' },
  { system: 'task', name: 'task_rename' },
  { system: 'sched', name: 'sched_process_exec' },
  { system: 'sched', name: 'sched_process_exit' },
];

/** What it goes on without. */
export const OPTIONAL_EVENTS: readonly OptionalEvents[] = [
  {
    name: 'sched:sched_prepare_exec',
    without: 'what interprets a script is not seen',
    events: [{ system: 'sched', name: 'sched_prepare_exec' }], // since Linux 6.10
  },
  {
    name: 'cgroup:cgroup_attach_task',
    without: 'that a process has moved into another container is seen when it runs another program',
    events: [{ system: 'cgroup', name: 'cgroup_attach_task' }], // since Linux 4.8, with control groups
  },
];

export type IdName = 'uid' | 'gid';

/**
 * Calls that change user or group, real or effective. What setfsuid changes is not kept, and neither unshare nor setns
 * changes who a process is for the host.
 */
export const ID_CALLS: Readonly<Record<string, IdName>> = {
  setuid: 'uid',
  setgid: 'gid',
  setreuid: 'uid',
  setregid: 'gid',
  setresuid: 'uid',
  setresgid: 'gid',
};

/** For where nobody else tells of such changes: as long as any system call is traced, each one on the host takes longer. */
export const ID_EVENTS: OptionalEvents = {
  name: 'system calls',
  without: 'that a process has changed its user or group is seen when it runs another program',
  events: Object.keys(ID_CALLS).map((call) => ({ system: 'syscalls', name: `sys_exit_${call}`, filter: 'ret == 0' })),
};
