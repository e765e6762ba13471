// A private tracefs instance: ring buffers and switches of our own, so that
// nobody else's tracing is touched and nobody else reads our events away.
//
// The order of setting up matters. Writing the clock empties the buffer. Every
// pipe is open before tracing begins. /proc is read after it has begun.

import { closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { DendroError, toError } from '@dendro/protocol';
import { REQUIRED_EVENTS } from './decode.ts';
import { checkRecordHeader, type EventFormat, type PageLayout, parseEventFormat, parsePageLayout } from './format.ts';
import { ownInstanceName, removeInstance, removeOwnInstances, removeStaleInstances } from './instance-name.ts';
import { ensureTracefs, findMountedTracefs, isRoot, needsRoot, unavailable } from './mount.ts';

/** 8 MiB per CPU hold some two seconds of the fastest forking that a CPU is capable of. */
const BUFFER_KB = 8192;
const MIN_BUFFER_KB = 512;
/** Kernel memory for all CPUs together: no more than this part of what the host has. */
const MEMORY_SHARE = 1 / 32;
const MAX_OWN_INSTANCES = 100;
const PROCFS_HINT = 'use --source procfs, which works without it';

/** One CPU of an instance. */
export interface InstanceCpu {
  readonly id: number;
  readonly fd: number;
}

export interface InstanceOptions {
  /** KiB for each CPU. */
  readonly bufferKb?: number | undefined;
}

export class TracefsInstance {
  readonly layout: PageLayout;
  readonly formats: readonly EventFormat[];
  /** Every CPU that the kernel may ever switch on. */
  readonly cpus: readonly InstanceCpu[];
  /** For people: what was done besides setting up. */
  readonly notices: readonly string[];
  readonly #path: string;
  #isRemoved = false;

  private constructor(path: string, notices: readonly string[], bufferKb: number | undefined) {
    this.#path = path;
    this.notices = notices;
    const cpus: InstanceCpu[] = [];
    this.cpus = cpus;
    try {
      this.#write('tracing_on', '0');
      this.#write('trace_clock', 'boot');
      const ids = readdirSync(join(path, 'per_cpu')).flatMap((name) => /^cpu(\d{1,5})$/.exec(name)?.[1] ?? []);
      this.#write('buffer_size_kb', String(bufferKb ?? fittingBufferKb(ids.length)));
      this.layout = parsePageLayout(this.#read('events/header_page'));
      checkRecordHeader(this.#read('events/header_event'));
      this.formats = REQUIRED_EVENTS.map(({ system, name }) =>
        parseEventFormat(this.#read(`events/${system}/${name}/format`)),
      );
      for (const { system, name } of REQUIRED_EVENTS) this.#write(`events/${system}/${name}/enable`, '1');
      for (const id of ids) {
        const pipe = join(path, 'per_cpu', `cpu${id}`, 'trace_pipe_raw');
        cpus.push({ id: Number(id), fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK) });
      }
      this.#write('tracing_on', '1');
    } catch (thrown) {
      this.remove();
      throw unavailable(`its instance cannot be set up (${toError(thrown).message})`, PROCFS_HINT, thrown);
    }
  }

  /**
   * Makes an instance and switches it on; instances of dendro processes that have died are removed first.
   * @throws DendroError DENDRO_SOURCE_UNAVAILABLE
   */
  static open({ bufferKb }: InstanceOptions = {}): TracefsInstance {
    if (!isRoot()) throw needsRoot();
    const tracefs = ensureTracefs();
    const notices = tracefs.isNewMount ? [`tracefs was not mounted: dendro has mounted it at ${tracefs.path}.`] : [];
    const folder = join(tracefs.path, 'instances');
    try {
      const stale = removeStaleInstances(folder);
      if (stale.length > 0) notices.push(`Removed what an earlier run had left behind: ${stale.join(', ')}.`);
      return new TracefsInstance(makeFolder(folder), notices, bufferKb);
    } catch (thrown) {
      if (thrown instanceof DendroError) throw thrown;
      const { code, message } = thrown as NodeJS.ErrnoException;
      if (code === 'EACCES') throw needsRoot(thrown);
      const why =
        code === 'EPERM' ? 'the kernel forbids it (is it locked down?)' : `no instance can be made (${message})`;
      throw unavailable(why, PROCFS_HINT, thrown);
    }
  }

  /**
   * Reads one page of a CPU.
   * @returns bytes read; 0 when there is nothing now, which is never the end
   * @throws Error when the instance is gone
   */
  readPage(cpu: InstanceCpu, page: Buffer): number {
    // An empty pipe answers with an error; without its stack trace that costs a third.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return readSync(cpu.fd, page, 0, this.layout.sizeBytes, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      throw error;
    } finally {
      Error.stackTraceLimit = limit;
    }
  }

  /** Events that the kernel has thrown away on this CPU since the instance began. */
  lostOn(cpu: InstanceCpu): number {
    const stats = this.#read(`per_cpu/cpu${cpu.id}/stats`);
    const countOf = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(stats)?.[1] ?? 0);
    return countOf('overrun') + countOf('dropped events');
  }

  /** Leaves nothing behind. Harmless when repeated. @returns is it gone? */
  remove(): boolean {
    if (this.#isRemoved) return true;
    this.#isRemoved = true;
    for (const { fd } of this.cpus) closeSync(fd);
    return removeInstance(this.#path);
  }

  #read(file: string): string {
    return readFileSync(join(this.#path, file), 'latin1');
  }

  // Without O_TRUNC and O_CREAT: files of tracefs want to be written, not made.
  #write(file: string, text: string): void {
    const fd = openSync(join(this.#path, file), constants.O_WRONLY);
    try {
      writeFileSync(fd, text);
    } finally {
      closeSync(fd);
    }
  }
}

/** Removes every instance of this process, for when the worker that made one was ended by force. */
export function removeOwnInstance(): boolean {
  const path = findMountedTracefs();
  return path === undefined || removeOwnInstances(join(path, 'instances'));
}

function makeFolder(instances: string): string {
  const own = ownInstanceName();
  for (let i = 0; ; i++) {
    const path = join(instances, i === 0 ? own : `${own}-${i}`);
    try {
      mkdirSync(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || i >= MAX_OWN_INSTANCES) throw error;
    }
  }
}

function fittingBufferKb(cpus: number): number {
  const fitting = Math.floor((totalmem() * MEMORY_SHARE) / 1024 / Math.max(1, cpus));
  return Math.max(MIN_BUFFER_KB, Math.min(BUFFER_KB, fitting));
}
