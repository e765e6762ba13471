// The columns of the tree beside the name, which is always there: which ones a
// person wants, and which of these fit.

interface Column {
  readonly title: string;
  /** What it is called where there is room for more than the title. */
  readonly label: string;
  /** px */
  readonly width: number;
  readonly isNumeric?: boolean;
}

/** In the order in which they stand. */
export const COLUMNS = {
  pid: { title: 'PID', label: 'PID', width: 64, isNumeric: true },
  threads: { title: 'Threads', label: 'Threads', width: 56, isNumeric: true },
  user: { title: 'User', label: 'User', width: 88 },
  euser: { title: 'Effective user', label: 'Effective user', width: 92 },
  container: { title: 'Container', label: 'Container', width: 104 },
  executable: { title: 'Executable', label: 'Executable', width: 180 },
  cwd: { title: 'Directory', label: 'Working directory', width: 160 },
  started: { title: 'Started', label: 'Started', width: 104 },
  age: { title: 'Age', label: 'Age', width: 64, isNumeric: true },
  state: { title: 'State', label: 'State', width: 132 },
  exit: { title: 'Exit', label: 'Exit code or signal', width: 72 },
  life: { title: 'Lifetime', label: 'Lifetime', width: 220 },
} as const satisfies Readonly<Record<string, Column>>;

export type ColumnId = keyof typeof COLUMNS;

export const COLUMN_IDS = Object.keys(COLUMNS) as readonly ColumnId[];
export const USUAL_COLUMNS: readonly ColumnId[] = ['pid', 'threads', 'user', 'started', 'state', 'life'];

export const COLUMN_GAP = 12;
/** Left and right of all columns together. */
export const COLUMNS_PADDING = 24;
const NAME_LEAST = 300;

/** Lifetimes are worth their room only in a wide grid. */
const LIFE_LEAST = 1100;

/** What goes first where there is little room; what is not named goes last: the pid never does. */
const FIRST_TO_GO: readonly ColumnId[] = [
  ...([
    'life',
    'cwd',
    'executable',
    'container',
    'age',
    'started',
    'euser',
    'threads',
    'user',
    'exit',
    'state',
  ] as const),
];

export function columnOf(id: ColumnId): Column {
  return COLUMNS[id];
}

/**
 * Those of the columns that leave half of the width to the names, or 300 px, in the order in which they stand.
 * @param width of the grid, px; 0 while it is not known
 */
export function fittingColumns(chosen: readonly ColumnId[], width: number): readonly ColumnId[] {
  const shown = new Set(chosen);
  if (width > 0 && width < LIFE_LEAST) shown.delete('life');
  const least = Math.min(NAME_LEAST, width / 2);
  for (const next of FIRST_TO_GO) {
    if (width === 0 || width - widthOf(shown) >= least) break;
    shown.delete(next);
  }
  return COLUMN_IDS.filter((id) => shown.has(id));
}

/** For `grid-template-columns`. */
export function columnsTemplate(columns: readonly ColumnId[]): string {
  return ['minmax(0, 1fr)', ...columns.map((id) => `${COLUMNS[id].width}px`)].join(' ');
}

/** `pid,user`; what is no column is left out, and `none` are none. @returns undefined when nothing is said of any */
export function parseColumns(text: string | null): readonly ColumnId[] | undefined {
  if (text === null) return undefined;
  if (text === 'none') return [];
  const named = new Set(text.split(',', COLUMN_IDS.length));
  const known = COLUMN_IDS.filter((id) => named.has(id));
  return known.length === 0 ? undefined : known;
}

export function printColumns(columns: readonly ColumnId[]): string {
  return columns.length === 0 ? 'none' : COLUMN_IDS.filter((id) => columns.includes(id)).join(',');
}

function widthOf(columns: ReadonlySet<ColumnId>): number {
  let width = COLUMNS_PADDING;
  for (const id of columns) width += COLUMNS[id].width + COLUMN_GAP;
  return width;
}
