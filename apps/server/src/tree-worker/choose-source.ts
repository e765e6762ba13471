// Which source feeds the tree: what `--source` says, else the best one that
// works here.

import { DendroError } from '@dendro/protocol';
import {
  HostClock,
  NoSource,
  ProcfsReader,
  ProcfsSource,
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
}

export const SOURCE_FORMS = ['tracefs', 'procfs', 'tracee:FILE', 'tracee:-', 'replay:DIR', 'none'];

/**
 * The feeds to try in order: the first that starts is taken.
 * @throws DendroError DENDRO_SOURCE_UNKNOWN
 */
export function feedsFor(spec: string | undefined, isRoot: boolean): (() => Feed)[] {
  if (spec === undefined) return isRoot ? [tracefs, procfs] : [procfs];
  const [kind = '', ...rest] = spec.split(':');
  const target = rest.join(':');
  const hasTarget = target !== '';
  if (kind === 'tracefs' && spec === kind) return [tracefs];
  if (kind === 'procfs' && spec === kind) return [procfs];
  if (kind === 'none' && spec === kind) return [none];
  if (kind === 'tracee' && hasTarget) return [() => recorded(new TraceeSource(target))];
  if (kind === 'replay' && hasTarget) return [() => recorded(new ReplaySource(target))];
  throw new DendroError(
    'DENDRO_SOURCE_UNKNOWN',
    `There is no source "${spec}": --source takes ${SOURCE_FORMS.slice(0, -1).join(', ')} or ${SOURCE_FORMS.at(-1)}.`,
  );
}

function tracefs(): Feed {
  const clock = HostClock.read();
  const reader = new ProcfsReader({ clock });
  const scan = function* () {
    const from = clock.now();
    yield* reader.scan();
    yield { type: 'scan', from, at: clock.now() } as const;
  };
  return { source: new TracefsSource({ clock, scan }), procfs: reader, clock };
}

function procfs(): Feed {
  const clock = HostClock.read();
  return { source: new ProcfsSource({ clock }), procfs: undefined, clock };
}

function none(): Feed {
  const clock = HostClock.read();
  return { source: new NoSource(clock), procfs: undefined, clock };
}

function recorded(source: Source): Feed {
  return { source, procfs: undefined, clock: undefined };
}
