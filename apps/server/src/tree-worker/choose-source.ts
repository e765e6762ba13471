// Which source feeds the tree: what `--source` says, else the best one that
// works here.

import { DendroError, type ObserveEvent, type TaskEvent } from '@dendro/protocol';
import {
  CnProcSource,
  HostClock,
  KernelSource,
  NoSource,
  ProcfsReader,
  ProcfsSource,
  ReplaySource,
  type Source,
  TraceeSource,
  TracefsSource,
} from '@dendro/sources';
import type { KernelOptions } from './messages.ts';

/** A way to get events, and what else can be asked about the host. */
export interface Feed {
  readonly source: Source;
  /** Reads /proc of the host that the events are of; undefined when they are of another one or of the past. */
  readonly procfs: ProcfsReader | undefined;
  readonly clock: HostClock | undefined;
  /** Does the source say what its times count from? Otherwise the first event that is posted does. */
  readonly hasBase: boolean;
  /** When it has told what there is: as soon as it has started, after its first scan of /proc, or at its end. */
  readonly completeAt: 'start' | 'scan' | 'end';
}

export const SOURCE_FORMS = [
  'tracefs+cn_proc',
  'tracefs',
  'cn_proc',
  'procfs',
  'tracee:FILE',
  'tracee:-',
  'replay:DIR',
  'none',
];

/**
 * The feeds to try in order: the first that starts is taken.
 * @param options of the sources of kernel events
 * @throws DendroError DENDRO_SOURCE_UNKNOWN; DENDRO_OPTION_INVALID when a source that is named has no use for the options
 */
export function feedsFor(spec: string | undefined, isRoot: boolean, options: KernelOptions = {}): (() => Feed)[] {
  const kernel = () => scanned((more) => new KernelSource({ ...options, ...more }));
  const tracefs = () => scanned((more) => new TracefsSource({ ...options, ...more }));
  const cnProc = () => scanned((more) => new CnProcSource({ pollMs: options.pollMs, ...more }));
  if (spec === undefined) return isRoot ? [kernel, cnProc, procfs] : [procfs];
  refuseUnused(spec, options);
  const [kind = '', ...rest] = spec.split(':');
  const target = rest.join(':');
  const hasTarget = target !== '';
  if (kind === 'tracefs+cn_proc' && spec === kind) return [kernel];
  if (kind === 'tracefs' && spec === kind) return [tracefs];
  if (kind === 'cn_proc' && spec === kind) return [cnProc];
  if (kind === 'procfs' && spec === kind) return [procfs];
  if (kind === 'none' && spec === kind) return [none];
  if (kind === 'tracee' && hasTarget) return [() => recorded(new TraceeSource(target))];
  if (kind === 'replay' && hasTarget) return [() => recorded(new ReplaySource(target))];
  throw new DendroError(
    'DENDRO_SOURCE_UNKNOWN',
    `There is no source "${spec}": --source takes ${SOURCE_FORMS.slice(0, -1).join(', ')} or ${SOURCE_FORMS.at(-1)}.`,
  );
}

function refuseUnused(spec: string, { bufferKb, pollMs }: KernelOptions): void {
  const hasBuffer = spec.startsWith('tracefs');
  const unused =
    bufferKb !== undefined && !hasBuffer
      ? '--buffer-kb'
      : pollMs !== undefined && !hasBuffer && spec !== 'cn_proc'
        ? '--poll-ms'
        : undefined;
  if (unused === undefined) return;
  const users = unused === '--buffer-kb' ? 'tracefs' : 'tracefs and cn_proc';
  throw new DendroError(
    'DENDRO_OPTION_INVALID',
    `${unused} is for the sources ${users}: leave it out with --source ${spec}.`,
  );
}

interface ScanOptions {
  readonly clock: HostClock;
  readonly scan: () => Iterable<TaskEvent>;
  readonly readProcess: (pid: number) => ObserveEvent | undefined;
}

/** A source of what happens from now on, with /proc for what runs already. */
function scanned(open: (options: ScanOptions) => Source): Feed {
  const clock = HostClock.read();
  const reader = new ProcfsReader({ clock });
  const scan = function* (): Generator<TaskEvent> {
    const from = clock.now();
    yield* reader.scan();
    yield { type: 'scan', from, at: clock.now() };
  };
  return {
    source: open({ clock, scan, readProcess: (pid) => reader.readProcess(pid) }),
    procfs: reader,
    clock,
    hasBase: true,
    completeAt: 'scan',
  };
}

function procfs(): Feed {
  const clock = HostClock.read();
  return { source: new ProcfsSource({ clock }), procfs: undefined, clock, hasBase: true, completeAt: 'start' };
}

function none(): Feed {
  const clock = HostClock.read();
  return { source: new NoSource(clock), procfs: undefined, clock, hasBase: false, completeAt: 'start' };
}

function recorded(source: Source): Feed {
  return { source, procfs: undefined, clock: undefined, hasBase: true, completeAt: 'end' };
}
