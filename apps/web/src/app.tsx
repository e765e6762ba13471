import { Suspense, useEffect } from 'react';
import { useApp } from './app-context.ts';
import { useTree } from './state/tree-store.ts';
import { useView } from './state/view-store.ts';
import { useGlobalKeys } from './use-global-keys.ts';
import { useConnectionStatus, useReplicaFrame } from './use-replica.ts';
import { fetchAhead, lazyPart } from './views/common/lazy-part.tsx';
import { Header } from './views/header.tsx';
import { NoticeToast } from './views/notice.tsx';
import { Opening } from './views/open-recording.tsx';
import { SignedOut } from './views/pages/signed-out.tsx';
import { Waiting } from './views/pages/waiting.tsx';
import { StatusBar } from './views/status/status-bar.tsx';
import { TimeStrip } from './views/timeline/time-strip.tsx';
import { ChipBar } from './views/tree/chip-bar.tsx';
import { TreeGrid } from './views/tree/tree-grid.tsx';
import { useTreeRows } from './views/tree/use-tree-rows.ts';

/** Fetched when it is opened for the first time: most visits do without. */
const LineagePage = lazyPart(() => import('./views/lineage/lineage-page.tsx').then(({ LineagePage }) => LineagePage));

const loadDetails = () => import('./views/details/details.tsx').then(({ Details }) => Details);
const Details = lazyPart(loadDetails);

const loadHelp = () => import('./views/help.tsx').then(({ Help }) => Help);
const Help = lazyPart(loadHelp);

const LinkNotice = lazyPart(() => import('./views/share/link-notice.tsx').then(({ LinkNotice }) => LinkNotice));

const HostsPage = lazyPart(() => import('./views/hosts/hosts-page.tsx').then(({ HostsPage }) => HostsPage));

const SearchPage = lazyPart(() => import('./views/search/search-page.tsx').then(({ SearchPage }) => SearchPage));

const CompareBar = lazyPart(() => import('./views/compare/compare-bar.tsx').then(({ CompareBar }) => CompareBar));

export function App() {
  const frame = useReplicaFrame();
  const status = useConnectionStatus();
  const areDetailsOpen = useView((state) => state.areDetailsOpen);
  const lineage = useView((state) => state.lineage);
  const list = useView((state) => state.list);
  const isFromLink = useView((state) => state.linkTarget !== undefined);
  const isHelpOpen = useView((state) => state.isHelpOpen);
  const { past } = useApp();
  const pausedAt = useView((state) => state.pausedAt);
  const isReading = pausedAt !== undefined && past.isFor(pausedAt) && past.isLoading;
  const comparison = useView((state) => state.comparison);
  const isUtc = useTree((state) => state.isUtc);
  const treeRows = useTreeRows(frame);
  const hasPanel = areDetailsOpen && list === undefined;
  const hasRows = treeRows.tree.taskCount > 0;
  useEffect(() => {
    if (hasRows) for (const load of [loadDetails, loadHelp]) fetchAhead(load);
  }, [hasRows]);
  useGlobalKeys(treeRows);

  if (status.kind === 'signed-out') return <SignedOut />;
  return (
    <div className={`app${pausedAt === undefined ? '' : ' is-paused'}${isReading ? ' is-reading' : ''}`}>
      <Header treeRows={treeRows} />
      <TimeStrip />
      {/* All its times are others in another zone. */}
      <main key={String(isUtc)} className={hasPanel ? 'main with-details' : 'main'}>
        {list !== undefined ? (
          <Suspense fallback={<p className="page">Loading the list …</p>}>
            {list === 'hosts' ? <HostsPage /> : <SearchPage />}
          </Suspense>
        ) : !hasRows ? (
          <Waiting status={status} />
        ) : lineage === undefined ? (
          <div className="explore">
            {isFromLink && (
              <Suspense>
                <LinkNotice treeRows={treeRows} />
              </Suspense>
            )}
            <ChipBar treeRows={treeRows} />
            {comparison && (
              <Suspense>
                <CompareBar comparison={comparison} treeRows={treeRows} />
              </Suspense>
            )}
            <TreeGrid treeRows={treeRows} />
          </div>
        ) : (
          <Suspense fallback={<p className="page">Loading the lineage …</p>}>
            <LineagePage tree={treeRows.tree} view={lineage} at={treeRows.order.at} />
          </Suspense>
        )}
        {hasPanel && (
          <Suspense>
            <Details tree={treeRows.tree} order={treeRows.order} comparedWith={treeRows.changes?.a} />
          </Suspense>
        )}
      </main>
      <StatusBar treeRows={treeRows} />
      {isHelpOpen && (
        <Suspense>
          <Help />
        </Suspense>
      )}
      <Opening />
      <NoticeToast />
    </div>
  );
}
