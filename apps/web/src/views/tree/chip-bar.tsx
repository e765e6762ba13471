// What of the tree is shown, at one click, with how many that are.

import { useEffect, useRef, useState } from 'react';
import { CHIP_TEXT, CHIPS, type ChipCounts, countChips } from '../../layout/chips.ts';
import { count, plural } from '../../layout/format.ts';
import { treeView, useTree } from '../../state/tree-store.ts';
import { TreeExportMenu } from '../export/export-menu.tsx';
import { useStripWindow } from '../timeline/use-strip-window.ts';
import type { TreeRows } from './tree-rows.ts';

/** Rows that are looked at, once for a chip, before the page gets a turn. */
const STEP = 50_000;
const PAUSE_MS = 500;
/** Counting may take a twentieth of the time. */
const REST = 19;
/** However busy the page is, a step is not put off for longer. */
const STEP_MS = 300;

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
    let stop = (): void => {};
    let cost = 0;
    const begin = (): void => {
      const { treeRows, since } = latest.current;
      cost = 0;
      goOn(countChips(treeRows.columns.tasks, treeRows.order, since, STEP));
    };
    const goOn = (steps: ReturnType<typeof countChips>): void => {
      const from = performance.now();
      const { done, value } = steps.next();
      cost += performance.now() - from;
      if (done) setCounts(value);
      stop = done ? later(begin, Math.max(PAUSE_MS, cost * REST)) : whenIdle(() => goOn(steps));
    };
    begin();
    return () => stop();
  }, []);
  return counts;
}

/** @returns gives it up */
function later(doIt: () => void, ms: number): () => void {
  const timer = setTimeout(doIt, ms);
  return () => clearTimeout(timer);
}

/** When nothing else is to be done; some browsers cannot tell. */
function whenIdle(doIt: () => void): () => void {
  if (!('requestIdleCallback' in window)) return later(doIt, 0);
  const request = requestIdleCallback(doIt, { timeout: STEP_MS });
  return () => cancelIdleCallback(request);
}
