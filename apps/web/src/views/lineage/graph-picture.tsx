import type { TaskIndex } from '@dendro/engine';
import { useState } from 'react';
import type { RowContext } from '../../layout/row-model.ts';
import { Graph } from './graph.tsx';
import { LineageFrame } from './lineage-frame.tsx';
import { MOST_DESCENDANTS, STEP_OF_DESCENDANTS, useBirths, useFamily, type Wanted } from './use-family.ts';

interface GraphPictureProps {
  readonly subject: TaskIndex;
  readonly context: RowContext;
  readonly hidesEnded: boolean;
  readonly onHideEnded: (hides: boolean) => void;
}

const ALL: Wanted = () => true;
const LIVING: Wanted = (tree, task, at) => tree.exitOf(task) > at;

export function GraphPicture({ subject, context, hidesEnded, onHideEnded }: GraphPictureProps) {
  const [limit, setLimit] = useState(STEP_OF_DESCENDANTS);
  const family = useFamily(useBirths(), subject, limit, hidesEnded ? LIVING : ALL);
  return (
    <LineageFrame
      picture="graph"
      subject={subject}
      context={context}
      family={family}
      unwantedAre="that ended"
      tools={
        <label className="tool-check">
          <input type="checkbox" checked={hidesEnded} onChange={(event) => onHideEnded(event.target.checked)} />
          Living only
        </label>
      }
    >
      <Graph
        family={family}
        context={context}
        onMore={
          limit < MOST_DESCENDANTS
            ? () => setLimit((limit) => Math.min(MOST_DESCENDANTS, limit + STEP_OF_DESCENDANTS))
            : undefined
        }
      />
    </LineageFrame>
  );
}
