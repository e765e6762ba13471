// What of the tree is shown, at one click, with how many that are.

import { useEffect, useMemo, useRef } from 'react';
import { CHIP_TEXT, CHIPS, countChips } from '../../layout/chips.ts';
import { count, plural } from '../../layout/format.ts';
import { treeView, useTree } from '../../state/tree-store.ts';
import { useStripWindow } from '../timeline/use-strip-window.ts';
import type { TreeRows } from './tree-rows.ts';

/** Counting may take this share of the time: the counts of a large tree are older. */
const SHARE = 0.02;
const LEAST_MS = 250;

export function ChipBar({ treeRows }: { readonly treeRows: TreeRows }) {
  const chosen = useTree((state) => state.chip);
  const hidesOwn = useTree((state) => state.hidesOwn);
  const counts = useCounts(treeRows);
  const own = treeRows.own.length;
  return (
    <div className="chip-bar">
      <fieldset className="chips">
        <legend className="visually-hidden">Processes shown</legend>
        {CHIPS.map((chip) => (
          <label key={chip} className={chip === chosen ? 'chip is-chosen' : 'chip'} title={CHIP_TEXT[chip].title}>
            <input
              type="radio"
              name="chip"
              className="visually-hidden"
              checked={chip === chosen}
              onChange={() => treeView.setChip(chip)}
            />
            {CHIP_TEXT[chip].label} <span className="chip-count">{count(counts[chip])}</span>
          </label>
        ))}
      </fieldset>
      {own > 0 && (
        <button type="button" className="link own" aria-pressed={hidesOwn} onClick={() => treeView.toggleOwn()}>
          {hidesOwn ? `${plural(own, 'process', 'processes')} of Dendro hidden · show` : `hide Dendro (${count(own)})`}
        </button>
      )}
    </div>
  );
}

/** Counted again when there is another tree to count, and enough time has passed. */
function useCounts({ tree, order }: TreeRows): ReturnType<typeof countChips> {
  const { window } = useStripWindow();
  const last = useRef<{ readonly due: number; readonly counts: ReturnType<typeof countChips>; readonly tree: unknown }>(
    undefined,
  );
  const counts = useMemo(() => {
    const from = performance.now();
    if (last.current !== undefined && last.current.tree === tree && from < last.current.due) return last.current;
    const counts = countChips(tree, order, window.from);
    const now = performance.now();
    return { counts, tree, due: now + Math.max(LEAST_MS, (now - from) / SHARE) };
  }, [tree, order, window.from]);
  useEffect(() => {
    last.current = counts;
  });
  return counts.counts;
}
