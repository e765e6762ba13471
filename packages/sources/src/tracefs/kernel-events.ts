// The kernel's events that are traced, and what is not known where it lacks one.

export interface KernelEvent {
  readonly system: string;
  readonly name: string;
}

export interface OptionalEvent extends KernelEvent {
  /** For people: what is not seen without it. */
  readonly without: string;
}

/** What a source cannot do without. */
export const REQUIRED_EVENTS: readonly KernelEvent[] = [
  { system: 'task', name: 'task_newtask' },
  { system: 'task', name: 'task_rename' },
  { system: 'sched', name: 'sched_process_exec' },
  { system: 'sched', name: 'sched_process_exit' },
];

/** What it goes on without. */
export const OPTIONAL_EVENTS: readonly OptionalEvent[] = [
  {
    system: 'sched',
    name: 'sched_prepare_exec', // since Linux 6.10
    without: 'what interprets a script is not seen',
  },
  {
    system: 'cgroup',
    name: 'cgroup_attach_task', // since Linux 4.8, with control groups
    without: 'that a process has moved into another container is seen when it runs another program',
  },
];
