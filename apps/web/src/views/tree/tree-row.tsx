import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { type EventNs, epochMsOf, TASK_FLAG, type TaskId, type TimeBase } from '@dendro/protocol';
import { ChevronRight } from 'lucide-react';
import { clockTime, duration, exactTime, plural } from '../../layout/format.ts';
import { commandLine, printable } from '../../layout/printable.ts';
import { type TaskState, taskState } from '../../layout/task-state.ts';
import { view } from '../../state/view-store.ts';

export const ROW_HEIGHT = 26;
const INDENT = 16;
/** Deeper rows are not indented further: their depth is written out. */
const MAX_INDENT = 24;
const NEW_NS = 3e9;

export interface TreeRowProps {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;
  readonly at: EventNs;
  readonly base: TimeBase;
  readonly users: Readonly<Record<string, string>>;
  readonly row: number;
  readonly depth: number;
  readonly threads: number;
  readonly hasChildren: boolean;
  readonly isCollapsed: boolean;
  readonly isSelected: boolean;
  readonly isDimmed: boolean;
}

export function rowId(task: TaskId): string {
  return `task-${task}`;
}

export function TreeRow(props: TreeRowProps) {
  const { tree, task, at, base, row, depth } = props;
  const id = tree.taskIdOf(task);
  const isThread = tree.isThread(task);
  const state = taskState(tree, task, at);
  const isNew = state.kind === 'running' && at - tree.startOf(task) < NEW_NS;
  const classes = [
    'tree-row tree-columns',
    props.isSelected && 'is-selected',
    props.isDimmed && 'is-dimmed',
    state.kind !== 'running' && 'is-exited',
    isNew && 'is-new',
    isThread && 'is-thread',
  ];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys for all rows
    <div
      id={rowId(id)}
      className={classes.filter(Boolean).join(' ')}
      role="row"
      aria-rowindex={row + 2}
      aria-level={depth + 1}
      aria-selected={props.isSelected}
      aria-expanded={props.hasChildren ? !props.isCollapsed : undefined}
      data-testid="tree-row"
      data-task-id={id}
      data-pid={isThread ? undefined : tree.pidOf(task)}
      data-tid={tree.tidOf(task)}
      data-state={state.kind === 'running' ? 'running' : 'exited'}
      data-new={isNew || undefined}
      style={{ transform: `translateY(${row * ROW_HEIGHT}px)` }}
      onClick={() => view.select(id)}
      onDoubleClick={() => view.openDetails(id)}
    >
      <NameCell {...props} />
      <div role="gridcell" className="cell-pid">
        {tree.tidOf(task)}
      </div>
      <ThreadsCell {...props} />
      <UserCell {...props} />
      <div
        role="gridcell"
        className="cell-started"
        title={`${exactTime(base, tree.startOf(task))}\n${duration(at - tree.startOf(task))} ago`}
      >
        {startText(props)}
      </div>
      <StateCell state={state} at={at} exit={tree.exitOf(task)} base={base} start={tree.startOf(task)} />
    </div>
  );
}

function NameCell({ tree, task, at, depth, hasChildren, isCollapsed }: TreeRowProps) {
  const id = tree.taskIdOf(task);
  const comm = tree.textAt(task, 'comm', at);
  const isKernelThread = tree.isKernelThread(task);
  const name = comm === undefined ? '(no name known)' : printable(comm);
  const command = tree.isThread(task) || isKernelThread ? undefined : commandOf(tree, task, at);
  const indent = Math.min(depth, MAX_INDENT);
  return (
    <div role="gridcell" className="cell-process" style={{ paddingLeft: indent * INDENT + 4 }} title={command ?? name}>
      <span className="guides" aria-hidden="true" style={{ width: indent * INDENT }} />
      {depth > MAX_INDENT && <span className="depth">{depth}</span>}
      {hasChildren ? (
        <button
          type="button"
          className={isCollapsed ? 'chevron' : 'chevron is-open'}
          tabIndex={-1}
          aria-label={isCollapsed ? 'Expand' : 'Collapse'}
          onClick={(event) => {
            event.stopPropagation();
            if (isCollapsed) view.expand([id]);
            else view.collapse([id]);
          }}
          onDoubleClick={(event) => event.stopPropagation()}
        >
          <ChevronRight size={14} aria-hidden="true" />
        </button>
      ) : (
        <span className="chevron-space" />
      )}
      <span className={comm === undefined ? 'name is-unknown' : 'name'}>
        {isKernelThread ? `[${name}]` : name || '(empty name)'}
      </span>
      {tree.isPlaceholder(task) && (
        <span className="tag" title="Known only because another event mentioned it">
          mentioned
        </span>
      )}
      {command !== undefined && <span className="command">{command}</span>}
    </div>
  );
}

/** The command line, else the path of the program, else nothing. */
function commandOf(tree: TemporalTree, task: TaskIndex, at: EventNs): string | undefined {
  const argv = tree.valueAt(task, 'argv', at);
  if (Array.isArray(argv) && argv.length > 0) return commandLine(argv as readonly string[]);
  const path = tree.executablePathAt(task, at);
  return path === undefined ? undefined : printable(path);
}

function ThreadsCell({ tree, task, threads }: TreeRowProps) {
  if (tree.isThread(task) || threads === 0) return <div role="gridcell" className="cell-threads" />;
  if (threads === 1) {
    return (
      <div role="gridcell" className="cell-threads">
        1
      </div>
    );
  }
  return (
    <div role="gridcell" className="cell-threads">
      <button
        type="button"
        className="link"
        tabIndex={-1}
        title={`Show or hide the ${plural(threads, 'thread')} of this process`}
        onClick={(event) => {
          event.stopPropagation();
          view.toggleThreadsOf(tree.taskIdOf(task));
        }}
      >
        {threads}
      </button>
    </div>
  );
}

function UserCell({ tree, task, at, users }: TreeRowProps) {
  const uid = tree.numberAt(task, 'uid', at);
  return (
    <div role="gridcell" className="cell-user" title={uid === undefined ? 'The user is not known' : `uid ${uid}`}>
      {uid === undefined ? '–' : (users[uid] ?? uid)}
    </div>
  );
}

function startText({ tree, task, at, base }: TreeRowProps): string {
  const text = clockTime(base, tree.startOf(task), epochMsOf(base, at));
  return (tree.flagsOf(task) & TASK_FLAG.startIsUnknown) === 0 ? text : `≤ ${text}`;
}

interface StateCellProps {
  readonly state: TaskState;
  readonly at: EventNs;
  readonly exit: EventNs;
  readonly base: TimeBase;
  readonly start: EventNs;
}

function StateCell({ state, at, exit, base, start }: StateCellProps) {
  const title =
    state.kind === 'running'
      ? `for ${duration(at - start)}`
      : `${exactTime(base, exit)}\nafter ${duration(exit - start)}, ${duration(at - exit)} ago`;
  return (
    <div role="gridcell" className={`cell-state state-${state.tone}`} title={title}>
      {state.text}
    </div>
  );
}
