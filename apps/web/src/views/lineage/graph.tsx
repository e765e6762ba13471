// The surface on which a lineage is drawn. Only nodes in view are in the page,
// and the one that the keys are at wherever it is. Whatever is laid out anew, the
// node under the keys stays where it is on the screen.

import type { TaskId } from '@dendro/protocol';
import { Maximize, Minus, Plus } from 'lucide-react';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { firstLook } from '../../layout/first-look.ts';
import type { LineageFamily } from '../../layout/lineage-family.ts';
import {
  type LineageLayout,
  type LineageNode,
  lineageLayout,
  NODE_HEIGHT,
  NODE_WIDTH,
  nodesWithin,
} from '../../layout/lineage-layout.ts';
import { walk } from '../../layout/lineage-walk.ts';
import { fit, type PanZoom, reveal, type Size, zoomAt } from '../../layout/pan-zoom.ts';
import type { RowContext } from '../../layout/row-model.ts';
import { useView, view } from '../../state/view-store.ts';
import { IconButton } from '../common/icon-button.tsx';
import { GraphEdges } from './graph-edges.tsx';
import { GraphNode, nodeId } from './graph-node.tsx';
import { usePointer } from './use-pointer.ts';
import { useSize } from './use-size.ts';

interface GraphProps {
  readonly family: LineageFamily;
  readonly context: RowContext;
  readonly onOpenGroup: (parent: TaskId) => void;
  /** Undefined: no more can be shown. */
  readonly onMore: (() => void) | undefined;
}

const STEP = 1.25;
const PAN_PIXELS = 80;
/** Drawn beyond the edges, so that moving shows no blank. */
const OVERSCAN = 160;
/** Below these, only names can be read; then not even they. */
const NAMES_ONLY = 0.55;
const NO_TEXT = 0.3;

export function Graph({ family, context, onOpenGroup, onMore }: GraphProps) {
  const surface = useRef<HTMLDivElement>(null);
  const size = useSize(surface);
  const layout = useMemo(() => lineageLayout(family), [family]);
  const { cursor, setCursor } = useCursor(layout, context);
  const [panZoom, setPanZoom] = usePanZoom(layout, size, cursor);
  const at = panZoom ?? { x: 0, y: 0, k: 1 };
  const zoom = (factor: number, x = (size?.width ?? 0) / 2, y = (size?.height ?? 0) / 2): void =>
    setPanZoom((at) => zoomAt(at, factor, x, y));
  const pan = (dx: number, dy: number): void => setPanZoom((at) => ({ ...at, x: at.x + dx, y: at.y + dy }));
  const pointer = usePointer(surface, { onPan: pan, onZoom: zoom, isZoomWheel: (event) => !event.shiftKey });

  const cursorKey = layout.nodes[cursor]?.key;
  useEffect(() => {
    void cursorKey; // the keys are at another node, wherever that stands
    if (size === undefined) return;
    setPanZoom((at) => reveal(at, boxOf(layout.nodes[cursor]), size));
  }, [cursorKey, size]);
  useEffect(() => surface.current?.focus({ preventScroll: true }), []);

  const select = (position: number): void => {
    const node = layout.nodes[position];
    if (node !== undefined) setCursor(node);
  };
  const activate = (position: number): void => {
    const node = layout.nodes[position];
    if (node?.kind === 'task') view.openDetails(context.tree.taskIdOf(node.task));
    if (node?.kind === 'more') onMore?.();
    if (node?.kind === 'group') {
      const parent = layout.nodes[node.parent];
      if (parent?.kind === 'task') onOpenGroup(context.tree.taskIdOf(parent.task));
      view.select(context.tree.taskIdOf(node.task));
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== surface.current) return;
    const node = layout.nodes[cursor];
    const arrow = ARROWS[event.key];
    if (event.shiftKey && arrow !== undefined) pan(arrow[0] * PAN_PIXELS, arrow[1] * PAN_PIXELS);
    else if (event.key === '+' || event.key === '=') zoom(STEP);
    else if (event.key === '-') zoom(1 / STEP);
    else if (event.key === '0' && size !== undefined) setPanZoom(() => fit(layout, size));
    else if (event.key === 'Enter') activate(cursor);
    else if (event.key === 'r' && node?.kind === 'task') view.openLineage(context.tree.taskIdOf(node.task));
    else {
      const next = walk(layout, cursor, event.key);
      if (next === undefined) return;
      select(next);
    }
    event.preventDefault();
  };

  const shown = useMemo(() => withinView(layout, at, size), [layout, at.x, at.y, at.k, size]);
  if (!shown.nodes.includes(cursor)) shown.nodes.push(cursor);
  return (
    <div className="graph-frame">
      <div
        className={`graph${at.k < NO_TEXT ? ' no-text' : at.k < NAMES_ONLY ? ' names-only' : ''}`}
        ref={surface}
        role="tree"
        aria-label="Lineage"
        aria-activedescendant={cursorKey === undefined ? undefined : nodeId(cursorKey)}
        data-testid="lineage-graph"
        tabIndex={0}
        onKeyDown={onKeyDown}
        {...pointer}
      >
        <div
          className="graph-world"
          role="presentation"
          style={{ transform: `translate(${at.x}px, ${at.y}px) scale(${at.k})` }}
        >
          <GraphEdges layout={layout} positions={shown.edges} context={context} />
          {size !== undefined &&
            shown.nodes.map((position) => (
              <GraphNode
                key={layout.nodes[position]?.key}
                layout={layout}
                position={position}
                context={context}
                isCursor={position === cursor}
                canShowMore={onMore !== undefined}
                onSelect={select}
                onActivate={activate}
              />
            ))}
        </div>
      </div>
      <div className="zoom-tools" role="toolbar" aria-label="Zoom">
        <IconButton label="Closer (+)" onClick={() => zoom(STEP)}>
          <Plus size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label="Further away (-)" onClick={() => zoom(1 / STEP)}>
          <Minus size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label="All of it (0)" onClick={() => size && setPanZoom(() => fit(layout, size))}>
          <Maximize size={15} aria-hidden="true" />
        </IconButton>
      </div>
    </div>
  );
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** The node that the keys are at: that of the selected task, unless they are at one that stands for no task. */
function useCursor(layout: LineageLayout, { tree }: RowContext) {
  const selected = useView((state) => state.selected);
  const [other, setOther] = useState<{ readonly key: string; readonly selected: TaskId | undefined }>();
  const wanted = other !== undefined && other.selected === selected ? other.key : selectedKey();
  const found = layout.nodes.findIndex(({ key }) => key === wanted);
  const setCursor = (node: LineageNode): void => {
    if (node.kind === 'task') {
      setOther(undefined);
      view.select(tree.taskIdOf(node.task));
    } else setOther({ key: node.key, selected });
  };
  return { cursor: found < 0 ? layout.subject : found, setCursor };

  function selectedKey(): string | undefined {
    if (selected === undefined) return undefined;
    const task = tree.indexOf(selected);
    const isThread = task >= 0 && tree.isThread(task) && tree.leaderOf(task) >= 0;
    return `task-${isThread ? tree.taskIdOf(tree.leaderOf(task)) : selected}`;
  }
}

type SetPanZoom = (change: (at: PanZoom) => PanZoom) => void;

function usePanZoom(
  layout: LineageLayout,
  size: Size | undefined,
  cursor: number,
): readonly [PanZoom | undefined, SetPanZoom] {
  const [state, setState] = useState<{ readonly layout: LineageLayout; readonly at: PanZoom }>();
  if (size !== undefined && size.width > 0 && state === undefined) {
    setState({ layout, at: firstLook(layout, size) });
  } else if (state !== undefined && state.layout !== layout) {
    setState({ layout, at: inPlace(state, layout, cursor) });
  }
  return [state?.at, (change) => setState((state) => state && { ...state, at: change(state.at) })];
}

/** Where to look at a new layout from, so that the node under the keys does not move. */
function inPlace(
  before: { readonly layout: LineageLayout; readonly at: PanZoom },
  layout: LineageLayout,
  cursor: number,
): PanZoom {
  const now = layout.nodes[cursor];
  const then = before.layout.nodes.find(({ key }) => key === now?.key);
  if (now === undefined || then === undefined) return before.at;
  const { x, y, k } = before.at;
  return { x: x + (then.x - now.x) * k, y: y + (then.y - now.y) * k, k };
}

function withinView(layout: LineageLayout, { x, y, k }: PanZoom, size: Size | undefined) {
  if (size === undefined) return { nodes: [], edges: [] };
  const [left, top] = [-(x + OVERSCAN) / k, -(y + OVERSCAN) / k];
  const [right, bottom] = [(size.width + OVERSCAN - x) / k, (size.height + OVERSCAN - y) / k];
  return nodesWithin(layout, left, top, right, bottom);
}

function boxOf(node: LineageNode | undefined) {
  const { x = 0, y = 0 } = node ?? {};
  return { left: x, right: x + NODE_WIDTH, top: y - NODE_HEIGHT / 2, bottom: y + NODE_HEIGHT / 2 };
}
