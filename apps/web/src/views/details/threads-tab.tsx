import type { TaskIndex } from '@dendro/engine';
import { epochMsOf, TASK_FLAG } from '@dendro/protocol';
import { useMemo, useRef } from 'react';
import { useApp } from '../../app-context.ts';
import { clockTime, count, exactTime, plural } from '../../layout/format.ts';
import { printableName } from '../../layout/printable.ts';
import { taskState } from '../../layout/task-state.ts';
import { threadRows } from '../../layout/thread-rows.ts';
import { useView, view } from '../../state/view-store.ts';
import type { TaskProps } from './field.tsx';
import { useSteps } from './use-steps.ts';

const STEP = 100;

export function ThreadsTab(props: TaskProps) {
  const { tree, task, at } = props;
  const { facts } = useApp().replica;
  const pausedAt = useView((state) => state.pausedAt);
  const instant = useRef(at);
  instant.current = at;
  const threads = useMemo(() => {
    void facts; // live, nothing changes between two of them
    return threadRows(tree, task, pausedAt ?? instant.current);
  }, [tree, task, facts, pausedAt]);
  const { shown, more, showMore } = useSteps(threads, STEP, threads.indexOf(task) + 1);
  const living = threads.filter((thread) => tree.exitOf(thread) > at).length;
  return (
    <>
      <p className="tab-head">
        {plural(living, 'living thread')}
        {threads.length > living && `, ${count(threads.length - living)} ended`}
      </p>
      <table className="tab-table">
        <thead>
          <tr>
            <th scope="col" className="is-number">
              TID
            </th>
            <th scope="col">Name</th>
            <th scope="col">Start</th>
            <th scope="col">End</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((thread) => (
            <Thread key={tree.taskIdOf(thread)} {...props} thread={thread} />
          ))}
        </tbody>
      </table>
      {more > 0 && (
        <button type="button" className="link" onClick={showMore}>
          {count(more)} more: show
        </button>
      )}
    </>
  );
}

function Thread({ tree, task, at, base, thread }: TaskProps & { readonly thread: TaskIndex }) {
  const state = taskState(tree, thread, at);
  const [start, exit] = [tree.startOf(thread), tree.exitOf(thread)];
  const isLater = (tree.flagsOf(thread) & TASK_FLAG.startIsUnknown) !== 0;
  const id = tree.taskIdOf(thread);
  const clock = (time: typeof at): string => clockTime(base, time, epochMsOf(base, at));
  return (
    <tr aria-current={thread === task || undefined} onClick={() => view.select(id)}>
      <td className="is-number">{tree.tidOf(thread)}</td>
      <td>
        <button type="button" className="link" onClick={() => view.select(id)}>
          {printableName(tree.textAt(thread, 'comm', at) ?? '(no name known)')}
        </button>
      </td>
      <td title={exactTime(base, start)}>
        {isLater && '≤ '}
        {clock(start)}
      </td>
      <td title={exit <= at ? exactTime(base, exit) : undefined}>{exit <= at ? clock(exit) : '–'}</td>
      <td className={`state-${state.tone}`}>{state.text}</td>
    </tr>
  );
}
