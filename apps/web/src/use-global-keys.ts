// Keys that work wherever the focus is, except in a field that takes text.

import { useEffect, useRef } from 'react';
import { type App, useApp } from './app-context.ts';
import type { Replica } from './replica/replica.ts';
import { copyLink } from './share-link.ts';
import { DETAIL_TABS, useView, view } from './state/view-store.ts';
import { pinA } from './views/timeline/pin-a.ts';
import { stepToChange } from './views/timeline/step-to-change.ts';
import { stepDifference } from './views/tree/step-match.ts';
import type { TreeRows } from './views/tree/tree-rows.ts';

const TAKES_TEXT = 'input:not([type="checkbox"], [type="radio"]), select, textarea';
const TAKES_SPACE = 'button, summary, a, input';

export function useGlobalKeys(treeRows: TreeRows): void {
  const app = useApp();
  const latest = useRef(treeRows);
  latest.current = treeRows;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.altKey) return;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k' && !useView.getState().isHelpOpen) {
        view.command('>');
        event.preventDefault();
      }
      if (event.ctrlKey || event.metaKey) return;
      if (useView.getState().isHelpOpen || isOn(event, TAKES_TEXT)) return;
      if (event.key === ' ' && isOn(event, TAKES_SPACE)) return;
      if (obey(event.key, app, latest.current)) event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [app]);
}

/** @returns whether the key means anything */
function obey(key: string, app: App, treeRows: TreeRows): boolean {
  const { replica } = app;
  switch (key) {
    case '/':
      document.querySelector<HTMLInputElement>('[data-testid="filter"]')?.focus();
      return true;
    case '?':
      view.openHelp();
      return true;
    case ' ':
      if (useView.getState().pausedAt === undefined) view.pause(replica.now());
      else view.goLive();
      return true;
    case 'L':
      view.goLive();
      return true;
    case ',':
    case '.':
      stepToChange(app, key === ',' ? -1 : 1);
      return true;
    case 'a':
      pinA(replica);
      return true;
    case 'x':
    case 'd':
    case 'D':
    case 'o':
      return compare(key, replica, treeRows);
    case '>':
    case '@':
      view.command(key);
      return true;
    case 'Escape':
      leave();
      return true;
    case 'l':
      return toggleLineage();
    case 'H':
      toggleHosts();
      return true;
    case 'y':
    case 'Y':
      void copyLink(key === 'y' ? 'live' : 'frozen', app);
      return true;
    case 'e':
      return openExport();
    case 'q':
      view.toggleDetails();
      return true;
    default:
      return showTab(key);
  }
}

/** @returns whether anything is compared */
function compare(key: 'x' | 'd' | 'D' | 'o', replica: Replica, treeRows: TreeRows): boolean {
  const { comparison } = useView.getState();
  if (comparison === undefined) return false;
  if (key === 'x') view.swapCompared(replica.now());
  else if (key === 'o') view.showOnlyChanged(!comparison.onlyChanged);
  else stepDifference(treeRows, key === 'd' ? 1 : -1);
  return true;
}

/** One thing at a time, the last one first. */
function leave(): void {
  const { query, areDetailsOpen, scope, lineage, list, comparison } = useView.getState();
  if (list !== undefined) view.closeList();
  else if (lineage !== undefined) view.closeLineage();
  else if (query !== '') view.clearQuery();
  else if (areDetailsOpen) view.closeDetails();
  else if (comparison !== undefined) view.leaveComparison();
  else if (scope !== undefined) view.setScope(undefined);
}

/** The menu of what is shown, tree or lineage. */
function openExport(): boolean {
  const menu = document.querySelector<HTMLElement>('[data-testid="export"]')?.closest('details');
  if (!menu) return false;
  menu.open = true;
  menu.querySelector('button')?.focus();
  return true;
}

function toggleHosts(): void {
  if (useView.getState().list === 'hosts') view.closeList();
  else view.openHosts();
}

function toggleLineage(): boolean {
  const { lineage, selected } = useView.getState();
  if (lineage !== undefined) view.closeLineage();
  else if (selected !== undefined) view.openLineage(selected);
  else return false;
  return true;
}

/** By the digit of its place. */
function showTab(key: string): boolean {
  const { areDetailsOpen, selected } = useView.getState();
  const tab = /^[1-9]$/.test(key) ? DETAIL_TABS[Number(key) - 1] : undefined;
  if (tab === undefined || (!areDetailsOpen && selected === undefined)) return false;
  view.showTab(tab);
  return true;
}

function isOn(event: KeyboardEvent, selector: string): boolean {
  return event.target instanceof Element && event.target.closest(selector) !== null;
}
