// Everything that can be done, by name: for the command palette. What has a key
// of its own names it.

import { NO_TASK, type TaskIndex } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import type { App } from '../app-context.ts';
import { copyTree, saveTree } from '../export/export-tree.ts';
import { TREE_FORMAT_IDS, TREE_FORMATS } from '../export/formats.ts';
import { duration } from '../layout/format.ts';
import { printable } from '../layout/printable.ts';
import { copyLink } from '../share-link.ts';
import { showHost } from '../show-host.ts';
import { treeView, useTree } from '../state/tree-store.ts';
import {
  type Comparison,
  DETAIL_TABS,
  isFiltered,
  TAB_NAMES,
  type Theme,
  TOMBSTONE_CHOICES,
  useView,
  view,
} from '../state/view-store.ts';
import { pinA } from '../views/timeline/pin-a.ts';
import { stepToChange } from '../views/timeline/step-to-change.ts';
import { stepDifference, stepMatch } from '../views/tree/step-match.ts';
import type { TreeRows } from '../views/tree/tree-rows.ts';
import type { Command } from './command.ts';
import { lineageExports } from './lineage-exports.ts';
import { processesOf } from './processes-of.ts';

/** Those that make sense now. */
export function commandsNow(app: App, treeRows: TreeRows): Command[] {
  const { replica, connection } = app;
  const state = useView.getState();
  const { selected, scope, collapsed, asked, pausedAt, comparison } = state;
  const commands: (Command | false)[] = [
    pausedAt === undefined
      ? { title: 'Pause', keys: 'Space', run: () => view.pause(replica.now()) }
      : { title: 'Go to the present', keys: 'Space', run: view.goLive },
    { title: 'Step to the previous start or end', keys: ',', run: () => stepToChange(app, -1) },
    { title: 'Step to the next start or end', keys: '.', run: () => stepToChange(app, 1) },
    {
      title: comparison === undefined ? 'Compare: pin this instant as A' : 'Compare: pin A anew, at this instant',
      keys: 'a',
      run: () => pinA(replica),
    },
    ...(comparison === undefined ? [] : ofComparison(app, treeRows, comparison)),
    { title: 'Go to a process or a time', keys: '@', run: () => view.command('@') },
    asked !== undefined && { title: 'Next match', keys: 'n', run: () => stepMatch(treeRows, 1) },
    asked !== undefined && { title: 'Previous match', keys: 'N', run: () => stepMatch(treeRows, -1) },
    asked !== undefined && { title: 'Clear the query', keys: 'Esc', run: view.clearQuery },
    asked !== undefined &&
      !asked.isFilter && {
        title: isFiltered(state) ? 'Show what does not match too' : 'Show only what matches',
        keys: 'Shift+Enter',
        run: () => view.setOnlyFound(!state.onlyFound),
      },
    selected !== undefined && { title: 'Show details', keys: 'Enter', run: () => view.openDetails(selected) },
    selected !== undefined &&
      state.lineage?.of !== selected && {
        title: 'Show the lineage of the selected process',
        keys: 'l',
        run: () => view.openLineage(selected),
      },
    state.lineage !== undefined && { title: 'Leave the lineage', keys: 'Esc', run: view.closeLineage },
    state.areDetailsOpen && { title: 'Close details', keys: 'q', run: view.closeDetails },
    ...(selected === undefined && !state.areDetailsOpen ? [] : DETAIL_TABS).map((tab, i) => ({
      title: `Show details of the selected process: ${TAB_NAMES[tab]}`,
      keys: String(i + 1),
      run: () => view.showTab(tab),
    })),
    selected !== undefined &&
      selected !== scope && { title: 'Show the selected subtree alone', keys: 's', run: () => view.setScope(selected) },
    scope !== undefined && { title: 'Show the whole tree', run: () => view.setScope(undefined) },
    { title: 'Collapse all', run: () => view.collapse(processesOf(replica.tree)) },
    collapsed.size > 0 && { title: 'Expand all', run: view.expandAll },
    selected !== undefined && {
      title: 'Expand everything below the selected row',
      keys: '*',
      run: () => view.expand(subtreeOf(treeRows, treeRows.positionOf(selected))),
    },
    selected !== undefined && {
      title: 'Show or hide the threads of the selected process',
      keys: 't',
      run: () => view.toggleThreadsOf(processOf(treeRows, selected)),
    },
    toggle('showThreads', 'threads of all processes'),
    toggle('showKernelThreads', 'kernel threads'),
    toggle('showExited', 'all exited processes still known'),
    ...TOMBSTONE_CHOICES.filter((seconds) => seconds !== state.tombstoneSeconds).map((seconds) => ({
      title: `Keep exited rows for ${duration(seconds * 1e9)}`,
      run: () => view.keepTombstones(seconds),
    })),
    filter('Filter: what has failed', 'exit:!=0'),
    filter('Filter: born in the last minute', 'born:<1m'),
    filter('Filter: running as root, started by others', 'euid:root !user:root'),
    filter('Filter: in containers', 'container:""'),
    { title: 'Copy link, frozen at this instant', keys: 'Y', run: () => void copyLink('frozen', app) },
    { title: 'Copy link, live', keys: 'y', run: () => void copyLink('live', app) },
    ...lineageExports().map((one) => ({ ...one, title: `Export the lineage: ${one.title}` })),
    ...TREE_FORMAT_IDS.map((format) => ({
      title: `Export the tree: ${TREE_FORMATS[format].title}`,
      keys: TREE_FORMATS[format].for,
      run: () => void saveTree(app, treeRows, format, false),
    })),
    { title: 'Export the tree: with folded rows, JSON', run: () => void saveTree(app, treeRows, 'json', true) },
    { title: 'Copy the tree as text', run: () => void copyTree(app, treeRows, false) },
    { title: 'Open a recording', run: openRecording },
    theme('system'),
    theme('dark'),
    theme('light'),
    zone(),
    { title: 'Keys and help', keys: '?', run: view.openHelp },
    state.list === 'hosts'
      ? { title: 'Leave the hosts', keys: 'Esc', run: view.closeList }
      : { title: 'Hosts of this server', keys: 'H', run: view.openHosts },
    state.list === 'search'
      ? { title: 'Leave the search', keys: 'Esc', run: view.closeList }
      : replica.host?.oldestEpochNs !== undefined && {
          title: 'Search all that is recorded',
          keys: 'Alt+Enter',
          run: view.openSearch,
        },
    ...connection.hosts
      .filter(({ id }) => id !== replica.host?.id)
      .map(({ id, name }) => ({ title: `Host: ${printable(name)}`, run: () => showHost(connection, id) })),
  ];
  return commands.filter((command) => command !== false);
}

function ofComparison({ replica }: App, treeRows: TreeRows, { onlyChanged }: Comparison): Command[] {
  return [
    { title: 'Compare: swap A and B', keys: 'x', run: () => view.swapCompared(replica.now()) },
    {
      title: onlyChanged ? 'Compare: show what is the same too' : 'Compare: show only what differs',
      keys: 'o',
      run: () => view.showOnlyChanged(!onlyChanged),
    },
    { title: 'Compare: next difference', keys: 'd', run: () => stepDifference(treeRows, 1) },
    { title: 'Compare: previous difference', keys: 'D', run: () => stepDifference(treeRows, -1) },
    { title: 'Compare: leave the comparison', keys: 'Esc', run: view.leaveComparison },
  ];
}

function toggle(what: 'showThreads' | 'showKernelThreads' | 'showExited', name: string): Command {
  const isOn = useView.getState()[what];
  return { title: `${isOn ? 'Hide' : 'Show'} ${name}`, run: () => view.toggle(what) };
}

function filter(title: string, query: string): Command {
  return { title, keys: query, run: () => view.setQuery(query) };
}

function zone(): Command {
  const { isUtc } = useTree.getState();
  return { title: isUtc ? 'Times: of this browser' : 'Times: UTC', run: () => treeView.showUtc(!isUtc) };
}

function theme(theme: Theme): Command | false {
  return useView.getState().theme !== theme && { title: `Theme: ${theme}`, run: () => view.setTheme(theme) };
}

/** Of a thread, the process that it belongs to. */
function processOf({ tree }: TreeRows, id: TaskId): TaskId {
  const task = tree.indexOf(id);
  const process = task !== NO_TASK && tree.isThread(task) ? tree.leaderOf(task) : NO_TASK;
  return process === NO_TASK ? id : tree.taskIdOf(process);
}

function subtreeOf({ tree, order }: TreeRows, position: number) {
  if (position < 0) return [];
  const end = order.subtreeEnds[position] as number;
  return Array.from(order.tasks.subarray(position, end), (task) => tree.taskIdOf(task as TaskIndex));
}

/** A browser lets a page ask for a file only through a field in it. */
function openRecording(): void {
  document.querySelector<HTMLInputElement>('[data-testid="open-recording"]')?.click();
}
