// Names of private tracefs instances, and which of them nobody needs any more.
//
// An instance survives the process that made it. Its name says whose it is:
// `dendro-PID-START`, with the start time that /proc tells of that process, and
// a number behind it for a second one of the same process. It is stale when no
// such process lives. Even then it is only removed as long as nobody reads it:
// the kernel refuses to remove an instance with an open pipe. That protects the
// instance of a dendro whose pid means something else here (a container).

import { readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const NAME = /^dendro-(\d{1,10})-(\d{1,20})(?:-\d{1,5})?$/;

/** First part of the names of this process' instances. */
export function ownInstanceName(): string {
  // The pid that this /proc knows: in a pid namespace without its own /proc, process.pid is another.
  const pid = readlinkSync('/proc/self');
  const start = readStartTicks(pid);
  if (start === undefined) throw new Error('/proc/self/stat cannot be read');
  return `dendro-${pid}-${start}`;
}

/**
 * Removes the instances of dendro processes that have ended.
 * @returns the names of those that are gone
 */
export function removeStaleInstances(instancesFolder: string): string[] {
  return readdirSync(instancesFolder).filter((name) => {
    const [, pid, start] = NAME.exec(name) ?? [];
    if (pid === undefined || readStartTicks(pid) === start) return false;
    return tryRemove(join(instancesFolder, name));
  });
}

/**
 * Removes every instance of this process. For an exit handler: of a main thread whose worker was
 * ended by force, say. Harmless when there is none.
 * @returns are they all gone?
 */
export function removeOwnInstances(instancesFolder: string): boolean {
  const own = ownInstanceName();
  const names = readdirSync(instancesFolder).filter((name) => name === own || name.startsWith(`${own}-`));
  return names.every((name) => removeInstance(join(instancesFolder, name)));
}

const RETRIES = 20;
const RETRY_MS = 10;

/** Removes one instance, waiting up to 200 ms for readers to close. */
export function removeInstance(path: string): boolean {
  for (let i = 0; i < RETRIES; i++) {
    if (tryRemove(path)) return true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
  }
  return false;
}

/** Removing an instance also switches its events off. */
function tryRemove(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'; // else EBUSY: somebody reads it
  }
}

/** Start time of a process in ticks, as text; undefined when there is no such process. */
function readStartTicks(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in brackets and may hold brackets and blanks itself; the start is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
