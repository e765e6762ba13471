// Which source feeds the tree: what `--source` says, else the best one that
// works here.

import { statSync } from 'node:fs';
import { DendroError, type TaskEvent } from '@dendro/protocol';
import {
  AuditSource,
  type BpfChild,
  type ClockOrigin,
  CnProcSource,
  EbpfSource,
  HostClock,
  HostFilter,
  HostSplit,
  KernelSource,
  NoSource,
  type ProcfsCounts,
  ProcfsSource,
  ProcfsThread,
  ReplayFileSource,
  ReplaySource,
  type Source,
  SourceGroup,
  StraceSource,
  TraceeFollowSource,
  TraceeGrpcSource,
  TraceeSource,
  TracefsSource,
} from '@dendro/sources';
import type { KernelOptions } from './messages.ts';

/** A way to get events, and what else can be asked about the host. */
export interface Feed {
  readonly source: Source;
  /** Reads /proc of the host that the events are of; undefined when they are of another one or of the past. */
  readonly procfs: ProcfsThread | undefined;
  /** What reading /proc has cost; undefined where nobody does. */
  readonly procfsCounts?: () => ProcfsCounts;
  readonly clock: HostClock | undefined;
  /** Does the source say what its times count from? Otherwise the first event that is posted does. */
  readonly hasBase: boolean;
  /** Which host an event is of, where the feed is of several. */
  readonly hosts?: HostSplit | undefined;
  /** Name of the host, where it is known only when its first event has come. */
  readonly hostName?: (() => string | undefined) | undefined;
  /** When it has told what there is: as soon as it has started, after its first scan of /proc, once it makes no more progress, or at its end. */
  readonly completeAt: 'start' | 'scan' | 'progress' | 'end';
}

export const SOURCE_FORMS = [
  'ebpf',
  'tracefs+cn_proc',
  'tracefs',
  'cn_proc',
  'procfs',
  'tracee:FILE',
  'tracee:-',
  'tracee-grpc:ADDRESS',
  'tracee-grpc:NAME=ADDRESS,NAME=ADDRESS...',
  'audit:FILE',
  'audit:-',
  'strace:FILE',
  'strace:-',
  'replay:FILE',
  'replay:DIR',
  'none',
];

const OF_THIS_HOST = ['ebpf', 'tracefs+cn_proc', 'tracefs', 'cn_proc', 'procfs', 'none'];

/** What else the command line says of a source. */
export interface FeedOptions {
  readonly hostFrom?: readonly string[] | undefined;
  readonly maxHosts?: number | undefined;
  readonly follow?: boolean | undefined;
  readonly policies?: readonly string[] | undefined;
  /** Milliseconds of each second that reading /proc may take. Default 100. */
  readonly procfsBudgetMs?: number | undefined;
  /** Of a recording; undefined: as fast as it can be read. */
  readonly speed?: number | undefined;
  /** Is it worth a try without being root? Whoever is root gets told what stands in the way. */
  readonly mayUseEbpf?: boolean | undefined;
  /** The clock of this host counts from here, where there is a history of it. */
  readonly clock?: ClockOrigin | undefined;
  /** For sources of kernel events only. */
  readonly kernel?: KernelOptions | undefined;
  /** Of the eBPF source, started ahead. */
  readonly child?: BpfChild | undefined;
}

/**
 * The feeds to try in order: the first that starts is taken.
 * @param options of the sources of kernel events
 * @throws DendroError DENDRO_SOURCE_UNKNOWN; DENDRO_OPTION_INVALID when a source that is named has no use for the options
 */
export function feedsFor(spec: string | undefined, isRoot: boolean, options: FeedOptions = {}): (() => Feed)[] {
  const { kernel: how = {}, speed, child } = options;
  const ebpf = () => scanned(options, (more) => new EbpfSource({ ...how, ...more, child }), false);
  const kernel = () => scanned(options, (more) => new KernelSource({ ...how, ...more }));
  const tracefs = () => scanned(options, (more) => new TracefsSource({ ...how, ...more }));
  const cnProc = () => scanned(options, (more) => new CnProcSource({ pollMs: how.pollMs, ...more }));
  const procfs = () => polled(options);
  if (how.launcherTid !== undefined) return [ebpf, kernel];
  if (speed !== undefined && !isRecordingFile(spec)) {
    throw new DendroError(
      'DENDRO_OPTION_INVALID',
      '--speed is for recordings: give it together with --source replay:FILE.',
    );
  }
  refuseForeign(spec, options);
  if (spec === undefined)
    return isRoot ? [ebpf, kernel, cnProc, procfs] : [...(options.mayUseEbpf ? [ebpf] : []), procfs];
  refuseUnused(spec, how);
  const [kind = '', ...rest] = spec.split(':');
  const target = rest.join(':');
  const hasTarget = target !== '';
  if (kind === 'ebpf' && spec === kind) return [ebpf];
  if (kind === 'tracefs+cn_proc' && spec === kind) return [kernel];
  if (kind === 'tracefs' && spec === kind) return [tracefs];
  if (kind === 'cn_proc' && spec === kind) return [cnProc];
  if (kind === 'procfs' && spec === kind) return [procfs];
  if (kind === 'none' && spec === kind) return [() => none(options)];
  if (kind === 'tracee' && hasTarget) return [() => tracee(target, options)];
  if (kind === 'tracee-grpc' && hasTarget) return [() => traceeGrpc(target, options)];
  if (kind === 'audit' && hasTarget) return [() => audit(target, options)];
  if (kind === 'strace' && hasTarget) return [() => recorded(new StraceSource(target))];
  if (kind === 'replay' && hasTarget) {
    return [() => recorded(isFolder(target) ? new ReplaySource(target) : new ReplayFileSource(target, { speed }))];
  }
  throw new DendroError(
    'DENDRO_SOURCE_UNKNOWN',
    `There is no source "${spec}": --source takes ${SOURCE_FORMS.slice(0, -1).join(', ')} or ${SOURCE_FORMS.at(-1)}.`,
  );
}

/** Does it tell, live, of this host alone? `none` does too, by what is posted. */
export function isOfThisHost(spec: string | undefined): boolean {
  return spec === undefined || OF_THIS_HOST.includes(spec);
}

/** What is for one kind of source only would be heeded by no other. */
function refuseForeign(spec = '', { follow = false, policies = [] }: FeedOptions): void {
  const unused =
    follow && !spec.startsWith('tracee:')
      ? '--follow is for --source tracee:FILE'
      : policies.length > 0 && !spec.startsWith('tracee-grpc:')
        ? '--policy is for --source tracee-grpc:ADDRESS'
        : undefined;
  if (unused === undefined) return;
  throw new DendroError('DENDRO_OPTION_INVALID', `${unused}: leave it out, or name such a source.`);
}

function refuseUnused(spec: string, { bufferKb, pollMs }: KernelOptions): void {
  const hasBuffer = spec.startsWith('tracefs') || spec === 'ebpf';
  const unused =
    bufferKb !== undefined && !hasBuffer
      ? '--buffer-kb'
      : pollMs !== undefined && !hasBuffer && spec !== 'cn_proc'
        ? '--poll-ms'
        : undefined;
  if (unused === undefined) return;
  const users = unused === '--buffer-kb' ? 'ebpf and tracefs' : 'ebpf, tracefs and cn_proc';
  throw new DendroError(
    'DENDRO_OPTION_INVALID',
    `${unused} is for the sources ${users}: leave it out with --source ${spec}.`,
  );
}

function isRecordingFile(spec = ''): boolean {
  return spec.startsWith('replay:') && !isFolder(spec.slice('replay:'.length));
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // the source says why
  }
}

interface ScanOptions {
  readonly clock: HostClock;
  readonly scan: (tracedTids?: readonly number[]) => Iterable<TaskEvent | undefined>;
  readonly execs: ProcfsThread;
  readonly changes: ProcfsThread;
}

/**
 * A source of what happens from now on, with /proc for what runs already.
 * @param watchesExecs shall programs be read as they start? Not where the source tells all of them
 */
function scanned(options: FeedOptions, open: (options: ScanOptions) => Source, watchesExecs = true): Feed {
  const { procfsBudgetMs: budgetMs } = options;
  const clock = clockOf(options);
  const procfs = new ProcfsThread({ clock, budgetMs, watchesExecs });
  return {
    source: open({ clock, scan: (tracedTids) => procfs.scan(tracedTids), execs: procfs, changes: procfs }),
    procfs,
    procfsCounts: () => procfs.counts,
    clock,
    hasBase: true,
    completeAt: 'scan',
  };
}

function clockOf({ clock }: FeedOptions): HostClock {
  return clock === undefined ? HostClock.read() : HostClock.at(clock);
}

function polled(options: FeedOptions): Feed {
  const { procfsBudgetMs: budgetMs } = options;
  const clock = clockOf(options);
  const source = new ProcfsSource({ clock, budgetMs });
  return {
    source,
    procfs: undefined,
    procfsCounts: () => source.counts,
    clock,
    hasBase: true,
    completeAt: 'start',
  };
}

function splitOf({ hostFrom: wanted, maxHosts }: FeedOptions): HostSplit {
  return new HostSplit({ wanted, maxHosts });
}

function none(options: FeedOptions): Feed {
  const clock = clockOf(options);
  // Times of a history count from one base, whatever is posted first.
  const hasBase = options.clock !== undefined;
  const hosts = splitOf(options);
  return { source: new NoSource(clock), procfs: undefined, clock, hasBase, hosts, completeAt: 'start' };
}

function tracee(target: string, options: FeedOptions): Feed {
  const hosts = splitOf(options);
  const source = new TraceeSource(target, { hosts });
  // Standard input and pipes are read on anyway.
  if (!options.follow || source.isLive) return { ...recorded(source), hosts };
  return { ...recorded(new TraceeFollowSource(target, { hosts })), hosts, completeAt: 'progress' };
}

function audit(target: string, { hostFrom = [] }: FeedOptions): Feed {
  if (hostFrom.length > 1) {
    throw new DendroError('DENDRO_OPTION_INVALID', 'Of an audit log one host is shown: give --host-from one name.');
  }
  const hosts = new HostFilter(hostFrom[0]);
  return { ...recorded(new AuditSource(target, { hosts })), hostName: () => hosts.name };
}

function traceeGrpc(addresses: string, options: FeedOptions): Feed {
  const { policies } = options;
  const hosts = splitOf(options);
  const named = addressesOf(addresses);
  const sources = named.map(({ name, address }) => {
    const fallback = name === undefined ? undefined : hosts.ensure(name);
    if (typeof fallback !== 'string') return new TraceeGrpcSource(address, { hosts, fallback, policies });
    throw new DendroError(
      'DENDRO_OPTION_INVALID',
      `There can be no host ${name} (${fallback}): see --max-hosts and --host-from, or name it NAME=ADDRESS.`,
    );
  });
  const [only] = sources;
  const source =
    only !== undefined && sources.length === 1 ? only : new SourceGroup(`tracee-grpc:${addresses}`, sources);
  // The clock of another machine is not known here.
  const clock = sources.every(({ isLocal }) => isLocal) ? HostClock.read() : undefined;
  return { source, procfs: undefined, clock, hasBase: true, hosts, completeAt: 'start' };
}

/** `ADDRESS`, or several, each a host: `web-07=10.0.0.7:4466,10.0.0.8:4466` */
function addressesOf(text: string): { readonly name: string | undefined; readonly address: string }[] {
  const parts = text.split(',');
  return parts.map((part) => {
    const [, name, address] = /^([^=:/]+)=(.*)$/s.exec(part) ?? [];
    if (name !== undefined && address !== undefined) return { name, address };
    return { name: parts.length === 1 ? undefined : part, address: part };
  });
}

function recorded(source: Source): Feed {
  return { source, procfs: undefined, clock: undefined, hasBase: true, completeAt: 'end' };
}
