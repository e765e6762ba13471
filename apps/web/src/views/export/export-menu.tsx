// What the tree shows as a file, or as text in the clipboard.

import { ClipboardCopy, Download } from 'lucide-react';
import { useState } from 'react';
import { useApp } from '../../app-context.ts';
import { copyTree, saveTree } from '../../export/export-tree.ts';
import { TREE_FORMAT_IDS, TREE_FORMATS } from '../../export/formats.ts';
import { closeMenuOf, Popover } from '../common/popover.tsx';
import type { TreeRows } from '../tree/tree-rows.ts';

export function TreeExportMenu({ treeRows }: { readonly treeRows: TreeRows }) {
  const app = useApp();
  const [withFolded, setWithFolded] = useState(false);
  return (
    <Popover
      className="menu"
      title="Export what is shown (e)"
      testId="export"
      summary={
        <>
          <Download size={15} aria-hidden="true" />
          <span className="tool-word">Export</span>
        </>
      }
    >
      {TREE_FORMAT_IDS.map((format) => (
        <button
          key={format}
          type="button"
          className="menu-action"
          onClick={(event) => {
            closeMenuOf(event.currentTarget);
            void saveTree(app, treeRows, format, withFolded);
          }}
        >
          {TREE_FORMATS[format].title} <small>{TREE_FORMATS[format].for}</small>
        </button>
      ))}
      <button
        type="button"
        className="menu-action"
        onClick={(event) => {
          closeMenuOf(event.currentTarget);
          void copyTree(app, treeRows, withFolded);
        }}
      >
        <span>
          <ClipboardCopy size={13} aria-hidden="true" /> Copy as text tree
        </span>
      </button>
      <label className="menu-choice">
        <span>Folded rows too</span>
        <input type="checkbox" checked={withFolded} onChange={(event) => setWithFolded(event.target.checked)} />
      </label>
      <p className="hint">
        With host, instant, query and what is left out in the file. Programs get the whole tree from{' '}
        <code>/api/v1/hosts/…/export</code>.
      </p>
    </Popover>
  );
}
