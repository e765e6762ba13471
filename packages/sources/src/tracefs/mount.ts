// Finds tracefs, and mounts it where it is not mounted, as trace-cmd does.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { DendroError } from '@dendro/protocol';
import { whyOtherPids } from '../procfs/pid-namespace.ts';

export interface Tracefs {
  readonly path: string;
  /** Did this call mount it? */
  readonly isNewMount: boolean;
}

const MOUNT_POINT = '/sys/kernel/tracing';

/** @throws DendroError DENDRO_SOURCE_UNAVAILABLE where there is no tracefs and none can be mounted */
export function ensureTracefs(): Tracefs {
  const mounts = readMounts();
  const mounted = findTracefs(mounts);
  if (mounted !== undefined) return { path: mounted, isNewMount: false };
  if (!isRoot()) throw needsRoot();
  if (!existsSync(MOUNT_POINT)) {
    throw unavailable(
      `this kernel has no tracefs (there is no ${MOUNT_POINT})`,
      'use --source procfs, which works without it',
    );
  }
  const { error, status, stderr } = spawnSync('mount', ['-t', 'tracefs', 'nodev', MOUNT_POINT], { encoding: 'utf8' });
  if (error === undefined && status === 0) return { path: MOUNT_POINT, isNewMount: true };
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  throw unavailable(
    `tracefs is not mounted and mounting it at ${MOUNT_POINT} failed (${why})`,
    `mount it outside and pass it in, or use --source procfs, which works without it`,
  );
}

/** Where tracefs is mounted; undefined where it is not. */
export function findMountedTracefs(): string | undefined {
  return findTracefs(readMounts());
}

export interface Mount {
  readonly path: string;
  readonly type: string;
}

/** Where tracefs is among these mounts: at its usual place if there, else wherever, else inside debugfs. */
export function findTracefs(mounts: readonly Mount[]): string | undefined {
  const paths = mounts.filter(({ type }) => type === 'tracefs').map(({ path }) => path);
  if (paths.includes(MOUNT_POINT)) return MOUNT_POINT;
  if (paths[0] !== undefined) return paths[0];
  // Looking into this folder makes the kernel mount tracefs there.
  return mounts
    .filter(({ type }) => type === 'debugfs')
    .map(({ path }) => `${path}/tracing`)
    .find((path) => existsSync(`${path}/instances`));
}

/** Lines of /proc/PID/mountinfo: `36 35 98:0 /root /mount/point rw,noatime shared:1 - ext3 /dev/root rw`. */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, path, type] = /^\d+ \d+ \S+ \S+ (\S+) .*? - (\S+) /.exec(line) ?? [];
    return path === undefined || type === undefined ? [] : [{ path: unescapeOctal(path), type }];
  });
}

/** @throws DendroError DENDRO_SOURCE_UNAVAILABLE where /proc does not show the host that the kernel tells of */
export function ensurePidsOfHost(): void {
  const why = whyOtherPids();
  if (why !== undefined) throw unavailable(why, 'or use --source procfs, which shows the container');
}

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** The error for a source that cannot be used here: why, and what to do, in one sentence. */
export function unavailable(why: string, hint: string, cause?: unknown): DendroError {
  return new DendroError('DENDRO_SOURCE_UNAVAILABLE', `Source tracefs cannot be used: ${why}; ${hint}.`, { cause });
}

export function needsRoot(cause?: unknown): DendroError {
  return unavailable(
    `it needs root, and this is uid ${process.geteuid?.()}`,
    'start dendro with sudo, or use --source procfs, which works without root',
    cause,
  );
}

function readMounts(): Mount[] {
  try {
    return parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch (cause) {
    throw unavailable('/proc/self/mountinfo cannot be read', 'mount /proc', cause);
  }
}

/** The kernel writes blank, tab, line break and backslash of a path as `\040` and so on. */
function unescapeOctal(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
