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
 * Calls that can change the real user or group, and their first argument. What setfsuid changes is not kept, and neither
 * unshare nor setns changes who a process is for the host.
 */
export const ID_CALLS: Readonly<
  Record<string, { readonly id: IdName; readonly real: string; readonly canKeep: boolean }>
> = {
  setuid: { id: 'uid', real: 'uid', canKeep: false },
  setgid: { id: 'gid', real: 'gid', canKeep: false },
  setreuid: { id: 'uid', real: 'ruid', canKeep: true },
  setregid: { id: 'gid', real: 'rgid', canKeep: true },
  setresuid: { id: 'uid', real: 'ruid', canKeep: true },
  setresgid: { id: 'gid', real: 'rgid', canKeep: true },
};

/**
 * For where nobody else tells of such changes: as long as any system call is traced, each one on the host takes longer.
 * Most calls leave the real id alone (seteuid does), and say so with -1, of 32 bits or of 64.
 */
export const ID_EVENTS: OptionalEvents = {
  name: 'system calls',
  without: 'that a process has changed its user or group is seen when it runs another program',
  events: Object.entries(ID_CALLS).flatMap(([call, { real, canKeep }]) => [
    {
      system: 'syscalls',
      name: `sys_enter_${call}`,
      ...(canKeep ? { filter: `${real} != 0xffffffff && ${real} != 0xffffffffffffffff` } : {}),
    },
    { system: 'syscalls', name: `sys_exit_${call}`, filter: 'ret == 0' },
  ]),
};
