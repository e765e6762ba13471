import type { TaskId } from '@dendro/protocol';
import { Network } from 'lucide-react';
import { useView, view } from '../../state/view-store.ts';

export function OpenLineage({ task }: { readonly task: TaskId }) {
  const of = useView((state) => state.lineage?.of);
  if (of === task) return null;
  return (
    <button type="button" className="open-lineage" data-testid="open-lineage" onClick={() => view.openLineage(task)}>
      <Network size={14} aria-hidden="true" />
      {of === undefined ? 'Open lineage' : 'Lineage of this one'}
      <kbd>{of === undefined ? 'l' : 'r'}</kbd>
    </button>
  );
}
