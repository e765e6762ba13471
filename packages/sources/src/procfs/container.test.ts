// Contents of /proc/PID/cgroup as engines make them.

import { expect, test } from 'vitest';
import { containerOf } from './container.ts';

const A = '0123456789abcdef'.repeat(4);
const B = 'fedcba9876543210'.repeat(4);
const POD = '8e2c1a5d-13f3-4b6e-9a0c-2f1f0f2b7c11';
const POD_UNIT = POD.replaceAll('-', '_');

test.each([
  ['docker, systemd driver', `0::/system.slice/docker-${A}.scope`],
  ['docker, cgroupfs driver, v2', `0::/docker/${A}`],
  [
    'docker, v1',
    `12:pids:/docker/${A}\n11:memory:/docker/${A}\n1:name=systemd:/docker/${A}\n0::/system.slice/containerd.service`,
  ],
  ['docker, hybrid: the unified line names none', `5:memory:/docker/${A}\n1:name=systemd:/docker/${A}\n0::/`],
  [
    'docker, hybrid: only the unified line names it',
    `5:memory:/\n1:name=systemd:/\n0::/system.slice/docker-${A}.scope`,
  ],
  ['docker without root', `0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-${A}.scope`],
  ['docker with a cgroup parent of its own', `0::/actions_job/${A}`],
  ['docker with systemd inside', `0::/system.slice/docker-${A}.scope/system.slice/ssh.service`],
  ['docker with systemd inside, v1', `1:name=systemd:/docker/${A}/init.scope\n0::/docker/${A}/init.scope`],
  ['docker seen from another cgroup namespace', `0::/../docker-${A}.scope`],
  ['docker, the group already removed', `0::/system.slice/docker-${A}.scope (deleted)`],
  ['Amazon ECS', `9:perf_event:/ecs/9ad0c1f9a4f04a1b8a2c3d4e5f607182/${A}`],
  ['kubepods, cgroupfs', `0::/kubepods/burstable/pod${POD}/${A}`],
  ['kubepods, guaranteed, v1', `8:cpu,cpuacct:/kubepods/pod${POD}/${A}\n0::/`],
  [
    'containerd under Kubernetes',
    `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${POD_UNIT}.slice/cri-containerd-${A}.scope`,
  ],
  [
    'containerd under Kubernetes, its runtime told slice, name and id',
    `5:cpu:/system.slice/containerd.service/kubepods-besteffort-pod${POD_UNIT}.slice:cri-containerd:${A}`,
  ],
  [
    'kubelet in kind: a container in a container',
    `0::/system.slice/docker-${B}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${POD_UNIT}.slice/cri-containerd-${A}.scope`,
  ],
  ['cri-o', `0::/kubepods.slice/kubepods-pod${POD_UNIT}.slice/crio-${A}.scope`],
  ['cri-o, cgroupfs', `0::/kubepods/besteffort/pod${POD}/crio-${A}`],
  ['cri-o with crun', `0::/kubepods.slice/kubepods-pod${POD_UNIT}.slice/crio-${A}.scope/container`],
  ['nerdctl', `0::/system.slice/nerdctl-${A}.scope`],
  ['containerd, cgroupfs', `0::/default/${A}`],
  ['podman', `0::/machine.slice/libpod-${A}.scope/container`],
  ['podman, v1', `10:devices:/machine.slice/libpod-${A}.scope\n1:name=systemd:/machine.slice/libpod-${A}.scope`],
  ['podman, cgroupfs', `0::/libpod_parent/libpod-${A}`],
  ['podman without root', `0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${A}.scope/container`],
  ['podman in a pod', `0::/machine.slice/machine-libpod_pod_${B}.slice/libpod-${A}.scope`],
  ['podman in a unit of systemd', `0::/system.slice/web.service/libpod-payload-${A}`],
  ['docker in docker', `0::/system.slice/docker-${B}.scope/docker/${A}`],
  ['docker in docker, v1', `4:memory:/docker/${B}/docker/${A}\n3:pids:/docker/${B}/docker/${A}`],
  [
    'docker in docker, where one hierarchy stays outside',
    `4:memory:/docker/${B}\n3:pids:/docker/${B}/docker/${A}\n0::/`,
  ],
  ['podman in docker', `0::/docker/${B}/libpod_parent/libpod-${A}`],
])('the container is found: %s', (_form, cgroup) => {
  expect(containerOf(`${cgroup}\n`)).toBe(A);
});

test.each([
  ['nothing', ''],
  ['the root', '0::/'],
  ['a session', '0::/user.slice/user-0.slice/session-1.scope'],
  ['a service', '12:pids:/system.slice/docker.service\n0::/system.slice/docker.service'],
  ['the monitor of podman', `0::/machine.slice/libpod-conmon-${A}.scope`],
  ['the monitor of cri-o', `0::/system.slice/crio-conmon-${A}.scope`],
  ['a health check of podman', `0::/system.slice/${A}.service`],
  ['a later health check of podman', `0::/system.slice/${A}-7c3d2e1f00aa55bb.service`],
  ['the slice of a pod', `0::/machine.slice/machine-libpod_pod_${A}.slice`],
  ['the group of a Kubernetes pod', `0::/kubepods.slice/kubepods-pod${POD_UNIT}.slice`],
  ['a digit too many', `0::/docker/${A}0`],
  ['a digit too few', `0::/docker/${A.slice(1)}`],
  ['other digits', `0::/docker/${A.toUpperCase()}`],
  ['something of another name', `0::/user.slice/backup-${A}.scope`],
  ['digits in the name of a hierarchy', `1:name=${A}:/`],
  ['no line of the kernel', `${A}`.slice(0, 30)],
])('nothing else is a container: %s', (_form, cgroup) => {
  expect(containerOf(cgroup)).toBeUndefined();
});
