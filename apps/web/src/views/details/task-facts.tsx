import { NO_TASK } from '@dendro/engine';
import { AUTHORITY, type FileInfo, TASK_FLAG } from '@dendro/protocol';
import { duration, exactTime, signalName } from '../../layout/format.ts';
import { printable, shellCommand } from '../../layout/printable.ts';
import { taskState } from '../../layout/task-state.ts';
import { CopyButton } from '../common/copy-button.tsx';
import { Field, Row, Tag, type TaskProps, Unknown, ValueOrigin, whyUnknown } from './field.tsx';

export function TaskFacts(props: TaskProps) {
  const { tree, task } = props;
  return (
    <>
      <dl>
        <State {...props} />
        <Ids {...props} />
        <Field {...props} field="comm" name="Name" />
        <Arguments {...props} />
        <File {...props} field="executable" name="Executable" />
        <File {...props} field="interpreter" name="Interpreter" isOptional />
        <Field {...props} field="interp" name="Interpreter as named" isOptional />
        <Field {...props} field="cwd" name="Directory" />
        <Field {...props} field="uid" name="User" />
        <Field {...props} field="euid" name="Effective user" isOptional unlike="uid" />
        <Field {...props} field="gid" name="Group" />
        <Field {...props} field="egid" name="Effective group" isOptional unlike="gid" />
        <Field {...props} field="container" name="Container" isOptional />
        <Field {...props} field="nsPid" name="NS PID" isOptional />
        <Field {...props} field="nsTid" name="NS TID" isOptional />
        <Field {...props} field="pidNs" name="PID namespace" isOptional />
      </dl>
      <dl>
        <Times {...props} />
        <Row name="Task id">{tree.taskIdOf(task)}</Row>
        <Row name="Entity id">{tree.entityIdOf(task)}</Row>
      </dl>
    </>
  );
}

function State({ tree, task, at }: TaskProps) {
  const state = taskState(tree, task, at);
  const code = tree.exitCodeOf(task);
  const signal = tree.exitSignalOf(task);
  const hasEnded = state.kind === 'exited';
  return (
    <>
      <Row name="State">
        <span className={`state-${state.tone}`}>{hasEnded ? 'ended' : state.text}</span>
        {tree.isKernelThread(task) && <Tag>kernel thread</Tag>}
        {tree.isPlaceholder(task) && <Tag>mentioned only</Tag>}
        {hasEnded && tree.exitAuthorityOf(task) === AUTHORITY.inferred && <Tag>concluded</Tag>}
      </Row>
      {hasEnded && (
        <Row name="Exit">
          {code !== undefined && `code ${code}`}
          {signal !== undefined && signal > 0 && `killed by ${signalName(signal)} (${signal})`}
          {code === undefined && !signal && <Unknown>not known: this source does not say how tasks end</Unknown>}
        </Row>
      )}
    </>
  );
}

function Ids({ tree, task, at }: TaskProps) {
  const isThread = tree.isThread(task);
  const process = isThread ? tree.leaderOf(task) : task;
  const parent = process === NO_TASK ? NO_TASK : tree.parentAt(process, at);
  return (
    <>
      <Row name="PID">{tree.pidOf(task)}</Row>
      {isThread && <Row name="TID">{tree.tidOf(task)}</Row>}
      <Row name="Parent PID">
        {parent === NO_TASK ? <Unknown>none known</Unknown> : tree.pidOf(parent)}
        <ValueOrigin tree={tree} task={process === NO_TASK ? task : process} at={at} field="parent" />
      </Row>
    </>
  );
}

function Arguments(props: TaskProps) {
  const { tree, task, at } = props;
  const argv = tree.valueAt(task, 'argv', at) as readonly string[] | undefined;
  if (argv === undefined) {
    return (
      <Row name="Arguments">
        <Unknown>{whyUnknown(props)}</Unknown>
      </Row>
    );
  }
  return (
    <Row name="Arguments">
      {argv.length === 0 ? (
        <Unknown>none</Unknown>
      ) : (
        <ol className="argv" start={0}>
          {argv.map((argument, i) => (
            <li key={i}>{argument === '' ? <Unknown>empty</Unknown> : printable(argument)}</li>
          ))}
        </ol>
      )}
      <span className="value-foot">
        {argv.length > 0 && <CopyButton label="Copy" text={shellCommand(argv)} />}
        <ValueOrigin tree={tree} task={task} at={at} field="argv" />
      </span>
    </Row>
  );
}

interface FileProps extends TaskProps {
  readonly field: 'executable' | 'interpreter';
  readonly name: string;
  readonly isOptional?: boolean;
}

function File({ field, name, isOptional = false, ...props }: FileProps) {
  const { tree, task, at } = props;
  const file = tree.valueAt(task, field, at) as FileInfo | undefined;
  if (file === undefined) {
    if (isOptional) return null;
    return (
      <Row name={name}>
        <Unknown>{whyUnknown(props)}</Unknown>
      </Row>
    );
  }
  // The kernel's event has the path as the caller wrote it: perhaps relative, perhaps a script.
  const isAsPassed = tree.authorityAt(task, field, at) === AUTHORITY.inferred;
  return (
    <Row name={name}>
      <span className="path">{printable(file.path)}</span>
      {file.inode !== undefined && (
        <small>
          inode {file.inode}
          {file.device !== undefined && `, device ${deviceName(file.device)}`}
        </small>
      )}
      {file.links === 0 && <Tag>deleted, or in memory only</Tag>}
      {file.hash !== undefined && <small>sha256 {file.hash}</small>}
      {isAsPassed ? <Tag>as passed to exec</Tag> : <ValueOrigin tree={tree} task={task} at={at} field={field} />}
    </Row>
  );
}

function Times({ tree, task, at, base }: TaskProps) {
  const start = tree.startOf(task);
  const exit = tree.exitOf(task);
  const has = (flag: number) => (tree.flagsOf(task) & flag) !== 0;
  return (
    <>
      <Row name="Started">
        {has(TASK_FLAG.startIsUnknown) && '≤ '}
        <time>{exactTime(base, start)}</time>
        {has(TASK_FLAG.startIsTick) && <Tag>to 10 ms</Tag>}
        {has(TASK_FLAG.startIsUnknown) && <Tag>then or earlier</Tag>}
      </Row>
      {exit <= at && (
        <Row name="Ended">
          <time>{exactTime(base, exit)}</time>
        </Row>
      )}
      <Row name={exit <= at ? 'Lived' : 'Age'}>{duration(Math.min(at, exit) - start)}</Row>
    </>
  );
}

/** `major:minor`, as Linux packs them into 32 bits. */
function deviceName(device: number): string {
  return `${(device >>> 8) & 0xfff}:${(device & 0xff) | ((device >>> 12) & 0xfff00)}`;
}
