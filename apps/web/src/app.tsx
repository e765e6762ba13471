import { useEffect } from 'react';
import { useApp } from './app-context.ts';
import { useView, view } from './state/view-store.ts';
import { useConnectionStatus, useReplicaFrame } from './use-replica.ts';
import { Details } from './views/details/details.tsx';
import { Header } from './views/header.tsx';
import { Help } from './views/help.tsx';
import { SignedOut } from './views/pages/signed-out.tsx';
import { Waiting } from './views/pages/waiting.tsx';
import { StatusBar } from './views/status/status-bar.tsx';
import { TreeGrid } from './views/tree/tree-grid.tsx';
import { useTreeRows } from './views/tree/use-tree-rows.ts';

export function App() {
  const { replica } = useApp();
  const frame = useReplicaFrame();
  const status = useConnectionStatus();
  const theme = useView((state) => state.theme);
  const areDetailsOpen = useView((state) => state.areDetailsOpen);
  const isHelpOpen = useView((state) => state.isHelpOpen);
  const treeRows = useTreeRows(frame);
  useGlobalKeys();

  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);

  if (status.kind === 'signed-out') return <SignedOut />;
  return (
    <div className="app">
      <Header treeRows={treeRows} />
      <main className={areDetailsOpen ? 'main with-details' : 'main'}>
        {replica.tree.taskCount === 0 ? <Waiting status={status} frame={frame} /> : <TreeGrid treeRows={treeRows} />}
        {areDetailsOpen && <Details at={treeRows.order.at} frame={frame} />}
      </main>
      <StatusBar treeRows={treeRows} frame={frame} />
      {isHelpOpen && <Help />}
    </div>
  );
}

function useGlobalKeys(): void {
  const { replica } = useApp();
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key === 'Escape' && useView.getState().isHelpOpen) view.toggle('isHelpOpen');
      if (isTyping) return;
      if (event.key === '/') {
        event.preventDefault();
        document.querySelector<HTMLInputElement>('[data-testid="filter"]')?.focus();
      } else if (event.key === '?') view.toggle('isHelpOpen');
      else if (event.key === ' ' && !(event.target instanceof HTMLButtonElement)) {
        event.preventDefault();
        togglePause(replica.now());
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [replica]);
}

function togglePause(now: ReturnType<ReturnType<typeof useApp>['replica']['now']>): void {
  if (useView.getState().pausedAt === undefined) view.pause(now);
  else view.goLive();
}
