// Twenty minutes of a host, as strace wrote them down: who comes and goes, is
// given another program and user, and is left to init when its parent ends.

import { writeFileSync } from 'node:fs';

/** Epoch seconds of its beginning. */
export const MORNING = 1_700_000_000;

const init = 1;
const sshd = 100;
const bash = 101;
const child = 103;

const LINES: readonly (readonly [seconds: number, pid: number, what: string])[] = [
  [0, init, execve('/sbin/init')],
  [1, init, fork(sshd)],
  [1.1, sshd, execve('/usr/sbin/sshd')],
  [1.2, sshd, 'setuid(0)                              = 0'],
  [2, init, fork(400)],
  [2.1, 400, execve('/usr/sbin/cron')],
  [10, sshd, fork(bash)],
  [10.1, bash, execve('/bin/bash')],
  [50, bash, fork(child)],
  [50.1, child, execve('/usr/bin/python3')],
  // Half a minute, and gone.
  [300, bash, fork(200)],
  [300.1, 200, execve('/usr/bin/curl')],
  [330, 200, '+++ exited with 7 +++'],
  [600, sshd, fork(300)],
  [600.1, 300, execve('/usr/sbin/nginx')],
  [700, sshd, 'setuid(1000)                           = 0'],
  [750, child, execve('/usr/bin/ncat')],
  [800, bash, fork(102)],
  [800.1, 102, execve('/usr/bin/worker')],
  [900, bash, '+++ exited with 0 +++'],
  [1200, 400, 'chdir("/")                               = 0'],
];

/** To be played with `--source strace:FILE`. */
export function writeMorning(file: string): void {
  const lines = LINES.map(([seconds, pid, what]) => `${pid} ${(MORNING + seconds).toFixed(6)} ${what}\n`);
  writeFileSync(file, lines.join(''));
}

/** Of the address: so many seconds after its beginning. */
export function morningNs(seconds: number): string {
  return String(BigInt(MORNING + seconds) * 1_000_000_000n);
}

function execve(path: string): string {
  const name = path.split('/').at(-1);
  return `execve("${path}", ["${name}"], 0x7ffd /* 10 vars */) = 0`;
}

function fork(pid: number): string {
  return `clone(child_stack=NULL, flags=SIGCHLD) = ${pid}`;
}
