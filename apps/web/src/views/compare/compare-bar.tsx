// Above the tree while two instants are compared: which, how much differs, and
// what can be done.

import { type EventNs, epochMsOf, type TimeBase } from '@dendro/protocol';
import { ArrowLeftRight, ChevronDown, ChevronUp, X } from 'lucide-react';
import { useApp } from '../../app-context.ts';
import { GLYPH } from '../../layout/change-words.ts';
import type { ChangeCounts } from '../../layout/compare.ts';
import { clockTime, count, duration, exactTime, millisecondsOf } from '../../layout/format.ts';
import { type Comparison, useView, view } from '../../state/view-store.ts';
import '../../styles/compare.css';
import { IconButton } from '../common/icon-button.tsx';
import { stepDifference } from '../tree/step-match.ts';
import type { TreeRows } from '../tree/tree-rows.ts';

interface CompareBarProps {
  readonly comparison: Comparison;
  readonly treeRows: TreeRows;
}

export function CompareBar({ comparison: { a, onlyChanged }, treeRows }: CompareBarProps) {
  const { replica } = useApp();
  const pausedAt = useView((state) => state.pausedAt);
  const base = { epochNs: BigInt(replica.host?.baseEpochNs ?? '0') };
  const now = replica.now();
  const b = pausedAt ?? now;
  const { changes } = treeRows;
  const counts = changes?.counts;
  const differs = counts !== undefined && Object.values(counts).some((one) => one > 0);
  return (
    <section className="compare-bar" aria-label="Comparison of two instants">
      <div className="compared">
        <Instant name="A" at={a} {...{ base, now }} />
        <IconButton label="Swap A and B (x)" onClick={() => view.swapCompared(replica.now())}>
          <ArrowLeftRight size={14} aria-hidden="true" />
        </IconButton>
        <Instant name="B" at={b} {...{ base, now }} isPresent={pausedAt === undefined} />
        <span className="apart" title="From A to B">
          {b < a ? '−' : ''}
          {duration(Math.abs(b - a))}
        </span>
      </div>
      {counts === undefined ? <Waiting /> : <Counts counts={counts} isSame={a === b} />}
      <Lossy a={a} />
      <div className="compare-tools">
        <label className="compare-only">
          <input
            type="checkbox"
            checked={onlyChanged}
            onChange={({ target }) => view.showOnlyChanged(target.checked)}
          />
          Changed only
        </label>
        <IconButton label="Previous difference (D)" isDisabled={!differs} onClick={() => stepDifference(treeRows, -1)}>
          <ChevronUp size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label="Next difference (d)" isDisabled={!differs} onClick={() => stepDifference(treeRows, 1)}>
          <ChevronDown size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label="Leave the comparison (Esc)" onClick={() => view.leaveComparison()}>
          <X size={15} aria-hidden="true" />
        </IconButton>
      </div>
    </section>
  );
}

interface InstantProps {
  readonly name: 'A' | 'B';
  readonly at: EventNs;
  readonly base: TimeBase;
  readonly now: EventNs;
  readonly isPresent?: boolean;
}

function Instant({ name, at, base, now, isPresent = false }: InstantProps) {
  return (
    <span className={`instant-mark is-${name.toLowerCase()}`} data-testid={`instant-${name.toLowerCase()}`}>
      <b>{name}</b>{' '}
      {isPresent ? (
        'now'
      ) : (
        <time title={exactTime(base, at)}>
          {clockTime(base, at, epochMsOf(base, now))}
          <small>{millisecondsOf(base, at)}</small>
        </time>
      )}
    </span>
  );
}

const WHAT: Readonly<Record<keyof ChangeCounts, readonly [label: string, title: string]>> = {
  born: ['at B alone', 'There at B, and not at A'],
  died: ['at A alone', 'There at A, and not at B'],
  changed: ['changed', 'There at both, with another name, program, user, …'],
  moved: ['under another parent', 'There at both, with another parent'],
};

function Counts({ counts, isSame }: { readonly counts: ChangeCounts; readonly isSame: boolean }) {
  const kinds = (Object.keys(WHAT) as (keyof ChangeCounts)[]).filter((kind) => counts[kind] > 0);
  return (
    <p className="change-counts" data-testid="change-counts">
      {kinds.length === 0 && (
        <span className="dim">
          {isSame ? 'A and B are the same instant: move B on the strip, or with , and .' : 'Nothing differs'}
        </span>
      )}
      {kinds.map((kind) => (
        <span key={kind} className={`is-${kind}`} title={WHAT[kind][1]}>
          {GLYPH[kind]}
          {count(counts[kind])}
          <span className="visually-hidden"> {WHAT[kind][0]} </span>
        </span>
      ))}
    </p>
  );
}

function Waiting() {
  const { pinned } = useApp();
  return pinned.problem === undefined ? (
    <p className="change-counts dim" role="status">
      Reading what was at A…
    </p>
  ) : (
    <p className="change-counts is-problem" role="alert">
      A cannot be shown: {pinned.problem}
    </p>
  );
}

/** Without a history nobody can be asked who has left memory. */
function Lossy({ a }: { readonly a: EventNs }) {
  const { pinned } = useApp();
  if (!pinned.isLossy(a)) return null;
  return <p className="dim">Who lived at A and ended long ago may be missing: there is no history.</p>;
}
