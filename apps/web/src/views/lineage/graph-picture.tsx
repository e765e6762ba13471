import type { TaskIndex } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import { useMemo, useState } from 'react';
import type { RowContext } from '../../layout/row-model.ts';
import { useView, view } from '../../state/view-store.ts';
import { Graph } from './graph.tsx';
import { LineageFrame } from './lineage-frame.tsx';
import { type Groups, MOST_DESCENDANTS, STEP_OF_DESCENDANTS, useFamily, type Wanted } from './use-family.ts';

interface GraphPictureProps {
  readonly subject: TaskIndex;
  readonly context: RowContext;
}

const ALL: Wanted = () => true;
const LIVING: Wanted = (tree, task, at) => tree.exitOf(task) > at;

export function GraphPicture({ subject, context }: GraphPictureProps) {
  const [limit, setLimit] = useState(STEP_OF_DESCENDANTS);
  // Processes whose groups somebody has opened.
  const [opened, setOpened] = useState<ReadonlySet<TaskId>>(new Set());
  const livingOnly = useView((state) => state.livingOnly);
  const groupsRepeats = useView((state) => state.groupsRepeats);
  const groups = useMemo((): Groups => {
    return (tree, parent) => groupsRepeats && !opened.has(tree.taskIdOf(parent));
  }, [groupsRepeats, opened]);
  const family = useFamily(context.tree, subject, { limit, wanted: livingOnly ? LIVING : ALL, groups });
  return (
    <LineageFrame
      picture="graph"
      subject={subject}
      context={context}
      family={family}
      unwantedAre="that ended"
      tools={
        <>
          <Check label="Living only" isOn={livingOnly} onChange={(livingOnly) => view.showOfGraph({ livingOnly })} />
          <Check
            label="Group repeats"
            title="Children that ended in the same way under the same name are shown as one"
            isOn={groupsRepeats}
            onChange={(groupsRepeats) => view.showOfGraph({ groupsRepeats })}
          />
        </>
      }
    >
      <Graph
        family={family}
        context={context}
        onOpenGroup={(parent) => setOpened((opened) => new Set([...opened, parent]))}
        onMore={
          limit < MOST_DESCENDANTS
            ? () => setLimit((limit) => Math.min(MOST_DESCENDANTS, limit + STEP_OF_DESCENDANTS))
            : undefined
        }
      />
    </LineageFrame>
  );
}

interface CheckProps {
  readonly label: string;
  readonly title?: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

function Check({ label, title, isOn, onChange }: CheckProps) {
  return (
    <label className="tool-check" title={title}>
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}
