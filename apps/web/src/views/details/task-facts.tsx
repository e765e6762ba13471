import { NO_TASK } from '@dendro/engine';
import { AUTHORITY, epochMsOf, TASK_FLAG } from '@dendro/protocol';
import { argumentParts } from '../../layout/argument-parts.ts';
import { count, dateTime, elapsed, exactTime, signalName } from '../../layout/format.ts';
import { shellCommand } from '../../layout/printable.ts';
import { taskState } from '../../layout/task-state.ts';
import { behindUtcMs } from '../../layout/zone.ts';
import { view } from '../../state/view-store.ts';
import { CopyButton } from '../common/copy-button.tsx';
import { LongText } from '../common/long-text.tsx';
import { Field, Row, Tag, type TaskProps, Unknown, ValueOrigin, whyUnknown } from './field.tsx';
import { FileValue } from './file-value.tsx';

/** In the overview; the tab of the command has all. */
const MAX_ARGUMENTS = 20;

export function TaskFacts(props: TaskProps) {
  const { tree, task } = props;
  return (
    <>
      <dl>
        <State {...props} />
        <Ids {...props} />
        <Field {...props} field="comm" />
        <Arguments {...props} />
        <FileValue {...props} field="executable" />
        <FileValue {...props} field="interpreter" isOptional />
        <Field {...props} field="interp" isOptional />
        <Field {...props} field="cwd" />
        <Field {...props} field="uid" />
        <Field {...props} field="euid" isOptional unlike="uid" />
        <Field {...props} field="gid" />
        <Field {...props} field="egid" isOptional unlike="gid" />
        <Field {...props} field="container" isOptional />
        <Field {...props} field="nsPid" isOptional />
        <Field {...props} field="nsTid" isOptional />
        <Field {...props} field="pidNs" isOptional />
      </dl>
      <dl>
        <Times {...props} />
        <Row name="Task id" copy={String(tree.taskIdOf(task))}>
          {tree.taskIdOf(task)}
        </Row>
        <Row name="Entity id" copy={String(tree.entityIdOf(task))}>
          {tree.entityIdOf(task)}
        </Row>
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

function Ids(props: TaskProps) {
  const { tree, task, at } = props;
  const isThread = tree.isThread(task);
  const process = isThread ? tree.leaderOf(task) : task;
  const parent = process === NO_TASK ? NO_TASK : tree.parentAt(process, at);
  return (
    <>
      <Row name="PID" copy={String(tree.pidOf(task))}>
        {tree.pidOf(task)}
      </Row>
      {isThread && (
        <Row name="TID" copy={String(tree.tidOf(task))}>
          {tree.tidOf(task)}
        </Row>
      )}
      <Row name="Parent PID" copy={parent === NO_TASK ? undefined : String(tree.pidOf(parent))}>
        {parent === NO_TASK ? <Unknown>none known</Unknown> : tree.pidOf(parent)}
        <ValueOrigin {...props} task={process === NO_TASK ? task : process} field="parent" />
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
  const parts = argumentParts(argv);
  const shown = parts.argv.slice(0, MAX_ARGUMENTS);
  const isCut = parts.cut !== undefined || shown.length < parts.argv.length;
  return (
    <Row name="Arguments">
      {argv.length === 0 ? (
        <Unknown>none</Unknown>
      ) : (
        <ol className="argv" start={0}>
          {shown.map((argument, i) => (
            <li key={i}>{argument === '' ? <Unknown>empty</Unknown> : <LongText text={argument} />}</li>
          ))}
        </ol>
      )}
      {isCut && (
        <button type="button" className="link" onClick={() => view.showTab('command')}>
          {parts.cut === undefined ? `all ${count(parts.argv.length)} arguments` : 'cut by the source: see Command'}
        </button>
      )}
      <span className="value-foot">
        {argv.length > 0 && <CopyButton label="Copy" text={() => shellCommand(parts.argv)} />}
        <ValueOrigin {...props} field="argv" />
      </span>
    </Row>
  );
}

/** The exact time is that of UTC: what it is in the zone that all others are told in. */
function InZone({ base, at }: Pick<TaskProps, 'base' | 'at'>) {
  return behindUtcMs(epochMsOf(base, at)) !== 0 && <small className="in-zone">{dateTime(base, at)} here</small>;
}

function Times({ tree, task, at, base }: TaskProps) {
  const start = tree.startOf(task);
  const exit = tree.exitOf(task);
  const has = (flag: number) => (tree.flagsOf(task) & flag) !== 0;
  return (
    <>
      <Row name="Started" copy={exactTime(base, start)}>
        {has(TASK_FLAG.startIsUnknown) && '≤ '}
        <time>{exactTime(base, start)}</time>
        <InZone base={base} at={start} />
        {has(TASK_FLAG.startIsTick) && <Tag>to 10 ms</Tag>}
        {has(TASK_FLAG.startIsUnknown) && <Tag>then or earlier</Tag>}
      </Row>
      {exit <= at && (
        <Row name="Ended" copy={exactTime(base, exit)}>
          <time>{exactTime(base, exit)}</time>
          <InZone base={base} at={exit} />
        </Row>
      )}
      <Row name={exit <= at ? 'Lived' : 'Age'}>{elapsed(Math.min(at, exit) - start)}</Row>
    </>
  );
}
