// Container of a task from /proc/PID/cgroup: one line per hierarchy,
// `number:controllers:path`. Engines name the cgroup of a container by its id,
// 64 hexadecimal digits, alone or behind their own name:
//
//   0::/system.slice/docker-<id>.scope                  systemd driver
//   4:memory:/docker/<id>                               cgroupfs driver
//   0::/kubepods.slice/…/cri-containerd-<id>.scope      Kubernetes; crio-<id>.scope
//   5:cpu:/system.slice/…-pod1.slice:cri-containerd:<id>
//   0::/machine.slice/libpod-<id>.scope/container       podman
//
// The same digits elsewhere are no container: `libpod-conmon-<id>.scope` is the
// monitor of one, `<id>.service` its health check, `libpod_pod_<id>.slice` the
// group of a pod; all of them run on the host.

const ENGINES = 'docker|cri-containerd|containerd|crio|libpod|libpod-payload|podman|nerdctl';
const CONTAINER = new RegExp(`^(?:(?:${ENGINES})-)?([0-9a-f]{64})(?:\\.scope)?$`);
/** What cgroup v2 writes behind the path of a group that is gone. */
const DELETED = ' (deleted)';

/** The innermost container id that the file names; undefined outside containers. */
export function containerOf(cgroup: string): string | undefined {
  let depth = 0;
  let container: string | undefined;
  // With several hierarchies, not every one need follow a container into the one it runs in.
  for (const line of cgroup.split('\n')) {
    const ids = containersIn(line);
    if (ids.length <= depth) continue;
    depth = ids.length;
    container = ids.at(-1);
  }
  return container;
}

/** The containers in the path of one line, from the outermost to the innermost. */
function containersIn(line: string): string[] {
  const path = line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1);
  const ids: string[] = [];
  for (const group of (path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path).split('/')) {
    const id = CONTAINER.exec(group.slice(group.lastIndexOf(':') + 1))?.[1];
    if (id !== undefined) ids.push(id);
  }
  return ids;
}
