// The hosts of a server as a table: what each column says of a host, and in
// which order they stand.

export interface ListedHost {
  readonly id: string;
  readonly name: string;
  readonly isLive: boolean;
  readonly oldestEpochNs?: string;
  readonly source: {
    readonly name: string;
    readonly state: 'starting' | 'running' | 'ended' | 'failed';
    readonly detail: string;
    readonly events: number;
    readonly eventsPerSecond: number;
    readonly lost: number;
  };
  readonly counts: { readonly processes: number; readonly threads: number; readonly tasks: number };
  readonly newestAt: string | null;
  readonly lagSeconds: number | null;
  readonly gaps: number;
  readonly history: {
    readonly state: string;
    readonly problem: string | null;
    readonly oldest: string | null;
    readonly bytes: number;
  } | null;
}

/** In the order in which they stand. */
export const HOST_COLUMNS = {
  name: { title: 'Host', isNumeric: false },
  source: { title: 'Source', isNumeric: false },
  lag: { title: 'Lag', isNumeric: true },
  rate: { title: 'Events/s', isNumeric: true },
  lost: { title: 'Lost', isNumeric: true },
  gaps: { title: 'Gaps', isNumeric: true },
  living: { title: 'Living', isNumeric: true },
  since: { title: 'Recorded since', isNumeric: false },
  history: { title: 'History', isNumeric: false },
  newest: { title: 'Last event', isNumeric: false },
} as const;
export type HostColumn = keyof typeof HOST_COLUMNS;
export const HOST_COLUMN_IDS = Object.keys(HOST_COLUMNS) as readonly HostColumn[];

export interface HostSort {
  readonly by: HostColumn;
  readonly isDescending: boolean;
}

/** Numbers fall first, and names rise; a second click on the same column turns the order round. */
export function nextSort(now: HostSort, by: HostColumn): HostSort {
  if (now.by === by) return { by, isDescending: !now.isDescending };
  return { by, isDescending: HOST_COLUMNS[by].isNumeric || by === 'newest' || by === 'history' };
}

/** Who has no value stands last, whichever way; equal ones by name. */
export function sortedHosts(hosts: readonly ListedHost[], { by, isDescending }: HostSort): ListedHost[] {
  const sign = isDescending ? -1 : 1;
  return hosts.toSorted((a, b) => {
    const [x, y] = [keyOf(a, by), keyOf(b, by)];
    if (x === undefined || y === undefined) return x === y ? byName(a, b) : x === undefined ? 1 : -1;
    if (x === y) return byName(a, b);
    return typeof x === 'string' || typeof y === 'string'
      ? sign * String(x).localeCompare(String(y), 'en', { numeric: true })
      : sign * (x < y ? -1 : 1);
  });
}

function keyOf({ source, counts, history, ...host }: ListedHost, by: HostColumn): string | number | bigint | undefined {
  switch (by) {
    case 'name':
      return host.name;
    case 'source':
      return `${source.name} ${source.state}`;
    case 'lag':
      return host.lagSeconds ?? undefined;
    case 'rate':
      return source.eventsPerSecond;
    case 'lost':
      return source.lost;
    case 'gaps':
      return host.gaps;
    case 'living':
      return counts.processes;
    case 'since':
      return epochOf(history?.oldest);
    case 'history':
      return history?.bytes;
    case 'newest':
      return epochOf(host.newestAt);
  }
}

function epochOf(text: string | null | undefined): bigint | undefined {
  return text === null || text === undefined ? undefined : BigInt(text);
}

function byName(a: ListedHost, b: ListedHost): number {
  return a.name.localeCompare(b.name, 'en', { numeric: true }) || (a.id < b.id ? -1 : 1);
}
