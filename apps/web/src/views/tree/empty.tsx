import { useApp } from '../../app-context.ts';
import { plural } from '../../layout/format.ts';
import { useTree } from '../../state/tree-store.ts';
import { useView, view } from '../../state/view-store.ts';
import type { TreeRows } from './tree-rows.ts';

/** Why there is no row, and what would show some. */
export function Empty({ treeRows }: { readonly treeRows: TreeRows }) {
  const isPaused = useView((state) => state.pausedAt !== undefined);
  const chip = useTree((state) => state.chip);
  const onlyChanged = useView((state) => state.comparison?.onlyChanged ?? false);
  if (treeRows.isScopeLost) {
    return (
      <div className="tree-empty" role="status">
        <p>The process whose subtree this is has no row at this instant.</p>
        <button type="button" className="link" onClick={() => view.setScope(undefined)}>
          Show the whole tree
        </button>
      </div>
    );
  }
  if (treeRows.isFiltered) return <NothingMatches treeRows={treeRows} />;
  if (treeRows.changes !== undefined && onlyChanged) {
    return (
      <div className="tree-empty" role="status">
        <p>Nothing differs between A and B{chip === 'all' ? '' : ' in what is chosen above'}.</p>
        <button type="button" className="link" onClick={() => view.showOnlyChanged(false)}>
          Show what is the same at both
        </button>
      </div>
    );
  }
  return (
    <p className="tree-empty" role="status">
      {chip !== 'all'
        ? 'No process is of this kind now. Choose All above to see every process.'
        : isPaused
          ? 'Nothing is known of this instant. Go back to the present with Space.'
          : 'No process is shown: kernel threads and what has exited are hidden.'}
    </p>
  );
}

/** What is hidden was not looked through: perhaps it is there. */
function NothingMatches({ treeRows }: { readonly treeRows: TreeRows }) {
  const scope = useView((state) => state.scope);
  const hasHistory = useApp().replica.host?.oldestEpochNs !== undefined;
  const query = useView((state) => state.query);
  const byProgram = query.replaceAll(/\bname:=?/g, 'exe:');
  const { hiddenKernelThreads, foldedExited } = treeRows.order;
  const wider = [
    scope !== undefined && { what: 'the whole tree', look: () => view.setScope(undefined) },
    foldedExited > 0 && { what: `${plural(foldedExited, 'exited process', 'exited processes')}`, look: showExited },
    hiddenKernelThreads > 0 && { what: plural(hiddenKernelThreads, 'kernel thread'), look: showKernelThreads },
  ].filter((choice) => choice !== false);
  return (
    <div className="tree-empty" role="status">
      <p>Nothing matches. Clear the query with Esc.</p>
      {byProgram !== query && (
        <button type="button" className="link" onClick={() => view.setQuery(byProgram)}>
          A process can bear another name than its program: try {byProgram}
        </button>
      )}
      {hasHistory && (
        <button type="button" className="link" onClick={view.openSearch}>
          Search all that is recorded
        </button>
      )}
      {wider.map(({ what, look }) => (
        <button type="button" key={what} className="link" onClick={look}>
          Look through {what} too
        </button>
      ))}
    </div>
  );
}

const showExited = () => view.toggle('showExited');
const showKernelThreads = () => view.toggle('showKernelThreads');
