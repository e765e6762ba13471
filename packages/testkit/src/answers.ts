// All that a tree answers, as data, to compare two trees by what they say.

import { isDeepStrictEqual } from 'node:util';
import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { BatchWriter, type EventNs, FIELD_COUNT, fieldName } from '@dendro/protocol';

type Name = string | number;
/** By what is asked. */
export type AllAnswers = ReadonlyMap<string, unknown>;

/** More differences than these are not worth reading. */
const MAX_DIFFERENCES = 12;

/**
 * Of each task that is here, or was evicted and can still be read, what never changes, and all that is read of it at
 * each of the times.
 * @param nameOf what a task is called: by tid and start where two trees number their tasks differently
 */
export function answersOf(
  tree: TemporalTree,
  times: readonly number[],
  nameOf: (task: TaskIndex) => Name = (task) => tree.taskIdOf(task),
): AllAnswers {
  const name = (task: TaskIndex) => (task === NO_TASK ? undefined : nameOf(task));
  const names = (tasks: readonly TaskIndex[]) => tasks.map(nameOf).sort();
  const answers = new Map<string, unknown>();
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) && !tree.isStub(task)) continue;
    const own = nameOf(task);
    const add = (what: string, answer: unknown) => answers.set(`${what} of ${own}`, answer);
    add('presence', tree.isPresent(task));
    add('ids', [tree.tidOf(task), tree.pidOf(task), tree.entityIdOf(task)]);
    add('start', tree.startOf(task));
    add('kind', { thread: tree.isThread(task), kernel: tree.isKernelThread(task), known: !tree.isPlaceholder(task) });
    add('leader', name(tree.leaderOf(task)));
    add('creator', name(tree.creatorOf(task)));
    add('threads', names(tree.threadsOf(task).filter((thread) => tree.isPresent(thread))));
    add('end', [tree.exitOf(task), tree.exitCodeOf(task), tree.exitSignalOf(task)]);
    for (const time of times) {
      const at = time as EventNs;
      answers.set(`fields of ${own} at ${time}`, [...tree.valuesAt(task, at)]);
      answers.set(`trimmed of ${own} at ${time}`, [...tree.trimmedAt(task, at)]);
      answers.set(`parent of ${own} at ${time}`, name(tree.parentAt(task, at)));
      answers.set(`children of ${own} at ${time}`, names(tree.childrenAt(task, at)));
      answers.set(`exec time of ${own} at ${time}`, tree.execTimeAt(task, at));
    }
  }
  return answers;
}

/**
 * A tree as batches of so many tasks: whoever merges them has the same tree. The evicted of whom something stays come
 * last, in one batch: each stays only while somebody refers to it, and in a batch evictions are told last.
 */
export function snapshotOf(tree: TemporalTree, batchTasks = Number.POSITIVE_INFINITY): Uint8Array[] {
  const tasks = Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex);
  const present = tasks.filter((task) => tree.isPresent(task));
  const stubs = tasks.filter((task) => tree.isStub(task));
  const batches: Uint8Array[] = [];
  const writer = new BatchWriter();
  for (const task of [...present, ...stubs]) {
    tree.writeFacts(task, writer);
    if (tree.isStub(task)) writer.evict(tree.taskIdOf(task), false);
    if (writer.taskCount >= batchTasks && tree.isPresent(task)) batches.push(writer.finish());
  }
  return [...batches, writer.finish()];
}

/** @returns in words where they differ: nothing when they say the same */
export function differencesOf(got: AllAnswers, want: AllAnswers): string[] {
  const found: string[] = [];
  for (const question of new Set([...want.keys(), ...got.keys()])) {
    const [gotOne, wantOne] = [got.get(question), want.get(question)];
    if (isDeepStrictEqual(gotOne, wantOne)) continue;
    found.push(`${question}: ${show(gotOne)} and not ${show(wantOne)}`);
    if (found.length >= MAX_DIFFERENCES) break;
  }
  return found;
}

/** Of a list of fields the names too. */
function show(answer: unknown): string {
  if (!Array.isArray(answer) || answer.length !== FIELD_COUNT) return JSON.stringify(answer) ?? `${answer}`;
  return answer
    .flatMap((value, id) => (value === undefined ? [] : `${fieldName(id)} ${JSON.stringify(value)}`))
    .join(', ');
}
