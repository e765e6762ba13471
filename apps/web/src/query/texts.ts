// The texts that queries look for, by TaskIndex, and which of them a pattern
// means: what has been looked through once is not looked through again as long as
// the same is asked.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { type EventNs, FIELDS, pathOfWireFile } from '@dendro/protocol';
import type { TaskColumn, TaskColumns } from '../layout/task-columns.ts';
import { Haystack } from './haystack.ts';

export const TEXT_FIELDS = ['comm', 'argv', 'executable', 'container'] as const;
export type TextField = (typeof TEXT_FIELDS)[number];

/** Looks through the texts of a haystack from a place on, and takes the indexes of those that are meant. */
export type Look = (haystack: Haystack, from: number, take: (index: number) => void) => void;

/** A person looks for few things at a time. */
const MOST_ANSWERS = 16;

interface Answers {
  /** Index of a text -> 1 where it is meant. */
  byText: Uint8Array<ArrayBuffer>;
  /** So many texts of the haystack have been looked at. */
  seen: number;
}

/** Of one field. */
export class Texts {
  /** TaskIndex -> index of the text in the tree; 0 where it is not known, or is another task's: commands are of processes. */
  indexes = new Int32Array(0);
  readonly #haystack: Haystack;
  readonly #answers = new Map<string, Answers>();
  #isKnown = new Uint8Array(1024); // index of a text -> 1 when it is in the haystack, or will be
  #fresh: number[] = []; // not in the haystack yet

  constructor(textOf: (index: number) => string) {
    this.#haystack = new Haystack(textOf);
  }

  reserve(slots: number): void {
    const indexes = new Int32Array(slots);
    indexes.set(this.indexes);
    this.indexes = indexes;
  }

  set(task: TaskIndex, index: number): void {
    this.indexes[task] = index;
    if (index === 0 || this.#isKnown[index] === 1) return;
    if (index >= this.#isKnown.length) this.#isKnown = withRoom(this.#isKnown, 2 * index);
    this.#isKnown[index] = 1;
    this.#fresh.push(index);
  }

  /**
   * Index of a text -> 1 where it is meant.
   * @param what is looked for: the same text always for the same thing
   */
  answers(what: string, look: Look): Uint8Array {
    this.#haystack.add(this.#fresh);
    this.#fresh = [];
    const known = this.#answers.get(what);
    if (known === undefined && this.#answers.size >= MOST_ANSWERS) this.#answers.clear();
    const answers = known ?? { byText: new Uint8Array(0), seen: 0 };
    this.#answers.set(what, answers);
    if (answers.byText.length < this.#isKnown.length) answers.byText = withRoom(answers.byText, this.#isKnown.length);
    const { byText, seen } = answers;
    look(this.#haystack, seen, (index) => {
      byText[index] = 1;
    });
    answers.seen = this.#haystack.size;
    return byText;
  }
}

/** All fields together: to read them at once costs little more than one. */
export class TextsOfTasks implements TaskColumn {
  readonly #tree: TemporalTree;
  readonly #fields: Readonly<Record<TextField, Texts>>;

  constructor(tree: TemporalTree) {
    this.#tree = tree;
    const texts = (field: TextField) => new Texts((index) => shownText(tree, field, index));
    this.#fields = {
      comm: texts('comm'),
      argv: texts('argv'),
      executable: texts('executable'),
      container: texts('container'),
    };
  }

  static of(columns: TaskColumns): TextsOfTasks {
    return columns.column('texts', (tree) => new TextsOfTasks(tree));
  }

  field(field: TextField): Texts {
    return this.#fields[field];
  }

  reserve(slots: number): void {
    for (const field of TEXT_FIELDS) this.#fields[field].reserve(slots);
  }

  read(task: TaskIndex, at: EventNs): void {
    const tree = this.#tree;
    const { comm, argv, executable, container } = this.#fields;
    if (!tree.isPresent(task)) {
      for (const field of TEXT_FIELDS) this.#fields[field].set(task, 0);
      return;
    }
    const indexes = tree.textIndexesAt(task, at);
    const hasCommand = !tree.isThread(task) && !tree.isKernelThread(task);
    comm.set(task, indexes[FIELDS.comm.id] as number);
    container.set(task, indexes[FIELDS.container.id] as number);
    argv.set(task, hasCommand ? (indexes[FIELDS.argv.id] as number) : 0);
    executable.set(task, hasCommand ? (indexes[FIELDS.executable.id] as number) : 0);
  }
}

/** As it is shown: a path without what else is known of the file, arguments with blanks between. */
function shownText(tree: TemporalTree, field: TextField, index: number): string {
  const text = tree.textOf(index);
  if (field === 'executable') return pathOfWireFile(text);
  return field === 'argv' ? text.slice(0, -1).replaceAll('\0', ' ') : text;
}

function withRoom(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(length);
  more.set(bytes);
  return more;
}
