import { Ancestors } from './ancestors.tsx';
import type { TaskProps } from './field.tsx';
import { OpenLineage } from './open-lineage.tsx';
import { TaskFacts } from './task-facts.tsx';

/** Everything known of the selected task in short, and who said it. */
export function Overview(props: TaskProps) {
  const { tree, task, at } = props;
  return (
    <>
      <Ancestors tree={tree} task={task} at={at} />
      <OpenLineage task={tree.taskIdOf(task)} />
      <TaskFacts {...props} />
    </>
  );
}
