// Of the selected task: what is different at A and at B, side by side.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { type EventNs, epochMsOf, type FieldName, type FileInfo, type TimeBase } from '@dendro/protocol';
import { calledAt, fieldLabel } from '../../layout/change-words.ts';
import { changedFields, livesAt } from '../../layout/compare.ts';
import { fieldText } from '../../layout/field-text.ts';
import { clockTime, millisecondsOf } from '../../layout/format.ts';
import { printable } from '../../layout/printable.ts';
import { taskState } from '../../layout/task-state.ts';

interface ComparedFactsProps {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;
  readonly a: EventNs;
  readonly b: EventNs;
  readonly base: TimeBase;
  readonly users: Readonly<Record<string, string>>;
}

export function ComparedFacts(props: ComparedFactsProps) {
  const { tree, task, a, b, base } = props;
  const time = (at: EventNs) =>
    clockTime(base, at, epochMsOf(base, Math.max(a, b) as EventNs)) + millisecondsOf(base, at);
  return (
    <section className="compared-facts" aria-label="Differences between A and B" data-testid="compared-facts">
      <h3>A and B</h3>
      {livesAt(tree, task, a) && livesAt(tree, task, b) ? (
        <Changed {...props} />
      ) : (
        <table>
          <Heads a={time(a)} b={time(b)} />
          <tbody>
            <tr>
              <th scope="row">state</th>
              {[a, b].map((at) => (
                <td key={at}>{stateAt(tree, task, at)}</td>
              ))}
            </tr>
          </tbody>
        </table>
      )}
    </section>
  );
}

function Changed({ tree, task, a, b, base, users }: ComparedFactsProps) {
  const fields: FieldName[] = [...changedFields(tree, task, a, b)];
  if (tree.parentAt(task, a) !== tree.parentAt(task, b)) fields.unshift('parent');
  const time = (at: EventNs) =>
    clockTime(base, at, epochMsOf(base, Math.max(a, b) as EventNs)) + millisecondsOf(base, at);
  if (fields.length === 0) return <p className="unknown">The same at both.</p>;
  return (
    <table>
      <Heads a={time(a)} b={time(b)} />
      <tbody>
        {fields.map((field) => (
          <tr key={field}>
            <th scope="row">{fieldLabel(field)}</th>
            <td>{textOf(tree, task, field, a, users)}</td>
            <td>{textOf(tree, task, field, b, users)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Heads({ a, b }: { readonly a: string; readonly b: string }) {
  return (
    <>
      <colgroup>
        <col />
        <col />
        <col />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">
            <span className="visually-hidden">Field</span>
          </th>
          <th scope="col">A {a}</th>
          <th scope="col">B {b}</th>
        </tr>
      </thead>
    </>
  );
}

function stateAt(tree: TemporalTree, task: TaskIndex, at: EventNs): string {
  return tree.startOf(task) > at ? 'not begun' : taskState(tree, task, at).text;
}

function textOf(
  tree: TemporalTree,
  task: TaskIndex,
  field: FieldName,
  at: EventNs,
  users: Readonly<Record<string, string>>,
): string {
  if (field === 'parent') return calledAt(tree, tree.parentAt(task, at), at);
  const value = tree.valueAt(task, field, at);
  const text = printable(fieldText(field, value, users));
  const inode = field === 'executable' || field === 'interpreter' ? (value as FileInfo | undefined)?.inode : undefined;
  return inode === undefined ? text : `${text} (inode ${inode})`;
}
