// The tabs of the panel, as the ARIA Authoring Practices describe them: arrows
// move and choose, the digits choose from anywhere.

import { type ComponentType, type KeyboardEvent, useEffect } from 'react';
import { DETAIL_TABS, type DetailTab, TAB_NAMES, useView, view } from '../../state/view-store.ts';
import { fetchAhead, lazyPart } from '../common/lazy-part.tsx';
import type { TaskProps } from './field.tsx';
import { Overview } from './overview.tsx';

export const TAB_CONTENTS: Readonly<Record<DetailTab, ComponentType<TaskProps>>> = {
  overview: Overview,
  command: tab(() => import('./command-tab.tsx').then(({ CommandTab }) => CommandTab)),
  lineage: tab(() => import('./lineage-tab.tsx').then(({ LineageTab }) => LineageTab)),
  threads: tab(() => import('./threads-tab.tsx').then(({ ThreadsTab }) => ThreadsTab)),
  timeline: tab(() => import('./timeline-tab.tsx').then(({ TimelineTab }) => TimelineTab)),
  files: tab(() => import('./artifact-tabs.tsx').then(({ FilesTab }) => FilesTab)),
  network: tab(() => import('./artifact-tabs.tsx').then(({ NetworkTab }) => NetworkTab)),
  raw: tab(() => import('./raw-tab.tsx').then(({ RawTab }) => RawTab)),
};

function tab(load: () => Promise<ComponentType<TaskProps>>) {
  fetchAhead(load);
  return lazyPart(load);
}

export const TAB_PANEL = 'details-panel';

export function tabId(tab: DetailTab): string {
  return `details-tab-${tab}`;
}

export function TabList() {
  const current = useView((state) => state.tab);
  useEffect(() => {
    document.getElementById(tabId(current))?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = DETAIL_TABS.indexOf(current);
    const last = DETAIL_TABS.length - 1;
    const to = { ArrowLeft: at === 0 ? last : at - 1, ArrowRight: at === last ? 0 : at + 1, Home: 0, End: last }[
      event.key
    ];
    const next = to === undefined ? undefined : DETAIL_TABS[to];
    if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    view.showTab(next);
    document.getElementById(tabId(next))?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label="Of the selected task" onKeyDown={onKeyDown}>
      {DETAIL_TABS.map((tab, i) => (
        <button
          key={tab}
          type="button"
          id={tabId(tab)}
          className="tab"
          role="tab"
          aria-selected={tab === current}
          aria-controls={TAB_PANEL}
          tabIndex={tab === current ? 0 : -1}
          title={`${TAB_NAMES[tab]} (${i + 1})`}
          onClick={() => view.showTab(tab)}
        >
          {TAB_NAMES[tab]}
        </button>
      ))}
    </div>
  );
}
