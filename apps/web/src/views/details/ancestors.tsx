import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { count } from '../../layout/format.ts';
import { printableName } from '../../layout/printable.ts';
import { ancestry } from '../../layout/scope.ts';
import { view } from '../../state/view-store.ts';

interface AncestorsProps {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;
  readonly at: EventNs;
}

/** A chain of forks can be thousands long: the nearest are shown, and how many are not. */
const MAX_LINKS = 24;

/** Ancestors as of the instant, eldest first; each leads there. */
export function Ancestors({ tree, task, at }: AncestorsProps) {
  const chain = ancestry(tree, task, at);
  const shown = chain.slice(-MAX_LINKS);
  const left = chain.length - shown.length;
  return (
    <nav className="lineage" aria-label="Ancestors">
      <ol>
        {left > 0 && <li className="unknown">{count(left)} further up</li>}
        {shown.map((link) => (
          <li key={tree.taskIdOf(link)} aria-current={link === task || undefined}>
            <button
              type="button"
              className="link"
              disabled={link === task || !tree.isPresent(link)}
              title={tree.isPresent(link) ? undefined : 'Not in memory any more'}
              onClick={() => view.reveal(tree.taskIdOf(link))}
            >
              {printableName(tree.textAt(link, 'comm', at) ?? '?')} <small>{tree.tidOf(link)}</small>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
