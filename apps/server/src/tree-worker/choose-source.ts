// Which source feeds the tree: what `--source` says, else the best one that
// works here.

import { statSync } from 'node:fs';
import { DendroError, type TaskEvent } from '@dendro/protocol';
import {
  CnProcSource,
  HostClock,
  KernelSource,
  NoSource,
  ProcfsReader,
  ProcfsSource,
  ReplayFileSource,
  ReplaySource,
  type Source,
  TraceeSource,
  TracefsSource,
} from '@dendro/sources';

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
  'replay:FILE',
  'replay:DIR',
  'none',
];

/**
 * The feeds to try in order: the first that starts is taken.
 * @param speed of a recording; undefined: as fast as it can be read
 * @throws DendroError DENDRO_SOURCE_UNKNOWN, DENDRO_OPTION_INVALID
 */
export function feedsFor(spec: string | undefined, isRoot: boolean, speed?: number): (() => Feed)[] {
  if (speed !== undefined && !isRecordingFile(spec)) {
    throw new DendroError(
      'DENDRO_OPTION_INVALID',
      '--speed is for recordings: give it together with --source replay:FILE.',
    );
  }
  if (spec === undefined) return isRoot ? [kernel, cnProc, procfs] : [procfs];
  const [kind = '', ...rest] = spec.split(':');
  const target = rest.join(':');
  const hasTarget = target !== '';
  if (kind === 'tracefs+cn_proc' && spec === kind) return [kernel];
  if (kind === 'tracefs' && spec === kind) return [tracefs];
  if (kind === 'cn_proc' && spec === kind) return [cnProc];
  if (kind === 'procfs' && spec === kind) return [procfs];
  if (kind === 'none' && spec === kind) return [none];
  if (kind === 'tracee' && hasTarget) return [() => recorded(new TraceeSource(target))];
  if (kind === 'replay' && hasTarget) {
    return [() => recorded(isFolder(target) ? new ReplaySource(target) : new ReplayFileSource(target, { speed }))];
  }
  throw new DendroError(
    'DENDRO_SOURCE_UNKNOWN',
    `There is no source "${spec}": --source takes ${SOURCE_FORMS.slice(0, -1).join(', ')} or ${SOURCE_FORMS.at(-1)}.`,
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

function kernel(): Feed {
  return scanned((options) => new KernelSource(options));
}

function tracefs(): Feed {
  return scanned((options) => new TracefsSource(options));
}

function cnProc(): Feed {
  return scanned((options) => new CnProcSource(options));
}

/** A source of what happens from now on, with /proc for what runs already. */
function scanned(open: (options: { clock: HostClock; scan: () => Iterable<TaskEvent> }) => Source): Feed {
  const clock = HostClock.read();
  const reader = new ProcfsReader({ clock });
  const scan = function* (): Generator<TaskEvent> {
    const from = clock.now();
    yield* reader.scan();
    yield { type: 'scan', from, at: clock.now() };
  };
  return { source: open({ clock, scan }), procfs: reader, clock, hasBase: true, completeAt: 'scan' };
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
