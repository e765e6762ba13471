// What a task runs: its arguments one by one, with which rights to read them
// back, and the file.

import { argumentParts } from '../../layout/argument-parts.ts';
import { count, plural } from '../../layout/format.ts';
import { shellCommand } from '../../layout/printable.ts';
import { CopyButton } from '../common/copy-button.tsx';
import { LongText } from '../common/long-text.tsx';
import { Field, type TaskProps, Unknown, ValueOrigin, whyUnknown } from './field.tsx';
import { FileValue } from './file-value.tsx';
import { useSteps } from './use-steps.ts';

const STEP = 200;

export function CommandTab(props: TaskProps) {
  const { tree, task, at } = props;
  const argv = tree.valueAt(task, 'argv', at) as readonly string[] | undefined;
  return (
    <>
      <section aria-label="Arguments">
        {argv === undefined ? (
          <p className="hint">
            Arguments: <Unknown>{whyUnknown(props)}</Unknown>
          </p>
        ) : (
          <Arguments argv={argv} {...props} />
        )}
      </section>
      <dl>
        <Field {...props} field="cwd" />
        <FileValue {...props} field="executable" isWhole />
        <FileValue {...props} field="interpreter" isOptional />
        <Field {...props} field="interp" isOptional />
      </dl>
    </>
  );
}

function Arguments({ argv, ...props }: TaskProps & { readonly argv: readonly string[] }) {
  const parts = argumentParts(argv);
  const { shown, more, showMore } = useSteps(parts.argv, STEP);
  if (argv.length === 0) return <p className="hint">It was started without any argument, not even its own name.</p>;
  const characters = parts.argv.reduce((sum, { length }) => sum + length, 0);
  return (
    <>
      <p className="tab-head">
        <span>
          {plural(parts.argv.length, 'argument')}, {plural(characters, 'character')}
        </span>
        <ValueOrigin {...props} field="argv" />
      </p>
      <p className="tab-tools">
        <CopyButton label="Copy for a shell" text={() => shellCommand(parts.argv)} />
        <CopyButton label="Copy as JSON" text={() => JSON.stringify(parts.argv)} />
      </p>
      <ol className="arguments" start={0}>
        {shown.map((argument, i) => (
          <li key={i}>
            <span className="argument-number">{i}</span>
            <span className="argument">
              {argument === '' ? <Unknown>empty</Unknown> : <LongText text={argument} />}
            </span>
            <CopyButton label={`Copy argument ${i}`} text={argument} isBare />
          </li>
        ))}
      </ol>
      {more > 0 && (
        <button type="button" className="link" onClick={showMore}>
          {count(more)} more arguments: show
        </button>
      )}
      {parts.cut !== undefined && (
        <p className="cut-mark" role="note">
          {parts.cut}
        </p>
      )}
    </>
  );
}
