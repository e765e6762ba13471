// Exports what the tree shows, to a file or to the clipboard, and says how far
// that is. What makes the file is fetched when it is first asked for.

import { epochOf, formatRfc3339Ns } from '@dendro/protocol';
import type { App } from '../app-context.ts';
import { plural } from '../layout/format.ts';
import type { RowContext } from '../layout/row-model.ts';
import { addressNow } from '../state/keep-url.ts';
import { say } from '../state/notice.ts';
import { useTree } from '../state/tree-store.ts';
import { useView } from '../state/view-store.ts';
import { copyText } from '../views/common/copy-text.ts';
import { download } from '../views/common/download.ts';
import { knownFrom, shownWindow } from '../views/timeline/strip-window.ts';
import type { TreeRows } from '../views/tree/tree-rows.ts';
import { TREE_FORMATS, type TreeFormatId } from './formats.ts';
import type { TreeFileOf } from './tree-file.ts';

let current: AbortController | undefined;

export async function saveTree(app: App, treeRows: TreeRows, format: TreeFormatId, withFolded: boolean): Promise<void> {
  const { title, ending, type } = TREE_FORMATS[format];
  const of = whatIsShown(app, treeRows, withFolded);
  const made = await make(of, format, title);
  if (made === undefined) return;
  const stamp = of.about.time.replaceAll(/[^\dTZ]/g, '').slice(0, 15);
  const host = of.about.hostName.replaceAll(/[^\w.-]+/g, '_').slice(0, 48) || 'host';
  download(new Blob([...made.pieces], { type }), `tree-${host}-${stamp}Z.${ending}`);
  say({ text: `${title}: ${plural(made.rows, 'row')} saved`, tone: 'done' });
}

export async function copyTree(app: App, treeRows: TreeRows, withFolded: boolean): Promise<void> {
  const made = await make(whatIsShown(app, treeRows, withFolded), 'text', 'Text');
  if (made === undefined) return;
  const isCopied = await copyText(made.pieces.join(''));
  say(
    isCopied
      ? { text: `${plural(made.rows, 'row')} copied as a text tree`, tone: 'done' }
      : { text: 'The browser does not allow this page to copy.', tone: 'failed' },
  );
}

/** @returns undefined when it was given up or could not be made */
async function make(of: TreeFileOf, format: TreeFormatId, title: string) {
  current?.abort();
  const controller = new AbortController();
  current = controller;
  const onCancel = (): void => controller.abort();
  const working = (part: number): void => {
    if (!controller.signal.aborted) say({ text: `Writing ${title} …`, tone: 'working', part, onCancel });
  };
  try {
    const { treeFile } = await import('./tree-file.ts');
    return await treeFile(of, format, { signal: controller.signal, onProgress: working });
  } catch (thrown) {
    if (controller.signal.aborted) return undefined;
    say({ text: `It could not be written: ${thrown instanceof Error ? thrown.message : thrown}`, tone: 'failed' });
    return undefined;
  }
}

/** Everything is read at once: what is shown goes on changing while the file is made. */
function whatIsShown({ replica }: App, treeRows: TreeRows, withFolded: boolean): TreeFileOf {
  const { tree, order, rows, found, isFiltered, own, changes } = treeRows;
  const { host, version, stats } = replica;
  const state = useView.getState();
  const { chip, hidesOwn } = useTree.getState();
  const base = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
  const window = shownWindow({
    chosen: state.timeWindow,
    now: replica.now(),
    knownFrom: knownFrom(tree, host),
    isLive: host?.isLive ?? false,
    pausedAt: state.pausedAt,
  });
  const { at } = order;
  const scope = state.scope === undefined ? undefined : tree.indexOf(state.scope);
  const context: RowContext = { tree, at, base, users: host?.users ?? {} };
  const frozen = addressNow(replica, { host: host?.id, pausedAt: at, timeWindow: window }, { isWhole: true });
  return {
    seen: { tree, order, rows, found, isFiltered, own },
    choice: { withFolded, chip, hidesOwn, newSince: window.from },
    context,
    about: {
      dendro: __DENDRO_VERSION__,
      host: host?.id ?? null,
      hostName: host?.name ?? 'unknown host',
      source: stats?.source.name ?? null,
      at: String(epochOf(base, at)),
      time: formatRfc3339Ns(epochOf(base, at)),
      comparedWith: changes === undefined ? null : formatRfc3339Ns(epochOf(base, changes.a)),
      isLive: state.pausedAt === undefined && (host?.isLive ?? false),
      version: version ?? null,
      window: { from: String(epochOf(base, window.from)), to: String(epochOf(base, window.to)) },
      query: state.query === '' ? null : state.query,
      isOnlyWhatMatches: isFiltered,
      scope: scope === undefined ? null : { taskId: state.scope, pid: scope < 0 ? null : tree.pidOf(scope) },
      show: chip,
      threads: state.showThreads,
      kernelThreads: state.showKernelThreads,
      exited: state.showExited ? 'all' : `${state.tombstoneSeconds}s`,
      hidesDendro: hidesOwn,
      withFolded,
      link: `${location.origin}${location.pathname}${frozen}`,
    },
  };
}
