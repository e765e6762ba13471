// A private tracefs instance: ring buffers and switches of our own, so that
// nobody else's tracing is touched and nobody else reads our events away.
//
// The order of setting up matters. Writing the clock empties the buffer. Every
// pipe is open before tracing begins. /proc is read after it has begun.

import { closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { DendroError, toError } from '@dendro/protocol';
import { checkRecordHeader, type EventFormat, type PageLayout, parseEventFormat, parsePageLayout } from './format.ts';
import { ownInstanceName, removeInstance, removeOwnInstances, removeStaleInstances } from './instance-name.ts';
import { ID_EVENTS, type KernelEvent, OPTIONAL_EVENTS, type OptionalEvents, REQUIRED_EVENTS } from './kernel-events.ts';
import { ensureTracefs, findMountedTracefs, isRoot, needsRoot, type Tracefs, unavailable } from './mount.ts';
import { isOptional } from './optional-records.ts';

/** 8 MiB per CPU hold some two seconds of the fastest forking that a CPU is capable of. */
const BUFFER_KB = 8192;
const MIN_BUFFER_KB = 512;
/** Kernel memory for all CPUs together: no more than this part of what the host has. */
const MEMORY_SHARE = 1 / 32;
const MAX_OWN_INSTANCES = 100;
const MAX_CPUS = 1 << 16;
const PROCFS_HINT = 'use --source procfs, which works without it';

/** One CPU of an instance. */
export interface InstanceCpu {
  readonly id: number;
  /** Its raw pipe, which does not block. */
  readonly fd: number;
}

export interface InstanceOptions {
  /** KiB for each CPU. */
  readonly bufferKb?: number | undefined;
  /** Traces nothing but this thread and what descends from it from now on. */
  readonly launcherTid?: number | undefined;
  /** Where tracefs is; else it is looked for, and mounted where it is not. */
  readonly tracefs?: Tracefs | undefined;
}

export class TracefsInstance {
  readonly path: string;
  readonly layout: PageLayout;
  readonly formats: readonly EventFormat[];
  /** Every CPU that the kernel may ever switch on. */
  readonly cpus: readonly InstanceCpu[];
  /** KiB for each CPU: what the kernel has given. */
  readonly bufferKb: number;
  /** For people: what was done besides setting up. */
  readonly notices: readonly string[];
  #events: readonly KernelEvent[];
  #missing: readonly OptionalEvents[];
  #isRemoved = false;

  private constructor(path: string, notices: readonly string[], { bufferKb, launcherTid }: InstanceOptions) {
    this.path = path;
    this.notices = notices;
    const cpus: InstanceCpu[] = [];
    this.cpus = cpus;
    try {
      this.layout = parsePageLayout(this.#read('events/header_page'));
      checkRecordHeader(this.#read('events/header_event'));
      const optional = readOptionalFormats(join(path, 'events'));
      this.formats = [...readFormats(join(path, 'events')), ...optional];
      this.#missing = missingIn(optional);
      const traced = OPTIONAL_EVENTS.filter((group) => !this.#missing.includes(group));
      this.#events = [...REQUIRED_EVENTS, ...traced.flatMap(({ events }) => events)];
      const ids = readdirSync(join(path, 'per_cpu')).flatMap((name) => /^cpu(\d{1,5})$/.exec(name)?.[1] ?? []);
      this.#write('tracing_on', '0');
      this.#resize(bufferKb ?? fittingBufferKb(ids.length));
      this.bufferKb = Number.parseInt(this.#read(`per_cpu/cpu${ids[0] ?? 0}/buffer_size_kb`), 10);
      for (const id of ids) {
        const pipe = join(path, 'per_cpu', `cpu${id}`, 'trace_pipe_raw');
        cpus.push({ id: Number(id), fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK) });
      }
      if (launcherTid !== undefined) {
        this.#write('options/event-fork', '1');
        this.traceToo(launcherTid);
      }
      this.arm();
    } catch (thrown) {
      this.remove();
      throw thrown;
    }
  }

  /**
   * Makes an instance and switches it on; instances of dendro processes that have died are removed first.
   * @throws DendroError DENDRO_SOURCE_UNAVAILABLE; nothing is left behind then
   */
  static open(options: InstanceOptions = {}): TracefsInstance {
    const { tracefs = ensureTracefs() } = options;
    const notices = tracefs.isNewMount ? [`tracefs was not mounted: dendro has mounted it at ${tracefs.path}.`] : [];
    const folder = join(tracefs.path, 'instances');
    try {
      const stale = removeStaleInstances(folder);
      if (stale.length > 0) notices.push(`Removed what an earlier run had left behind: ${stale.join(', ')}.`);
      return new TracefsInstance(makeFolder(folder), notices, options);
    } catch (thrown) {
      throw explain(toError(thrown), tracefs.path);
    }
  }

  /** Switches tracing on. A repetition puts right what somebody else has changed, and empties the buffers. */
  arm(): void {
    this.#write('tracing_on', '0');
    this.#write('trace_clock', 'boot');
    for (const event of this.#events) this.#enable(event);
    this.#write('tracing_on', '1');
  }

  /** What this kernel does not tell of, or not to us. */
  get missing(): readonly OptionalEvents[] {
    return this.#missing;
  }

  /** Traces the calls that change user and group, too. */
  traceIdCalls(): void {
    if (this.#missing.includes(ID_EVENTS)) return;
    try {
      for (const event of ID_EVENTS.events) this.#enable(event);
      this.#events = [...this.#events, ...ID_EVENTS.events];
    } catch {
      this.#missing = [...this.#missing, ID_EVENTS]; // which the source says
    }
  }

  /** Traces one more thread, where not all are traced. */
  traceToo(tid: number): void {
    this.#write('set_event_pid', String(tid), constants.O_APPEND);
  }

  /** Living threads that are traced, where not all are. */
  tracedTids(): number[] {
    return this.#read('set_event_pid')
      .split('\n')
      .flatMap((line) => (/^\d+$/.test(line) ? Number(line) : []));
  }

  /** Switches tracing off. What the buffers hold can still be read. */
  disarm(): void {
    this.#write('tracing_on', '0');
  }

  /** False as soon as somebody else has switched off tracing or one of our events, or taken another clock. */
  isIntact(): boolean {
    return (
      this.#read('tracing_on').startsWith('1') &&
      this.#read('trace_clock').includes('[boot]') &&
      this.#events.every(({ system, name }) => this.#read(`events/${system}/${name}/enable`).startsWith('1'))
    );
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
      const code = codeOf(error);
      if (code === 'EAGAIN' || code === 'EINTR') return 0;
      throw error;
    } finally {
      Error.stackTraceLimit = limit;
    }
  }

  /** Events that the kernel has thrown away on this CPU since the buffers were last emptied. */
  lostOn(cpu: InstanceCpu): number {
    let lost = 0;
    const stats = this.#read(`per_cpu/cpu${cpu.id}/stats`);
    for (const [, count] of stats.matchAll(/^(?:overrun|commit overrun|dropped events): (\d+)$/gm))
      lost += Number(count);
    return lost;
  }

  /**
   * Leaves nothing behind. Harmless when repeated, and done when it returns, so that an exit handler can call it.
   * @returns is it gone? The kernel keeps an instance that somebody else reads.
   */
  remove(): boolean {
    if (!this.#isRemoved) {
      this.#isRemoved = true;
      for (const { fd } of this.cpus) closeQuietly(fd);
    }
    return removeInstance(this.path);
  }

  #enable({ system, name, filter }: KernelEvent): void {
    if (filter !== undefined) this.#tryFilter(`events/${system}/${name}/filter`, filter);
    this.#write(`events/${system}/${name}/enable`, '1');
  }

  #tryFilter(file: string, filter: string): void {
    try {
      this.#write(file, filter);
    } catch {
      // Then there are more records than are needed; they are told apart when they are read.
    }
  }

  /** The kernel is asked for half as much, and half again, where memory is short. */
  #resize(bufferKb: number): void {
    for (let kb = bufferKb; ; kb = Math.ceil(kb / 2)) {
      try {
        this.#write('buffer_size_kb', String(kb));
        return;
      } catch (error) {
        if (codeOf(error) !== 'ENOMEM' || kb <= MIN_BUFFER_KB) throw error;
      }
    }
  }

  #read(file: string): string {
    return readFileSync(join(this.path, file), 'latin1');
  }

  // Without O_TRUNC and O_CREAT: files of tracefs want to be written, not made.
  #write(file: string, text: string, flags = 0): void {
    const fd = openSync(join(this.path, file), constants.O_WRONLY | flags);
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

/** CPUs that are on now. A kernel may have many more that it could switch on, and reading each costs. */
export function onlineCpus(): ReadonlySet<number> {
  return parseCpuList(readFileSync('/sys/devices/system/cpu/online', 'latin1'));
}

/** The kernel's way to write a set of CPUs: `0-3,8,10-11`. */
export function parseCpuList(text: string): ReadonlySet<number> {
  const cpus = new Set<number>();
  for (const [, first, last] of text.matchAll(/(\d+)(?:-(\d+))?/g)) {
    for (let cpu = Number(first); cpu <= Number(last ?? first) && cpu < MAX_CPUS; cpu++) cpus.add(cpu);
  }
  return cpus;
}

/**
 * Formats of the events that are needed.
 * @throws DendroError DENDRO_SOURCE_UNAVAILABLE naming the first one that this kernel does not have
 */
export function readFormats(events: string): EventFormat[] {
  return REQUIRED_EVENTS.map(({ system, name }) => {
    try {
      return parseEventFormat(readFileSync(join(events, system, name, 'format'), 'latin1'));
    } catch (thrown) {
      if (codeOf(thrown) !== 'ENOENT') throw thrown;
      throw unavailable(`this kernel has no trace event ${system}:${name}`, PROCFS_HINT, thrown);
    }
  });
}

/** Formats of those events that this kernel has, in a form that can be read. */
export function readOptionalFormats(events: string): EventFormat[] {
  return [...OPTIONAL_EVENTS, ID_EVENTS]
    .flatMap(({ events: wanted }) => wanted)
    .flatMap(({ system, name }) => {
      try {
        const format = parseEventFormat(readFileSync(join(events, system, name, 'format'), 'latin1'));
        return isOptional(format) ? format : [];
      } catch {
        return []; // one that is not there or is no format: the source says what is not seen for that
      }
    });
}

/** What needs an event of which there is no format. */
export function missingIn(formats: readonly EventFormat[]): OptionalEvents[] {
  const names = new Set(formats.map(({ name }) => name));
  return [...OPTIONAL_EVENTS, ID_EVENTS].filter(({ events }) => !events.every(({ name }) => names.has(name)));
}

function makeFolder(instances: string): string {
  const own = ownInstanceName();
  for (let i = 0; ; i++) {
    const path = join(instances, i === 0 ? own : `${own}-${i}`);
    try {
      mkdirSync(path);
      return path;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || i >= MAX_OWN_INSTANCES) throw error;
    }
  }
}

function fittingBufferKb(cpus: number): number {
  const fitting = Math.floor((totalmem() * MEMORY_SHARE) / 1024 / Math.max(1, cpus));
  return Math.max(MIN_BUFFER_KB, Math.min(BUFFER_KB, fitting));
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // Somebody closed it already: what matters is that it is closed.
  }
}

function explain(error: Error, tracefs: string): DendroError {
  if (error instanceof DendroError) return error;
  switch (codeOf(error)) {
    case 'EACCES':
      if (!isRoot()) return needsRoot(error);
      return unavailable(
        `this container may not write to ${tracefs}`,
        'allow it (in Docker: --security-opt apparmor=unconfined), or use --source procfs',
        error,
      );
    case 'EPERM':
      return isRoot() ? forbidden(error) : needsRoot(error);
    case 'EROFS':
      return unavailable(`${tracefs} is mounted read-only here`, 'mount it writable, or use --source procfs', error);
    case 'ENOMEM':
      return unavailable('the kernel has no memory for its buffers', 'free some, or use --source procfs', error);
    case 'ENOENT':
      if (isLockedDown()) return forbidden(error);
      return unavailable(`the tracefs of this kernel lacks something (${error.message})`, PROCFS_HINT, error);
    default:
      return unavailable(error.message, PROCFS_HINT, error);
  }
}

function forbidden(cause: Error): DendroError {
  return unavailable(
    'the kernel forbids tracing (it is locked down, or a security policy is against it)',
    'boot without lockdown=confidentiality, or use --source procfs, which works under it',
    cause,
  );
}

/** In confidentiality mode the kernel does not even make the files. */
function isLockedDown(): boolean {
  try {
    return readFileSync('/sys/kernel/security/lockdown', 'latin1').includes('[confidentiality]');
  } catch {
    return false; // a kernel without lockdown, or one that does not show it
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
