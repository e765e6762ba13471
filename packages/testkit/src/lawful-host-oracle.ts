// What can be known of a lawful host from what was told of it: every statement
// is kept, and every answer is found by searching them all, along the rules of
// packages/engine/SPEC.md and nothing else. Shares no code with the engine.
//
// Lives are given: whom an event speaks of is for the engine to find out.

import type { Field, Life, Value } from './lawful-host.ts';
import type { Statement, Told } from './lawful-host-dialects.ts';

/** An exec ends what was known of these [EX2]. */
const OF_IMAGE: readonly Field[] = ['executable', 'argv', 'interpreter', 'interp'];
/** Seen once, they hold for a whole life [NS1]. */
const OF_LIFE: readonly Field[] = ['nsTid', 'nsPid', 'pidNs'];
/** A rename so shortly before an exec is part of it [EX2]. */
const RENAME_SLACK = 100_000_000;

export interface End {
  readonly at: number;
  readonly code: number | undefined;
  readonly signal: number | undefined;
}

export interface Ancestor {
  readonly life: Life;
  readonly at: number;
}

interface Parenthood {
  readonly since: number;
  parent: Life | undefined;
  isConcluded: boolean;
}

/** A statement about that field. */
type About<F extends Statement['field']> = Extract<Statement, { readonly field: F extends Field ? Field : F }>;
const NOTHING: readonly Statement[] = [];

export class Oracle {
  readonly lives: readonly Life[];
  readonly #init: Life;
  readonly #of: ReadonlyMap<Life, ReadonlyMap<Statement['field'], readonly Statement[]>>;
  readonly #parents = new Map<Life, readonly Parenthood[]>();

  constructor(lives: readonly Life[], told: readonly Told[]) {
    this.lives = lives;
    this.#init = lives[0] as Life;
    // By time; of one instant, what was seen after what was said, and what was concluded last.
    const order = { said: 0, seen: 1, concluded: 2 };
    const all = told
      .flatMap(({ says }) => says)
      // What is seen of a task after its end says nothing [OB3].
      .filter(({ how, at, life }) => how !== 'seen' || at <= life.exit)
      .sort((a, b) => a.at - b.at || order[a.how] - order[b.how]);
    const byLife = Map.groupBy(all, ({ life }) => life);
    this.#of = new Map([...byLife].map(([life, list]) => [life, Map.groupBy(list, ({ field }) => field)]));
  }

  /** A field as of a time not before the start. */
  valueAt(life: Life, field: Field, time: number): Value {
    const at = Math.min(time, life.exit); // [AS9]
    const own = this.#statements(life, field);
    if (OF_LIFE.includes(field)) return own[0]?.value; // [NS1]
    if (life.leader !== life && field !== 'comm') return this.valueAt(life.leader, field, at); // [AS4]

    const image = life.execs.findLast((exec) => exec <= at);
    const nextImage = life.execs.find((exec) => exec > at) ?? Number.POSITIVE_INFINITY;
    const since = image === undefined ? life.start : field === 'comm' ? image - RENAME_SLACK : image;
    let last: About<Field> | undefined; // of this image, the newest by then
    let next: About<Field> | undefined; // of this image, the first one after it
    for (const one of own) {
      if (one.how === 'concluded' || one.at < since || one.at >= nextImage) continue;
      if (one.at > at) next ??= one;
      // What was said goes before what was seen at the same time [FA2].
      else if (one.at !== last?.at) last = one;
    }
    if (last !== undefined) return last.value;

    const goesBack = next?.how === 'seen'; // [OB2]
    if (image === undefined) {
      const inherited = life.creator === undefined ? undefined : this.valueAt(life.creator, field, life.start); // [AS3]
      return inherited === undefined && goesBack ? next?.value : inherited;
    }
    const isEnded = OF_IMAGE.includes(field) || field === 'comm'; // [OB2]
    const isKept = !isEnded && own.some((one) => one.at < since && one.how !== 'concluded');
    if (goesBack && !isKept) return next?.value;
    if (!OF_IMAGE.includes(field)) return this.valueAt(life, field, image - 1);
    return own.find((one) => one.how === 'concluded' && one.at === image)?.value; // [EX2] [EX4]
  }

  /** Is the value known only from what was said or seen at the very end of the life? */
  isFromTheEnd(life: Life, field: Field): boolean {
    return this.#statements(life, field).every(({ at }) => at >= life.exit);
  }

  /** Of processes. */
  parentAt(life: Life, time: number): Life | undefined {
    if (time < life.start) return undefined; // [AS6]
    const at = Math.min(time, life.exit);
    const known = this.#parents.get(life) ?? this.#parenthoods(life);
    this.#parents.set(life, known);
    return known.findLast(({ since }) => since <= at)?.parent;
  }

  /** Processes that had begun by then, the ended too [AS7]. */
  childrenAt(parent: Life, time: number): Life[] {
    return this.lives.filter((life) => life.leader === life && this.parentAt(life, time) === parent);
  }

  /** The process as of a time, its parent as of its start, and so on [LI1]. */
  lineageAt(process: Life, time: number): Ancestor[] {
    const lineage: Ancestor[] = [];
    let at = time;
    for (let life: Life | undefined = process; life !== undefined; life = this.parentAt(life, at)) {
      lineage.push({ life, at });
      at = Math.min(at, life.start);
    }
    return lineage;
  }

  execTimeAt(life: Life, time: number): number | undefined {
    return life.execs.findLast((exec) => exec <= Math.min(time, life.exit)); // [EX5]
  }

  endOf(life: Life): End {
    const ends = this.#ends(life);
    const status = ends.find((end) => end.status !== undefined)?.status; // [FA5]
    return { at: life.exit, code: status?.code, signal: status?.signal };
  }

  /** Do several say that they were the last of their process, with different codes? */
  hasRivalEnds(life: Life): boolean {
    return new Set(this.#ends(life).map(({ status }) => `${status?.code} ${status?.signal}`)).size > 1;
  }

  /** The exits that end it: of a process those of its threads that are the last of all [EN3]. */
  #ends(life: Life): readonly About<'end'>[] {
    if (life.leader !== life) return this.#statements(life, 'end');
    return this.lives
      .filter(({ leader }) => leader === life)
      .flatMap((thread) => this.#statements(thread, 'end'))
      .filter(({ isLast }) => isLast)
      .sort((a, b) => a.at - b.at);
  }

  /** All about one field of one life. */
  #statements<F extends Statement['field']>(life: Life, field: F): readonly About<F>[] {
    return (this.#of.get(life)?.get(field) ?? NOTHING) as readonly About<F>[];
  }

  #parenthoods(life: Life): Parenthood[] {
    const statements = this.#statements(life, 'parent');
    const atBirth = statements.find((one) => one.how === 'said' && one.at === life.start);
    const list: Parenthood[] = [
      { since: life.start, parent: atBirth?.value ?? this.#birthParent(life), isConcluded: false },
    ];
    const current = () => list.at(-1) as Parenthood;
    // From the end of its parent on it has init [PA1].
    const orphanUntil = (time: number) => {
      const { parent, since } = current();
      if (parent === undefined || parent.exit > time) return;
      list.push({ since: Math.max(parent.exit, since), parent: this.#init, isConcluded: true });
    };
    for (const { at, how, value } of statements) {
      if (at > life.exit) break;
      orphanUntil(at);
      if (how === 'said') list.push({ since: at, parent: value, isConcluded: false });
      else if (current().isConcluded) {
        current().parent = value; // [PA2]
        current().isConcluded = false;
      } else if (current().parent !== value) list.push({ since: at, parent: value, isConcluded: false }); // [PA3]
    }
    orphanUntil(life.exit);
    return list;
  }

  #birthParent({ creator, isSibling, start }: Life): Life | undefined {
    if (creator === undefined) return undefined;
    return isSibling ? this.parentAt(creator.leader, start) : creator.leader; // [FO1] [FO2]
  }
}
