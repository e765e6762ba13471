// A tree as of an instant, made of the lives that mattered then: those of the blocks that reach over
// it, and the open ones. The tree is the engine's own, so that it says of the instant what the
// live tree said.

import { CopiedTexts, NO_TASK, type TaskIndex, type TaskRef, TemporalTree } from '@dendro/engine';
import { DendroError, type EntityId, type EventNs, eventTimeOf, type TaskId } from '@dendro/protocol';
import type { TreeAsOf, TreeWindow } from '../history.ts';
import type { OpenLives } from '../lives/open-lives.ts';
import { TreeLoader } from '../lives/tree-loader.ts';
import type { BlockStore, Stretch } from './block-store.ts';
import type { Era, Eras } from './eras.ts';

/** More than a busy task has in any time that is asked about at once. */
const ENTRIES_PER_FIELD = 1 << 20;
/** Lives that are looked up one by one for one answer. */
const MAX_LOOKED_UP = 8192;
/** Room for these costs nothing until they come. */
const EXPECTED_TASKS = 65_536;
/** Texts kept from answer to answer. */
const MAX_TEXTS = 200_000;
const INIT_TID = 1;
const THREAD = 1;

export class Reader {
  readonly #blocks: BlockStore;
  readonly #eras: Eras;
  readonly #openOf: (era: Era) => OpenLives | undefined;
  /** The tree of the last answer: it is filled anew, which saves half of the time of making another. */
  readonly #tree = new TemporalTree({
    entriesPerField: ENTRIES_PER_FIELD,
    expectedTasks: EXPECTED_TASKS,
    expectedEntries: 8 * EXPECTED_TASKS,
  });
  readonly #openTexts = new CopiedTexts();
  /** The same for answers about one task. */
  readonly #few = new TemporalTree({ entriesPerField: ENTRIES_PER_FIELD });
  readonly #fewTexts = new CopiedTexts();

  constructor(blocks: BlockStore, eras: Eras, openOf: (era: Era) => OpenLives | undefined) {
    this.#blocks = blocks;
    this.#eras = eras;
    this.#openOf = openOf;
  }

  /** The part of a stretch of time that is of the boot of its last instant. @throws DendroError DENDRO_HISTORY_TOO_OLD */
  spanOf(fromEpochNs: bigint, toEpochNs: bigint): { readonly era: Era; readonly from: EventNs; readonly to: EventNs } {
    const { era, at: to } = this.#eras.at(toEpochNs);
    const from = Math.max(eventTimeOf(era.base, fromEpochNs), era.began ?? Number.NEGATIVE_INFINITY) as EventNs;
    return { era, from, to };
  }

  window(fromEpochNs: bigint, toEpochNs: bigint): TreeWindow {
    const { era, from, to } = this.spanOf(fromEpochNs, toEpochNs);
    const tree = this.#tree;
    tree.clear(MAX_TEXTS);
    const open = this.#openOf(era);
    const loader = new TreeLoader(tree);
    if (open !== undefined) {
      const mattering = open.mattering(from, to);
      tree.copyTasks(open.tree, mattering, this.#openTexts);
      for (const task of mattering) {
        if (open.isPart(task)) loader.notePart(tree.indexOf(open.tree.taskIdOf(task)), open.fromOf(task));
      }
    }
    this.#blocks.loadWindow(loader, era.id, era.base, from, to);
    this.#addParts(tree, loader.parts, era, from, to);
    return { tree, base: era.base, from, at: to };
  }

  taskAsOf(ref: TaskRef, epochNs: bigint): TreeAsOf & { readonly taskId: TaskId | undefined } {
    const { era, at } = this.#eras.at(epochNs);
    const tree = this.#few;
    tree.clear(MAX_TEXTS);
    const taskId = this.#idOf(ref, era, at);
    if (taskId === undefined) return { tree, base: era.base, at, taskId };
    const open = this.#openOf(era);
    // Orphans are read through it.
    const init = open?.initId ?? this.#idWithPid(INIT_TID, era, at);
    const todo: TaskId[] = init === undefined || init === taskId ? [taskId] : [init, taskId];
    const seen = new Set<TaskId>(todo);
    // Whoever is read through it matters when it does. One that has ended by then is read as at its end.
    let then = at;
    const texts = this.#fewTexts;
    const parts = new Map<TaskIndex, EventNs>();
    for (let id = todo.pop(); id !== undefined && seen.size < MAX_LOOKED_UP; id = todo.pop()) {
      const living = open?.tree.indexOf(id) ?? NO_TASK;
      const isOpen = open !== undefined && living !== NO_TASK && open.tree.isPresent(living);
      if (isOpen) tree.copyTasks(open.tree, [living], texts);
      if (isOpen && open.isPart(living)) parts.set(tree.indexOf(id), open.fromOf(living));
      // An open life that was brought back, or is a busy one, has earlier copies.
      if (!isOpen || open.isPart(living) || open.fromOf(living) > then) {
        const span = this.#blocks.loadLife(tree, id, era.id, era.base, [then, then]);
        if (span?.isPart && !isOpen) parts.set(tree.indexOf(id), span.from);
        if (id === taskId && !isOpen && span !== undefined) then = Math.min(then, span.to) as EventNs;
      }
      const task = tree.indexOf(id);
      if (task === NO_TASK || !tree.isPresent(task)) continue;
      for (const above of namedBy(tree, task)) {
        if (seen.has(above)) continue;
        seen.add(above);
        todo.push(above);
      }
    }
    this.#addParts(tree, parts, era, then, at);
    const task = tree.indexOf(taskId);
    const isKnown = task !== NO_TASK && tree.isPresent(task) && tree.startOf(task) <= at;
    return { tree, base: era.base, at, taskId: isKnown ? taskId : undefined };
  }

  /**
   * Of lives that are in parts those too which others read: of their births, and of the time since then where a thread may
   * have ended with an exec.
   * @param parts of whom something is elsewhere, and since when it is here; what matters in `[from, to]` is here
   */
  #addParts(tree: TemporalTree, parts: ReadonlyMap<TaskIndex, EventNs>, era: Era, from: EventNs, to: EventNs): void {
    if (parts.size === 0) return;
    const read = new Map<TaskIndex, Stretch[]>();
    const note = (task: TaskIndex, birth: EventNs, until: EventNs) => {
      if (task === NO_TASK || birth >= from || !parts.has(task)) return;
      // A start in ticks can be before that of whoever it was born of.
      const since = Math.max(birth, tree.startOf(task)) as EventNs;
      const stretch = { from: since, to: Math.max(since, until) as EventNs };
      const stretches = read.get(task);
      if (stretches === undefined) read.set(task, [stretch]);
      else stretches.push(stretch);
    };
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task)) continue;
      const start = tree.startOf(task);
      const creator = tree.creatorOf(task);
      note(creator, start, start);
      if (creator !== NO_TASK) note(tree.leaderOf(creator), start, start);
      if (tree.isThread(task)) note(tree.leaderOf(task), start, tree.isExitSaid(task) ? start : from);
    }
    for (const [task, stretches] of read) {
      const missing = this.#blocks.addParts(tree, task, era.id, era.base, stretches, { from, to });
      // What is no longer kept is not made up from what somebody else had.
      if (missing.some((one) => one.from < (parts.get(task) as EventNs))) tree.noteTrimmed(task);
    }
  }

  #idOf(ref: TaskRef, era: Era, at: EventNs): TaskId | undefined {
    if ('taskId' in ref) return ref.taskId;
    return 'pid' in ref ? this.#idWithPid(ref.pid, era, at) : this.#idWithEntityId(ref.entityId, era, at);
  }

  /** The only task with an entity id that had begun by then. @throws DendroError DENDRO_TASK_AMBIGUOUS */
  #idWithEntityId(entityId: EntityId, era: Era, at: EventNs): TaskId | undefined {
    const found = new Set<TaskId>();
    const open = this.#openOf(era);
    for (let slot = 0; open !== undefined && slot < open.tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (open.tree.entityIdOf(task) !== entityId || !open.tree.isPresent(task)) continue;
      if (open.tree.startOf(task) <= at) found.add(open.tree.taskIdOf(task));
    }
    for (const entry of this.#blocks.entries) {
      const rows = entry.era === era.id && entry.from <= at ? this.#blocks.rowsOf(entry, era.base) : undefined;
      if (rows === undefined) continue;
      const { entity } = rows;
      for (let life = entity.indexOf(entityId); life >= 0; life = entity.indexOf(entityId, life + 1)) {
        if ((rows.start[life] as number) <= at) found.add(rows.id[life] as TaskId);
      }
    }
    const candidates = [...found].sort((a, b) => a - b);
    if (candidates.length > 1) throw new DendroError('DENDRO_TASK_AMBIGUOUS', undefined, { details: { candidates } });
    return candidates[0];
  }

  /** The last life of a tid that had begun by then. */
  #idWithPid(tid: number, era: Era, at: EventNs): TaskId | undefined {
    let best = Number.NEGATIVE_INFINITY;
    let found: TaskId | undefined;
    const open = this.#openOf(era);
    if (open !== undefined) {
      const { tree } = open;
      for (let slot = 0; slot < tree.slotCount; slot++) {
        const task = slot as TaskIndex;
        const start = tree.startOf(task);
        if (tree.tidOf(task) !== tid || !tree.isPresent(task) || start > at || start < best) continue;
        best = start;
        found = tree.taskIdOf(task);
        if (tree.exitOf(task) >= at) return found;
      }
    }
    // Those that reach over the instant first: who lived then is meant.
    for (const reachesOver of [true, false]) {
      for (let i = this.#blocks.entries.length - 1; i >= 0; i--) {
        const entry = this.#blocks.entries[i];
        if (entry === undefined || entry.era !== era.id || entry.from > at || entry.to < best) continue;
        if (entry.to >= at !== reachesOver) continue;
        const rows = this.#blocks.rowsOf(entry, era.base);
        if (rows === undefined) continue;
        const { tid: tids, start: starts } = rows;
        for (let life = 0; life < tids.length; life++) {
          if (tids[life] !== tid) continue;
          const start = starts[life] as number;
          if (start > at || start <= best) continue;
          best = start;
          found = rows.id[life] as TaskId;
          if ((rows.exit[life] as number) >= at && ((rows.flags[life] as number) & THREAD) === 0) return found;
        }
      }
    }
    return found;
  }
}

/** Everyone through whom a task is read. */
function namedBy(tree: TemporalTree, task: TaskIndex): TaskId[] {
  const above = [tree.creatorOf(task), tree.leaderOf(task)];
  tree.forEachParent(task, (parent) => above.push(parent));
  return above.filter((other) => other !== NO_TASK && other !== task).map((other) => tree.taskIdOf(other));
}
