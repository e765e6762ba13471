// Everything known of the selected task as of the instant that is shown, and
// who said it.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import {
  AUTHORITY,
  type Authority,
  type EventNs,
  type FieldName,
  type FileInfo,
  TASK_FLAG,
  type TimeBase,
} from '@dendro/protocol';
import { Copy, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useApp } from '../../app-context.ts';
import { duration, exactTime } from '../../layout/format.ts';
import { printable } from '../../layout/printable.ts';
import { taskState } from '../../layout/task-state.ts';
import { useView, view } from '../../state/view-store.ts';
import { IconButton } from '../icon-button.tsx';

interface DetailsProps {
  readonly at: EventNs;
  /** Changes when the replica has. */
  readonly frame: number;
}

export function Details({ at }: DetailsProps) {
  const { replica } = useApp();
  const selected = useView((state) => state.selected);
  const { tree } = replica;
  const task = selected === undefined ? NO_TASK : tree.indexOf(selected);
  return (
    <aside className="details" data-testid="details" aria-label="Details">
      <header>
        <h2>{task === NO_TASK ? 'Details' : printable(tree.textAt(task, 'comm', at) ?? `pid ${tree.tidOf(task)}`)}</h2>
        <IconButton label="Close (Esc)" onClick={() => view.closeDetails()}>
          <X size={16} aria-hidden="true" />
        </IconButton>
      </header>
      {task === NO_TASK || !tree.isPresent(task) ? (
        <p className="hint">
          {selected === undefined
            ? 'Select a row to see what is known of it.'
            : 'This task is not in memory: it ended long ago, or the address names one of another run.'}
        </p>
      ) : (
        <TaskDetails
          tree={tree}
          task={task}
          at={at}
          base={{ epochNs: BigInt(replica.host?.baseEpochNs ?? '0') }}
          users={replica.host?.users ?? {}}
          isLive={replica.host?.isLive ?? true}
        />
      )}
    </aside>
  );
}

interface TaskProps {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;
  readonly at: EventNs;
  readonly base: TimeBase;
  readonly users: Readonly<Record<string, string>>;
  readonly isLive: boolean;
}

function TaskDetails(props: TaskProps) {
  const { tree, task, at, base } = props;
  const process = tree.isThread(task) ? tree.leaderOf(task) : task;
  const parent = process === NO_TASK ? NO_TASK : tree.parentAt(process, at);
  const state = taskState(tree, task, at);
  const start = tree.startOf(task);
  const exit = tree.exitOf(task);
  const has = (flag: number) => (tree.flagsOf(task) & flag) !== 0;
  return (
    <div className="details-body">
      <Lineage tree={tree} task={task} at={at} />
      <dl>
        <Row name="State">
          <span className={`state-${state.tone}`}>{state.text}</span>
          {exit <= at && tree.exitAuthorityOf(task) === AUTHORITY.inferred && <Tag>concluded</Tag>}
        </Row>
        <Row name={tree.isThread(task) ? 'TID · PID' : 'PID'}>
          {tree.isThread(task) ? `${tree.tidOf(task)} · ${tree.pidOf(task)}` : tree.pidOf(task)}
        </Row>
        <Row name="PPID">
          {parent === NO_TASK ? <Unknown>none</Unknown> : tree.pidOf(parent)}
          <Origin authority={process === NO_TASK ? undefined : tree.authorityAt(process, 'parent', at)} />
        </Row>
        <Argv {...props} />
        <Executable {...props} />
        <Field {...props} field="cwd" name="Folder" />
        <Field {...props} field="uid" name="User" />
        <Field {...props} field="gid" name="Group" />
        <Field {...props} field="container" name="Container" />
        <Row name="Started">
          {has(TASK_FLAG.startIsUnknown) && '≤ '}
          <time>{exactTime(base, start)}</time>
          {has(TASK_FLAG.startIsTick) && <Tag>±10 ms</Tag>}
          <small>{duration(Math.min(at, exit) - start)} of life</small>
        </Row>
        {exit <= at && (
          <Row name="Ended">
            <time>{exactTime(base, exit)}</time>
          </Row>
        )}
        <Field {...props} field="nsPid" name="PID in its namespace" />
        <Field {...props} field="pidNs" name="PID namespace" />
        <Row name="Task id">{tree.taskIdOf(task)}</Row>
        <Row name="Entity id">{tree.entityIdOf(task)}</Row>
        {has(TASK_FLAG.placeholder) && (
          <Row name="Note">Known only because another event mentioned it; its birth was not seen.</Row>
        )}
      </dl>
    </div>
  );
}

/** Ancestors as of the instant, eldest first; each leads there. */
function Lineage({ tree, task, at }: Pick<TaskProps, 'tree' | 'task' | 'at'>) {
  const chain: TaskIndex[] = [task];
  let process = tree.isThread(task) ? tree.leaderOf(task) : task;
  if (process !== task && process !== NO_TASK) chain.unshift(process);
  for (let steps = 0; process !== NO_TASK && steps < 64; steps++) {
    process = tree.parentAt(process, Math.min(at, tree.exitOf(process)) as EventNs);
    if (process === NO_TASK || chain.includes(process)) break;
    chain.unshift(process);
  }
  return (
    <nav className="lineage" aria-label="Ancestors">
      <ol>
        {chain.map((link) => (
          <li key={tree.taskIdOf(link)} aria-current={link === task || undefined}>
            <button
              type="button"
              className="link"
              disabled={link === task || !tree.isPresent(link)}
              onClick={() => view.select(tree.taskIdOf(link))}
            >
              {printable(tree.textAt(link, 'comm', at) ?? '?')} <small>{tree.tidOf(link)}</small>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Argv(props: TaskProps) {
  const { tree, task, at } = props;
  const argv = tree.valueAt(task, 'argv', at) as readonly string[] | undefined;
  return (
    <Row name="Arguments">
      {argv === undefined ? (
        <Unknown>{whyUnknown(props)}</Unknown>
      ) : (
        <>
          <ol className="argv" start={0}>
            {argv.map((argument, i) => (
              <li key={i}>{argument === '' ? <Unknown>empty</Unknown> : printable(argument)}</li>
            ))}
          </ol>
          <IconButton label="Copy the arguments" onClick={() => void navigator.clipboard.writeText(argv.join(' '))}>
            <Copy size={14} aria-hidden="true" />
          </IconButton>
          <OriginOf tree={tree} task={task} at={at} field="argv" />
        </>
      )}
    </Row>
  );
}

function Executable(props: TaskProps) {
  const { tree, task, at } = props;
  const file = tree.valueAt(task, 'executable', at) as FileInfo | undefined;
  if (file === undefined) {
    return (
      <Row name="Executable">
        <Unknown>{whyUnknown(props)}</Unknown>
      </Row>
    );
  }
  // The kernel's event has the path as the caller wrote it: perhaps relative, perhaps a script.
  const isAsPassed = tree.authorityAt(task, 'executable', at) === AUTHORITY.inferred;
  return (
    <Row name="Executable">
      <span className="path">{printable(file.path)}</span>
      {file.inode !== undefined && (
        <small>
          inode {file.inode}, device{' '}
          {file.device === undefined ? '?' : `${(file.device >>> 8) & 0xfff}:${file.device & 0xff}`}
        </small>
      )}
      {isAsPassed ? <Tag>as passed to exec</Tag> : <OriginOf tree={tree} task={task} at={at} field="executable" />}
    </Row>
  );
}

interface FieldProps extends TaskProps {
  readonly field: Exclude<FieldName, 'parent' | 'executable' | 'argv'>;
  readonly name: string;
}

function Field(props: FieldProps) {
  const { tree, task, at, field, name, users } = props;
  const value = tree.valueAt(task, field, at);
  if (value === undefined) {
    if (field === 'container' || field === 'nsPid' || field === 'pidNs') return null;
    return (
      <Row name={name}>
        <Unknown>{whyUnknown(props)}</Unknown>
      </Row>
    );
  }
  const user = field === 'uid' ? users[String(value)] : undefined;
  return (
    <Row name={name}>
      {printable(String(value))}
      {user !== undefined && ` (${printable(user)})`}
      <OriginOf tree={tree} task={task} at={at} field={field} />
    </Row>
  );
}

function whyUnknown({ tree, task, at, isLive }: TaskProps): string {
  if (tree.isKernelThread(task)) return 'none: a kernel thread';
  if (!isLive) return 'not in the recording';
  return tree.exitOf(task) <= at ? 'not known: it ended before /proc could be read' : 'not known';
}

function OriginOf({
  tree,
  task,
  at,
  field,
}: Pick<TaskProps, 'tree' | 'task' | 'at'> & { readonly field: Exclude<FieldName, 'parent'> }) {
  const isInherited = tree.sinceAt(task, field, at) === undefined;
  return (
    <>
      {isInherited && <Tag>{tree.isThread(task) ? 'of its process' : 'from its parent'}</Tag>}
      <Origin authority={tree.authorityAt(task, field, at)} />
    </>
  );
}

const ORIGINS: Readonly<Record<Authority, string>> = {
  [AUTHORITY.event]: 'kernel event',
  [AUTHORITY.procfs]: '/proc',
  [AUTHORITY.inferred]: 'concluded',
};

function Origin({ authority }: { readonly authority: Authority | undefined }) {
  return authority === undefined ? null : <Tag>{ORIGINS[authority]}</Tag>;
}

function Row({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="details-row">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Tag({ children }: { readonly children: ReactNode }) {
  return <span className="tag">{children}</span>;
}

function Unknown({ children }: { readonly children: ReactNode }) {
  return <span className="unknown">{children}</span>;
}
