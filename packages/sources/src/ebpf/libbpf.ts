// The object of the BPF programs, loaded through the system's libbpf.so.1.
//
// libbpf is called for setting up and taking down only; events are read from
// the ring's pages directly. Not through its callbacks: its consume loop does
// not return while events keep coming, and what throws in a callback is lost.
//
// libbpf reports errors as negative numbers and null pointers; what it prints
// says more, though not always what is meant: refusal.ts makes sentences of it.

import koffi, { type LibraryHandle } from 'koffi';

export interface LoadOptions {
  /** Rounded up by libbpf to what the kernel takes. */
  readonly ringBytes: number;
  /** Only what this thread starts, and what descends from that. */
  readonly launcherTid?: number | undefined;
}

/** libbpf would not do something. */
export class LibbpfError extends Error {
  readonly step: 'library' | 'open' | 'load' | 'attach' | 'map';
  readonly errno: number;
  /** What libbpf and the kernel's verifier printed. */
  readonly log: string;

  constructor(step: LibbpfError['step'], errno: number, log: string, message = `${step} failed with error ${errno}`) {
    super(message);
    this.step = step;
    this.errno = errno;
    this.log = log;
  }
}

/** Pages of a map: memory of the kernel, so to be dropped before `unmap`. */
export interface Mapping {
  readonly bytes: ArrayBuffer;
  unmap(): void;
}

const LIBRARY = 'libbpf.so.1';
const COUNTERS_BYTES = 64;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const CLOCK_BOOTTIME = 7;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const MAX_LOG_BYTES = 64 * 1024;
/** Of the two programs for the same event: by the signature of this kernel one of them does not load. */
const EXIT_PROGRAMS = ['on_exit_told', 'on_exit_counted'] as const;
const TRACING_PROGRAMS = ['on_birth', 'on_exec', 'on_rename', 'on_cgroup'] as const;
const CREDENTIAL_CALLS = ['setuid', 'setgid', 'setreuid', 'setregid', 'setresuid', 'setresgid'];

const ONE = Buffer.from([1, 0, 0, 0]);

type Pointer = unknown;
type Lib = ReturnType<typeof bind>;

export class BpfObject {
  readonly #lib: Lib;
  readonly #object: Pointer;
  readonly #log: Log;
  readonly #links: Pointer[] = [];
  readonly cpus: number;
  /** What this kernel does not tell, a sentence each. */
  readonly notices: string[] = [];

  /**
   * Loads and attaches. Takes some 80 ms.
   * @param bytes the ELF object
   * @throws LibbpfError
   */
  static open(bytes: Buffer, options: LoadOptions): BpfObject {
    const lib = bind();
    const log = new Log(lib);
    try {
      let failure: unknown;
      for (const exit of EXIT_PROGRAMS) {
        log.clear();
        try {
          return new BpfObject(lib, log, bytes, options, exit);
        } catch (thrown) {
          // The first one fails where the kernel's event has one argument less: tell of the last failure otherwise.
          failure = thrown;
          if (!(thrown instanceof LibbpfError) || thrown.step !== 'load' || !thrown.log.includes(exit)) break;
        }
      }
      throw failure;
    } finally {
      log.end();
    }
  }

  private constructor(lib: Lib, log: Log, bytes: Buffer, options: LoadOptions, exit: string) {
    this.#lib = lib;
    this.#log = log;
    const opened: Pointer = lib.open(bytes, bytes.length, null);
    if (opened === null) throw new LibbpfError('open', lib.errno(), log.text);
    this.#object = opened;
    try {
      this.cpus = lib.cpus();
      for (const name of EXIT_PROGRAMS) lib.setAutoload(this.#program(name), name === exit);
      lib.setMaxEntries(this.#map('ring'), options.ringBytes);
      lib.setMaxEntries(this.#map('counters'), Math.max(1, this.cpus));
      this.#configure(options.launcherTid ?? 0);
      const loaded = lib.load(this.#object);
      if (loaded !== 0) throw this.#error('load', -loaded);
      for (const name of [exit, ...TRACING_PROGRAMS]) {
        this.#keep(lib.attach(this.#program(name)), name);
      }
      this.#attachCredentials();
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  /** Size of the ring's data in bytes, as the kernel has it. */
  get ringBytes(): number {
    return this.#lib.maxEntries(this.#map('ring'));
  }

  /** The page with the reader's position, and the pages with the writer's position and twice the data. */
  mapRing(): { readonly consumer: Mapping; readonly producer: Mapping } {
    const fd = this.#lib.mapFd(this.#map('ring'));
    const page = this.#lib.pageSize();
    return {
      consumer: this.#mmap(fd, page, PROT_READ | PROT_WRITE, 0),
      producer: this.#mmap(fd, page + 2 * this.ringBytes, PROT_READ, page),
    };
  }

  /** One entry of 64 bytes for each CPU. */
  mapCounters(): Mapping {
    const page = this.#lib.pageSize();
    const bytes = Math.ceil((this.cpus * COUNTERS_BYTES) / page) * page;
    return this.#mmap(this.#lib.mapFd(this.#map('counters')), bytes, PROT_READ, 0);
  }

  get pageSize(): number {
    return this.#lib.pageSize();
  }

  /**
   * This process is of the one tree that is told of, and so is what it starts from now on.
   * @returns false when there is no room for it
   */
  track(pid: number): boolean {
    const key = Buffer.alloc(4);
    key.writeUInt32LE(pid);
    return this.#lib.updateElement(this.#lib.mapFd(this.#map('tracked')), key, ONE, 0n) === 0;
  }

  /** No more records from here on. What the ring holds can still be read. */
  detach(): void {
    for (const link of this.#links.splice(0)) this.#lib.destroyLink(link);
  }

  /** The programs go with it, and with the process if nobody calls this. */
  close(): void {
    this.detach();
    this.#lib.close(this.#object);
  }

  #keep(link: Pointer, name: string): void {
    if (link === null) throw this.#error('attach', this.#lib.errno(), name);
    this.#links.push(link);
  }

  #configure(launcherTid: number): void {
    const rodata = this.#lib.findMap(this.#object, '.rodata');
    const value = Buffer.alloc(4);
    value.writeUInt32LE(launcherTid);
    const failed = this.#lib.setInitialValue(rodata, value, value.length);
    if (failed !== 0) throw this.#error('map', -failed);
  }

  /** Each of these is a hook of its own, in tracefs. Without them a new user shows with the next program or child. */
  #attachCredentials(): void {
    const program = this.#program('on_credentials');
    const missing = CREDENTIAL_CALLS.filter((call) => {
      const link = this.#lib.attachTracepoint(program, 'syscalls', `sys_exit_${call}`);
      if (link !== null) this.#links.push(link);
      return link === null;
    });
    if (missing.length > 0) {
      this.notices.push(
        `This kernel gives no events of ${missing.join(', ')} (is tracefs mounted?): a change of user shows with the next program, not at once.`,
      );
    }
  }

  #program(name: string): Pointer {
    const program = this.#lib.findProgram(this.#object, name);
    if (program === null) throw this.#error('open', 2, name);
    return program;
  }

  #map(name: string): Pointer {
    const map = this.#lib.findMap(this.#object, name);
    if (map === null) throw this.#error('map', 2, name);
    return map;
  }

  #mmap(fd: number, bytes: number, protection: number, offset: number): Mapping {
    const address = this.#lib.mmap(null, bytes, protection, MAP_SHARED, fd, offset);
    if (koffi.address(address) === 0xffff_ffff_ffff_ffffn) throw this.#error('map', this.#lib.errno());
    return { bytes: koffi.view(address, bytes), unmap: () => void this.#lib.munmap(address, bytes) };
  }

  #error(step: LibbpfError['step'], errno: number, what = ''): LibbpfError {
    return new LibbpfError(step, errno, this.#log.text, `${step} ${what} failed with error ${errno}`);
  }
}

/** Boot clock in nanoseconds. */
export function bootNs(): bigint {
  processCalls.gettime(CLOCK_BOOTTIME, timespec);
  return timespec.readBigInt64LE(0) * 1_000_000_000n + timespec.readBigInt64LE(8);
}

/** From now on this process ends with the thread that started it. To be called after the user has changed. */
export function dieWithParent(): void {
  processCalls.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/** This thread gives up all capabilities. */
export function dropCapabilities(): boolean {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x20080522, 0); // _LINUX_CAPABILITY_VERSION_3
  return processCalls.capset(header, Buffer.alloc(24)) === 0;
}

const timespec = Buffer.alloc(16);
const self = koffi.load(null); // libc is in this process already, whichever it is
const processCalls = {
  gettime: self.func('int clock_gettime(int, _Out_ void *)'),
  prctl: self.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)'),
  capset: self.func('int capset(void *, const void *)'),
};

/** What libbpf prints while it works. */
class Log {
  readonly #lib: Lib;
  readonly #callback: bigint;
  #lines: string[] = [];
  #bytes = 0;

  constructor(lib: Lib) {
    this.#lib = lib;
    // The arguments come as a va_list, which libc's vsnprintf takes as it is.
    const line = Buffer.alloc(16 * 1024);
    const print = (level: number, format: string, args: unknown): number => {
      if (level > 0 || this.#bytes > MAX_LOG_BYTES) return 0;
      const length = Math.min(lib.vsnprintf(line, line.length, format, args), line.length - 1);
      this.#lines.push(line.toString('utf8', 0, Math.max(length, 0)).trimEnd());
      this.#bytes += length;
      return 0;
    };
    this.#callback = koffi.register(print, koffi.pointer(lib.printType));
    lib.setPrint(this.#callback);
  }

  get text(): string {
    return this.#lines.join('\n');
  }

  clear(): void {
    this.#lines = [];
    this.#bytes = 0;
  }

  end(): void {
    this.#lib.setPrint(null);
    koffi.unregister(this.#callback);
  }
}

function bind() {
  let lib: LibraryHandle;
  try {
    lib = koffi.load(LIBRARY);
  } catch (thrown) {
    throw new LibbpfError('library', 0, '', String(thrown));
  }
  return {
    open: lib.func('void *bpf_object__open_mem(const void *, size_t, const void *)'),
    load: lib.func('int bpf_object__load(void *)'),
    close: lib.func('void bpf_object__close(void *)'),
    findProgram: lib.func('void *bpf_object__find_program_by_name(void *, const char *)'),
    setAutoload: lib.func('int bpf_program__set_autoload(void *, bool)'),
    attach: lib.func('void *bpf_program__attach(void *)'),
    attachTracepoint: lib.func('void *bpf_program__attach_tracepoint(void *, const char *, const char *)'),
    destroyLink: lib.func('int bpf_link__destroy(void *)'),
    findMap: lib.func('void *bpf_object__find_map_by_name(void *, const char *)'),
    updateElement: lib.func('int bpf_map_update_elem(int, const void *, const void *, uint64_t)'),
    mapFd: lib.func('int bpf_map__fd(void *)'),
    maxEntries: lib.func('uint32_t bpf_map__max_entries(void *)'),
    setMaxEntries: lib.func('int bpf_map__set_max_entries(void *, uint32_t)'),
    setInitialValue: lib.func('int bpf_map__set_initial_value(void *, const void *, size_t)'),
    cpus: lib.func('int libbpf_num_possible_cpus()'),
    setPrint: lib.func('void *libbpf_set_print(void *)'),
    mmap: self.func('void *mmap(void *, size_t, int, int, int, int64_t)'),
    munmap: self.func('int munmap(void *, size_t)'),
    pageSize: self.func('int getpagesize()'),
    vsnprintf: self.func('int vsnprintf(_Out_ void *, size_t, const char *, void *)'),
    printType: koffi.proto('int', ['int', 'const char *', 'void *']),
    errno: () => koffi.errno(),
  };
}
