import { Suspense } from 'react';
import { useView } from './state/view-store.ts';
import { useGlobalKeys } from './use-global-keys.ts';
import { useConnectionStatus, useReplicaFrame } from './use-replica.ts';
import { lazyPart } from './views/common/lazy-part.tsx';
import { Details } from './views/details/details.tsx';
import { Header } from './views/header.tsx';
import { Help } from './views/help.tsx';
import { NoticeToast } from './views/notice.tsx';
import { Opening } from './views/open-recording.tsx';
import { SignedOut } from './views/pages/signed-out.tsx';
import { Waiting } from './views/pages/waiting.tsx';
import { LinkNotice } from './views/share/link-notice.tsx';
import { StatusBar } from './views/status/status-bar.tsx';
import { TimeStrip } from './views/timeline/time-strip.tsx';
import { ChipBar } from './views/tree/chip-bar.tsx';
import { TreeGrid } from './views/tree/tree-grid.tsx';
import { useTreeRows } from './views/tree/use-tree-rows.ts';

/** Fetched when it is opened for the first time: most visits do without. */
const LineagePage = lazyPart(() => import('./views/lineage/lineage-page.tsx').then(({ LineagePage }) => LineagePage));

const HostsPage = lazyPart(() => import('./views/hosts/hosts-page.tsx').then(({ HostsPage }) => HostsPage));

export function App() {
  const frame = useReplicaFrame();
  const status = useConnectionStatus();
  const areDetailsOpen = useView((state) => state.areDetailsOpen);
  const lineage = useView((state) => state.lineage);
  const areHostsOpen = useView((state) => state.areHostsOpen);
  const isHelpOpen = useView((state) => state.isHelpOpen);
  const isPaused = useView((state) => state.pausedAt !== undefined);
  const treeRows = useTreeRows(frame);
  const hasPanel = areDetailsOpen && !areHostsOpen;
  useGlobalKeys();

  if (status.kind === 'signed-out') return <SignedOut />;
  return (
    <div className={isPaused ? 'app is-paused' : 'app'}>
      <Header treeRows={treeRows} />
      <TimeStrip />
      <main className={hasPanel ? 'main with-details' : 'main'}>
        {areHostsOpen ? (
          <Suspense fallback={<p className="page">Loading the hosts …</p>}>
            <HostsPage />
          </Suspense>
        ) : treeRows.tree.taskCount === 0 ? (
          <Waiting status={status} />
        ) : lineage === undefined ? (
          <div className="explore">
            <LinkNotice treeRows={treeRows} />
            <ChipBar treeRows={treeRows} />
            <TreeGrid treeRows={treeRows} />
          </div>
        ) : (
          <Suspense fallback={<p className="page">Loading the lineage …</p>}>
            <LineagePage tree={treeRows.tree} view={lineage} at={treeRows.order.at} />
          </Suspense>
        )}
        {hasPanel && <Details tree={treeRows.tree} at={treeRows.order.at} />}
      </main>
      <StatusBar treeRows={treeRows} />
      {isHelpOpen && <Help />}
      <Opening />
      <NoticeToast />
    </div>
  );
}
