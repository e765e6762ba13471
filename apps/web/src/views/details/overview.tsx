import { processOf } from '../../layout/process-of.ts';
import { Actions } from './actions.tsx';
import { Ancestors } from './ancestors.tsx';
import type { TaskProps } from './field.tsx';
import { TaskFacts } from './task-facts.tsx';

/** Everything known of the selected task in short, and who said it. */
export function Overview(props: TaskProps) {
  const { tree, task, at } = props;
  return (
    <>
      <Ancestors tree={tree} task={task} at={at} />
      <Actions task={tree.taskIdOf(processOf(tree, task))} of={tree.taskIdOf(task)} />
      <TaskFacts {...props} />
    </>
  );
}
