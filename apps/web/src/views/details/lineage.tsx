import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { count } from '../../layout/format.ts';
import { printable } from '../../layout/printable.ts';
import { view } from '../../state/view-store.ts';

interface LineageProps {
  readonly tree: TemporalTree;
  readonly task: TaskIndex;
  readonly at: EventNs;
}

/** A chain of forks can be thousands long: the nearest are shown, and how many are not. */
const MAX_LINKS = 24;

/** Ancestors as of the instant, eldest first; each leads there. */
export function Lineage({ tree, task, at }: LineageProps) {
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
              onClick={() => view.select(tree.taskIdOf(link))}
            >
              {printable(tree.textAt(link, 'comm', at) ?? '?')} <small>{tree.tidOf(link)}</small>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** The task and all above it, eldest first; a thread has its process above it. */
function ancestry(tree: TemporalTree, task: TaskIndex, at: EventNs): TaskIndex[] {
  const chain = new Set<TaskIndex>([task]);
  let process = tree.isThread(task) ? tree.leaderOf(task) : task;
  while (process !== NO_TASK) {
    chain.add(process);
    const parent = tree.parentAt(process, Math.min(at, tree.exitOf(process)) as EventNs);
    if (chain.has(parent)) break; // a hostile feed can close a ring
    process = parent;
  }
  return [...chain].reverse();
}
