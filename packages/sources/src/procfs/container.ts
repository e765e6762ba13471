// Container of a task from /proc/PID/cgroup: one line per hierarchy,
// `number:controllers:path`. Engines name the cgroup of a container by its id,
// 64 hexadecimal digits, alone or in a name of theirs:
//
//   0::/system.slice/docker-<id>.scope          docker, systemd driver
//   4:memory:/docker/<id>                       docker, cgroup v1
//   0::/kubepods.slice/…/cri-containerd-<id>.scope, crio-<id>.scope
//   0::/machine.slice/libpod-<id>.scope
//
// `…-conmon-<id>.scope` is the monitor of a container, which runs outside of it.

const ID = /(?:^|[/:-])(?<!-conmon-)([0-9a-f]{64})(?=$|[./:])/g;

/** The innermost container id that the file names; undefined outside containers. */
export function containerOf(cgroup: string): string | undefined {
  for (const line of cgroup.split('\n')) {
    const path = line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1);
    const ids = [...path.matchAll(ID)];
    if (ids.length > 0) return ids.at(-1)?.[1];
  }
  return undefined;
}
