// One line of the details: a value, or why there is none, and who said it.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs, FieldName, TimeBase } from '@dendro/protocol';
import type { ReactNode } from 'react';
import { FIELD_TITLES, fieldText } from '../../layout/field-text.ts';
import { provenance } from '../../layout/provenance.ts';
import { CopyButton } from '../common/copy-button.tsx';
import { LongText } from '../common/long-text.tsx';

export interface TaskProps {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;
  readonly at: EventNs;
  readonly base: TimeBase;
  readonly users: Readonly<Record<string, string>>;
  readonly isLive: boolean;
  /** Name of what the events come from; undefined where what is shown comes from the history. */
  readonly source: string | undefined;
}

type PlainField = Exclude<FieldName, 'parent' | 'executable' | 'argv' | 'interpreter'>;

interface FieldProps extends TaskProps {
  readonly field: PlainField;
  /** Left out where it is not known: most tasks have none. */
  readonly isOptional?: boolean;
  /** Left out where it is the same as that. */
  readonly unlike?: PlainField;
}

export function Field({ field, isOptional = false, unlike, ...props }: FieldProps) {
  const { tree, task, at, users } = props;
  const value = tree.valueAt(task, field, at);
  const name = FIELD_TITLES[field];
  if (value === undefined) {
    if (isOptional) return null;
    return (
      <Row name={name}>
        <Unknown>{whyUnknown(props)}</Unknown>
      </Row>
    );
  }
  if (unlike !== undefined && tree.valueAt(task, unlike, at) === value) return null;
  const isHost = field === 'container' && value === '';
  return (
    <Row name={name} copy={isHost ? undefined : String(value)}>
      <LongText text={fieldText(field, value, users)} />
      <ValueOrigin {...props} field={field} />
    </Row>
  );
}

export function whyUnknown({ tree, task, at, isLive }: TaskProps): string {
  if (tree.isKernelThread(task)) return 'none: a kernel thread';
  if (!isLive) return 'not in the recording';
  return tree.exitOf(task) <= at
    ? 'not known: it ended before /proc could be read'
    : 'not known: no source has said it so far';
}

/** Who said the value and when, in words, and whether it is the task's own. */
export function ValueOrigin({ field, ...props }: TaskProps & { readonly field: FieldName }) {
  const found = provenance(props, field);
  if (found === undefined) return null;
  // The blank goes where the line breaks.
  return (
    <>
      {' '}
      <span className="origin" title={found.title}>
        {found.from !== undefined && <Tag>{found.from}</Tag>}
        <Tag>{found.text}</Tag>
      </span>
    </>
  );
}

interface RowProps {
  readonly name: string;
  /** What is copied; undefined where there is nothing to copy. */
  readonly copy?: string | undefined;
  readonly children: ReactNode;
}

export function Row({ name, copy, children }: RowProps) {
  return (
    <div className="details-row">
      <dt>{name}</dt>
      <dd>
        <div className="details-value">{children}</div>
        {copy !== undefined && copy !== '' && <CopyButton label={`Copy: ${name}`} text={copy} isBare />}
      </dd>
    </div>
  );
}

export function Tag({ children }: { readonly children: ReactNode }) {
  return <span className="tag">{children}</span>;
}

export function Unknown({ children }: { readonly children: ReactNode }) {
  return <span className="unknown">{children}</span>;
}
