// What of the tree is shown, at one click, with how many that are.

import { useEffect, useRef, useState } from 'react';
import { CHIP_TEXT, CHIPS, type ChipCounts, countChips } from '../../layout/chips.ts';
import { count, plural } from '../../layout/format.ts';
import { treeView, useTree } from '../../state/tree-store.ts';
import { TreeExportMenu } from '../export/export-menu.tsx';
import { useStripWindow } from '../timeline/use-strip-window.ts';
import type { TreeRows } from './tree-rows.ts';

/** Rows that are counted before the page gets a turn. */
const STEP = 2000;
const PAUSE_MS = 500;
/** Counting may take a twentieth of the time. */
const REST = 19;

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
            {CHIP_TEXT[chip].label} {counts && <span className="chip-count">{count(counts[chip])}</span>}
          </label>
        ))}
      </fieldset>
      <div className="chip-tools">
        {own > 0 && (
          <button type="button" className="link own" aria-pressed={hidesOwn} onClick={() => treeView.toggleOwn()}>
            {hidesOwn
              ? `${plural(own, 'process', 'processes')} of Dendro hidden · show`
              : `hide Dendro (${count(own)})`}
          </button>
        )}
        <TreeExportMenu treeRows={treeRows} />
      </div>
    </div>
  );
}

/** Counted in steps, then again after a while; undefined before the first time. */
function useCounts(treeRows: TreeRows): ChipCounts | undefined {
  const { window } = useStripWindow();
  const latest = useRef({ treeRows, since: window.from });
  latest.current = { treeRows, since: window.from };
  const [counts, setCounts] = useState<ChipCounts>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let cost = 0;
    const begin = (): void => {
      const { treeRows, since } = latest.current;
      cost = 0;
      goOn(countChips(treeRows.tree, treeRows.order, since, STEP));
    };
    const goOn = (steps: ReturnType<typeof countChips>): void => {
      const from = performance.now();
      const { done, value } = steps.next();
      cost += performance.now() - from;
      if (done) setCounts(value);
      timer = setTimeout(() => (done ? begin() : goOn(steps)), done ? Math.max(PAUSE_MS, cost * REST) : 0);
    };
    begin();
    return () => clearTimeout(timer);
  }, []);
  return counts;
}
