// Why a process stands where nobody started it: its parent is not known, has
// left memory, or ended and left it to another one.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { printableName } from './printable.ts';

export interface OrphanNote {
  readonly text: string;
  readonly title: string;
}

/** The kernel starts these two. */
const INIT = 1;
const KTHREADD = 2;

/** @returns undefined for who is where it was born */
export function orphanNote(tree: TemporalTree, task: TaskIndex, at: EventNs): OrphanNote | undefined {
  const tid = tree.tidOf(task);
  if (tree.isThread(task) || tree.isKernelThread(task) || tid === INIT || tid === KTHREADD) return undefined;
  const parent = tree.parentAt(task, Math.min(at, tree.exitOf(task)) as EventNs);
  if (parent === NO_TASK) {
    return {
      text: 'parent not known',
      title: 'Nobody has named its parent: it ended before capture, or is not part of what is captured',
    };
  }
  if (!tree.isPresent(parent)) {
    const name = tree.tidOf(parent) > 0 ? `parent ${tree.tidOf(parent)}` : 'parent';
    return {
      text: tree.tidOf(parent) > 0 ? `${name} left memory` : 'parent exited before capture',
      title: `Its ${name} ended before capture, or has left memory to make room`,
    };
  }
  const first = tree.parentAt(task, tree.startOf(task));
  if (first === parent || first === NO_TASK || tree.tidOf(first) <= 0) return undefined;
  const was = `${nameOf(tree, first, tree.startOf(task))} [${tree.tidOf(first)}]`;
  return {
    text: `was under ${was}`,
    title: `Reparented: it was started under ${was}, and came to ${nameOf(tree, parent, at)} [${tree.tidOf(parent)}] when that ended`,
  };
}

function nameOf(tree: TemporalTree, task: TaskIndex, at: EventNs): string {
  return printableName(tree.textAt(task, 'comm', at) ?? 'a process');
}
