// Where each process of a lineage stands: ancestors in a row on the left, the
// subject at the origin, descendants as a tidy tree on the right. All boxes have
// one size, so that a lineage is laid out without being drawn.
//
// d3-hierarchy throws on orphans, on several roots and on rings. It is given none:
// the members of a family are a preorder from one subject down.

import type { TaskIndex } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { hierarchy, tree as tidyTree } from 'd3-hierarchy';
import type { LineageFamily } from './lineage-family.ts';

export const NODE_WIDTH = 210;
export const NODE_HEIGHT = 44;
/** From one generation to the next, and from one sibling to the next. */
export const STEP_X = 304;
export const STEP_Y = 56;
/** Cousins stand further apart than siblings, by this much. */
const COUSIN_GAP = 1.3;

interface Placed {
  /** Names the node, also in the next layout. */
  readonly key: string;
  /** Position of the parent in `nodes`, -1 of the first. */
  readonly parent: number;
  /** Of the left edge and of the middle. */
  readonly x: number;
  readonly y: number;
  /** Generation, the first is 1. */
  readonly level: number;
  /** Place among the nodes with the same parent, from 1, and how many these are. */
  readonly place: number;
  readonly siblings: number;
}

export interface TaskNode extends Placed {
  readonly kind: 'task';
  readonly task: TaskIndex;
  /** An ancestor is told of as of the start of its child; undefined: as of the instant that is shown. */
  readonly at: EventNs | undefined;
}

/** Siblings that did the same and have ended. */
export interface GroupNode extends Placed {
  readonly kind: 'group';
  /** The first of them, and how many they are. */
  readonly task: TaskIndex;
  readonly count: number;
}

/** Descendants for whom there is no room. */
export interface MoreNode extends Placed {
  readonly kind: 'more';
  readonly count: number;
}

/** Why the eldest has no parent. Not where it truly has none. */
export interface EndNode extends Placed {
  readonly kind: 'end';
  readonly reason: Exclude<LineageFamily['end'], 'root'>;
}

export type LineageNode = TaskNode | GroupNode | MoreNode | EndNode;

export interface LineageLayout {
  /** Parents before their children. */
  readonly nodes: readonly LineageNode[];
  /** Position of the subject. */
  readonly subject: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export function lineageLayout(family: LineageFamily): LineageLayout {
  const nodes: LineageNode[] = ancestorNodes(family);
  const subject = nodes.length;
  const root = descendantSlots(family);
  const placed = tidyTree<Slot>()
    .nodeSize([STEP_Y, STEP_X])
    .separation((a, b) => (a.parent === b.parent ? 1 : COUSIN_GAP))(hierarchy(root, ({ children }) => children));
  let top = 0;
  let bottom = 0;
  let right = 0;
  placed.eachBefore((point) => {
    const { data, parent } = point;
    const at = {
      parent: parent === null ? subject - 1 : parent.data.position,
      x: point.y,
      y: point.x,
      level: subject + point.depth + 1,
      place: data.place,
      siblings: parent === null ? 1 : parent.data.children.length,
    };
    data.position = nodes.length;
    nodes.push(nodeOf(family, data, at));
    top = Math.min(top, at.y);
    bottom = Math.max(bottom, at.y);
    right = Math.max(right, at.x);
  });
  return {
    nodes,
    subject,
    left: nodes[0]?.x ?? 0,
    right: right + NODE_WIDTH,
    top: top - NODE_HEIGHT / 2,
    bottom: bottom + NODE_HEIGHT / 2,
  };
}

function nodeOf({ members }: LineageFamily, { isMore, member }: Slot, at: Omit<Placed, 'key'>): LineageNode {
  const { id, task, more, count } = members[member] as (typeof members)[number];
  if (isMore) return { kind: 'more', key: `more-${id}`, count: more, ...at };
  if (count > 1) return { kind: 'group', key: `group-${id}`, task, count, ...at };
  return { kind: 'task', key: `task-${id}`, task, at: undefined, ...at };
}

/** Nodes that touch a rectangle, and those at either end of an edge that crosses it. */
export function nodesWithin(
  { nodes }: LineageLayout,
  left: number,
  top: number,
  right: number,
  bottom: number,
): { readonly nodes: number[]; readonly edges: number[] } {
  const inside: number[] = [];
  const edges: number[] = [];
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i] as LineageNode;
    const isInside =
      node.x <= right && node.x + NODE_WIDTH >= left && node.y - NODE_HEIGHT <= bottom && node.y + NODE_HEIGHT >= top;
    if (isInside) inside.push(i);
    const parent = nodes[node.parent];
    if (parent === undefined || node.x < left || parent.x > right) continue;
    if (Math.min(node.y, parent.y) <= bottom && Math.max(node.y, parent.y) >= top) edges.push(i);
  }
  return { nodes: inside, edges };
}

function ancestorNodes({ ancestors, end }: LineageFamily): LineageNode[] {
  const nodes: LineageNode[] = [];
  const alone = { y: 0, place: 1, siblings: 1 };
  if (end !== 'root') {
    nodes.push({
      kind: 'end',
      key: 'end',
      reason: end,
      parent: -1,
      x: -(ancestors.length + 1) * STEP_X,
      level: 1,
      ...alone,
    });
  }
  for (let i = ancestors.length - 1; i >= 0; i--) {
    const { id, task, at } = ancestors[i] as (typeof ancestors)[number];
    const [parent, level] = [nodes.length - 1, nodes.length + 1];
    nodes.push({
      kind: 'task',
      key: `task-${id}`,
      task,
      at,
      parent,
      x: -(i + 1) * STEP_X,
      level,
      ...alone,
    });
  }
  return nodes;
}

/** What the tidy tree is made of. */
interface Slot {
  /** Of the family. */
  readonly member: number;
  /** It stands for those that are left out below the member. */
  readonly isMore: boolean;
  readonly place: number;
  readonly children: Slot[];
  position: number;
}

function descendantSlots({ members }: LineageFamily): Slot {
  const slots: Slot[] = [];
  const add = (member: number, isMore: boolean, parent: number): Slot => {
    const brothers = slots[parent]?.children;
    const slot: Slot = { member, isMore, place: (brothers?.length ?? 0) + 1, children: [], position: -1 };
    brothers?.push(slot);
    return slot;
  };
  for (const [member, { parent }] of members.entries()) slots.push(add(member, false, parent));
  for (const [member, { more }] of members.entries()) if (more > 0) add(member, true, member);
  return slots[0] as Slot;
}
