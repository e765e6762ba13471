// What stands in the columns of a row, whether it is in its place or held at the
// top of the window.

import { Box, FileX, KeyRound, UserRound, X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Badge } from '../../layout/badges.ts';
import type { ColumnId } from '../../layout/columns.ts';
import { count, plural } from '../../layout/format.ts';
import type { RowModel } from '../../layout/row-model.ts';
import type { Pattern } from '../../query/ast.ts';
import { markedParts } from '../../query/marks.ts';
import { view } from '../../state/view-store.ts';

export interface CellsProps extends RowModel {
  readonly columns: readonly ColumnId[];
  /** Living threads of the process. */
  readonly threads: number;
}

export function Cells({ columns, ...row }: CellsProps) {
  return columns.map((column) => <Cell key={column} column={column} row={row} />);
}

type Row = Omit<CellsProps, 'columns'>;

const CONTENT: Readonly<Record<ColumnId, (row: Row) => ReactNode>> = {
  pid: ({ tid }) => tid,
  threads: (row) => <Threads {...row} />,
  user: ({ user }) => user,
  euser: ({ euser }) => euser,
  container: ({ container }) => container,
  executable: ({ executable }) => executable,
  cwd: ({ cwd }) => cwd,
  started: ({ started }) => started,
  age: ({ age }) => age,
  state: ({ stateTone, stateText, stateAge }) => (
    <>
      <span className={`state-${stateTone}`}>{stateText}</span>
      <span className="age">{stateAge}</span>
    </>
  ),
  exit: ({ exit, stateTone }) => <span className={`state-${stateTone}`}>{exit}</span>,
  life: (row) => <Life {...row} />,
};

function Cell({ column, row }: { readonly column: ColumnId; readonly row: Row }) {
  return (
    <div role="gridcell" className={`cell-${column}`} title={titleOf(column, row) || undefined}>
      {CONTENT[column](row)}
    </div>
  );
}

function titleOf(column: ColumnId, row: Row): string {
  switch (column) {
    case 'user':
      return row.userTitle;
    case 'started':
    case 'age':
      return row.startedTitle;
    case 'state':
      return row.stateTitle;
    case 'executable':
    case 'cwd':
      return row[column];
    default:
      return '';
  }
}

/** The grid places the bar (lifetime.tsx): a row is not drawn again because time goes on. */
function Life({ bornAt, endedAt, started, state, stateText, stateTone, age }: Row) {
  const words = state === 'running' ? `since ${started}` : `from ${started}, for ${age}, ${stateText}`;
  return (
    <>
      <span className={`life is-${stateTone}`} data-born={bornAt} data-ended={endedAt} aria-hidden="true" />
      <span className="visually-hidden">{words}</span>
    </>
  );
}

function Threads({ id, isThread, threads }: Row) {
  if (isThread || threads === 0) return null;
  if (threads === 1) return 1;
  return (
    <button
      type="button"
      className="link"
      tabIndex={-1}
      title={`Show or hide the ${plural(threads, 'thread')} of this process`}
      onClick={(event) => {
        event.stopPropagation();
        view.toggleThreadsOf(id);
      }}
    >
      {count(threads)}
    </button>
  );
}

const BADGE_ICON = { user: UserRound, setuid: KeyRound, container: Box, deleted: FileX, failed: X };

export function Badges({ badges }: { readonly badges: readonly Badge[] }) {
  return badges.map(({ kind, text, title }) => {
    const Icon = BADGE_ICON[kind];
    return (
      <span key={kind} className={`row-badge is-${kind}`} role="img" aria-label={title} title={title}>
        <Icon size={11} aria-hidden="true" />
        {kind !== 'failed' && text}
      </span>
    );
  });
}

interface MarkedProps {
  readonly text: string;
  readonly patterns: readonly Pattern[] | undefined;
}

export function Marked({ text, patterns }: MarkedProps) {
  if (patterns === undefined || patterns.length === 0) return text;
  return markedParts(text, patterns).map((part, i) => (part.isMarked ? <mark key={i}>{part.text}</mark> : part.text));
}
