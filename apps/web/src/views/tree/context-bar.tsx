// What part of the tree is shown: nothing is left out without being said.

import { NO_TASK, type TaskIndex } from '@dendro/engine';
import { X } from 'lucide-react';
import { count, plural } from '../../layout/format.ts';
import { printableName } from '../../layout/printable.ts';
import { ancestry } from '../../layout/scope.ts';
import { useView, view } from '../../state/view-store.ts';
import { IconButton } from '../common/icon-button.tsx';
import type { TreeRows } from './tree-rows.ts';

export function ContextBar({ treeRows }: { readonly treeRows: TreeRows }) {
  const scope = useView((state) => state.scope);
  if (scope === undefined && !treeRows.isFiltered) return null;
  return (
    <div className="context-bar">
      {scope !== undefined && <Scope treeRows={treeRows} top={treeRows.tree.indexOf(scope)} />}
      {treeRows.isFiltered && <Filtered treeRows={treeRows} />}
    </div>
  );
}

/** Of a long chain the nearest: each leads to its own subtree. */
const MAX_CRUMBS = 5;

function Scope({ treeRows: { tree, order }, top }: { readonly treeRows: TreeRows; readonly top: TaskIndex }) {
  const chain = top === NO_TASK ? [] : ancestry(tree, top, order.at);
  const above = chain.slice(0, -1);
  const shown = above.slice(-MAX_CRUMBS);
  return (
    <nav className="scope" aria-label="Subtree that is shown">
      <ol>
        <li>
          <button type="button" className="link" onClick={() => view.setScope(undefined)}>
            All
          </button>
        </li>
        {shown.length < above.length && <li className="unknown">{count(above.length - shown.length)} more</li>}
        {shown.map((task) => (
          <li key={tree.taskIdOf(task)}>
            <button type="button" className="link" onClick={() => view.setScope(tree.taskIdOf(task))}>
              {printableName(tree.textAt(task, 'comm', order.at) ?? '?')}
            </button>
          </li>
        ))}
        <li aria-current="true">
          {top === NO_TASK
            ? 'a task that is not known any more'
            : printableName(tree.textAt(top, 'comm', order.at) ?? '?')}
          {top !== NO_TASK && <small>{tree.tidOf(top)}</small>}
        </li>
      </ol>
      <IconButton label="Show the whole tree" onClick={() => view.setScope(undefined)}>
        <X size={14} aria-hidden="true" />
      </IconButton>
    </nav>
  );
}

function Filtered({ treeRows: { rows, order, found } }: { readonly treeRows: TreeRows }) {
  const matches = found?.count ?? 0;
  const leading = rows.length - matches;
  const hidden = order.length - rows.length;
  return (
    <p className="filtered">
      <span>
        {plural(matches, 'match', 'matches')}
        {leading > 0 && `, ${plural(leading, 'row')} leading there`}
      </span>
      <span data-testid="hidden-rows">{count(hidden)} hidden</span>
      <button type="button" className="link" onClick={() => view.clearQuery()}>
        Show all
      </button>
    </p>
  );
}
