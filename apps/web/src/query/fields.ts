// The fields of the query language: one line each, for the reader, for the list
// of completions, and for the help.

export type FieldType = 'text' | 'number' | 'user' | 'state' | 'exit' | 'duration' | 'time' | 'task';

interface FieldInfo {
  readonly type: FieldType;
  readonly means: string;
  /** What can follow the colon, for people. */
  readonly examples: readonly string[];
}

export const QUERY_FIELDS = {
  name: { type: 'text', means: 'Name of the process or thread', examples: ['ssh', '=sshd', '/^k?worker/'] },
  cmd: { type: 'text', means: 'Command line', examples: ['http.server', '/--port=\\d+/'] },
  exe: { type: 'text', means: 'Path of the program', examples: ['/usr/sbin', '/^\\/tmp\\//'] },
  user: { type: 'user', means: 'User, by name or uid', examples: ['root', '1000'] },
  euid: { type: 'user', means: 'Effective user: whose rights it has', examples: ['root'] },
  uid: { type: 'number', means: 'User, by number', examples: ['>=1000'] },
  container: { type: 'text', means: 'Container id', examples: ['4f1c'] },
  state: { type: 'state', means: 'Running, or ended however long ago', examples: ['running', 'exited', 'all'] },
  exit: { type: 'exit', means: 'How it ended: code or signal', examples: ['!=0', 'SIGKILL', '1..125'] },
  under: { type: 'task', means: 'Below a process, by pid or name', examples: ['sshd', '4242'] },
  above: { type: 'task', means: 'What leads to a process', examples: ['4242', 'cron'] },
  age: { type: 'duration', means: 'How long it has lived', examples: ['<5m', '>1h', '10s..1m'] },
  born: { type: 'duration', means: 'How long ago it was born', examples: ['<30s', '<5m'] },
  started: { type: 'time', means: 'When it was born', examples: ['>14:03', '>-10m', '14:00..14:05'] },
  pid: { type: 'number', means: 'Process id', examples: ['4242', '1000..2000'] },
  ppid: { type: 'number', means: 'Id of the parent process', examples: ['1'] },
  tid: { type: 'number', means: 'Thread id', examples: ['4243'] },
} as const satisfies Readonly<Record<string, FieldInfo>>;

export type QueryField = keyof typeof QUERY_FIELDS;

export const QUERY_FIELD_NAMES = Object.keys(QUERY_FIELDS) as readonly QueryField[];

export function isQueryField(name: string): name is QueryField {
  return Object.hasOwn(QUERY_FIELDS, name);
}

/** The name that is nearest to what was written; undefined when none is near. */
export function nearestOf(written: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.min(3, Math.ceil(written.length / 2) + 1);
  for (const name of names) {
    const distance = name.startsWith(written) && written !== '' ? 1 : editDistance(written, name);
    if (distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

/** Letters to put in, take out, change, or swap with the next one. Both texts are short: longer ones are far apart. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const changed = (last[j - 1] as number) + (isSame ? 0 : 1);
      let least = Math.min(changed, (last[j] as number) + 1, (row[j - 1] as number) + 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) least = Math.min(least, (beforeLast[j - 2] as number) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] as number;
}
