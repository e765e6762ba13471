// One line of the details: a value, or why there is none, and who said it.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { AUTHORITY, type Authority, type EventNs, type FieldName, type TimeBase } from '@dendro/protocol';
import type { ReactNode } from 'react';
import { printable } from '../../layout/printable.ts';

export interface TaskProps {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;
  readonly at: EventNs;
  readonly base: TimeBase;
  readonly users: Readonly<Record<string, string>>;
  readonly isLive: boolean;
}

type PlainField = Exclude<FieldName, 'parent' | 'executable' | 'argv' | 'interpreter'>;

interface FieldProps extends TaskProps {
  readonly field: PlainField;
  readonly name: string;
  /** Left out where it is not known: most tasks have none. */
  readonly isOptional?: boolean;
  /** Left out where it is the same as that. */
  readonly unlike?: PlainField;
}

export function Field({ field, name, isOptional = false, unlike, ...props }: FieldProps) {
  const { tree, task, at, users } = props;
  const value = tree.valueAt(task, field, at);
  if (value === undefined) {
    if (isOptional) return null;
    return (
      <Row name={name}>
        <Unknown>{whyUnknown(props)}</Unknown>
      </Row>
    );
  }
  if (unlike !== undefined && tree.valueAt(task, unlike, at) === value) return null;
  const user = field === 'uid' || field === 'euid' ? users[String(value)] : undefined;
  return (
    <Row name={name}>
      {printable(String(value))}
      {user !== undefined && ` (${printable(user)})`}
      <ValueOrigin tree={tree} task={task} at={at} field={field} />
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

interface ValueOriginProps {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;
  readonly at: EventNs;
  readonly field: FieldName;
}

const ORIGINS: Readonly<Record<Authority, string>> = {
  [AUTHORITY.event]: 'kernel event',
  [AUTHORITY.sighting]: 'seen',
  [AUTHORITY.inferred]: 'concluded',
};

/** Who said the value, and whether it is the task's own. */
export function ValueOrigin({ tree, task, at, field }: ValueOriginProps) {
  const authority = tree.authorityAt(task, field, at);
  if (authority === undefined) return null;
  const isInherited = field !== 'parent' && tree.sinceAt(task, field, at) === undefined;
  return (
    <>
      {isInherited && (
        <Tag>{tree.isThread(task) && field !== 'comm' ? 'of its process' : 'inherited from its parent'}</Tag>
      )}
      <Tag>{ORIGINS[authority]}</Tag>
    </>
  );
}

export function Row({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="details-row">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Tag({ children }: { readonly children: ReactNode }) {
  return <span className="tag">{children}</span>;
}

export function Unknown({ children }: { readonly children: ReactNode }) {
  return <span className="unknown">{children}</span>;
}
