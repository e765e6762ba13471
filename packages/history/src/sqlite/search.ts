// Lives by what they were: every image of every process is looked at, in the blocks by column
// and among the open lives one by one. Texts are matched once per block, not once per life.

import type { TaskIndex } from '@dendro/engine';
import { type EventNs, epochOf, eventTimeOf, fromWireText, type TaskId, type TimeBase } from '@dendro/protocol';
import type { BlockTexts, LivesBlock } from '../codec/lives-block.ts';
import type { Image } from '../codec/lives-encoder.ts';
import type { FoundLife, FoundLives, LifeQuery } from '../history.ts';
import type { OpenLives } from '../lives/open-lives.ts';
import type { BlockStore } from './block-store.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
const THREAD = 1;
const MAX_LOWERED = 65_536;

export interface SearchedEra {
  readonly id: number;
  readonly base: TimeBase;
  /** Of the era that is recorded now. */
  readonly open: OpenLives | undefined;
}

/** A match, before anybody knows whether it is among the newest. */
interface Candidate {
  readonly since: number;
  readonly found: () => FoundLife;
}

/** The newest ones of one era, of all that are offered. */
class Newest {
  readonly #limit: number;
  readonly #kept: Candidate[] = [];
  #floor = Number.NEGATIVE_INFINITY;
  #total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** All that were offered. */
  get total(): number {
    return this.#total;
  }

  /** Counts one in. @returns whether it would be kept */
  wants(since: number): boolean {
    this.#total++;
    return since > this.#floor;
  }

  add(candidate: Candidate): void {
    this.#kept.push(candidate);
    if (this.#kept.length >= 2 * this.#limit + 64) this.#cut();
  }

  /** A life that was told of late is in two blocks, and is found once. */
  finish(): FoundLife[] {
    this.#cut();
    const lives = new Map<string, FoundLife>();
    for (const { found } of this.#kept) {
      const life = found();
      lives.set(`${life.taskId} ${life.sinceEpochNs}`, life);
    }
    return [...lives.values()];
  }

  #cut(): void {
    this.#kept.sort((a, b) => b.since - a.since);
    if (this.#kept.length <= this.#limit) return;
    this.#kept.length = this.#limit;
    this.#floor = this.#limit === 0 ? Number.POSITIVE_INFINITY : (this.#kept.at(-1)?.since ?? this.#floor);
  }
}

/** What a query asks, by event times of one era. */
interface Terms {
  readonly query: LifeQuery;
  readonly from: number;
  readonly to: number;
  readonly startedAfter: number;
  readonly endedBefore: number;
  /** Tids of the parent are known by its id only: ids of all lives that had that pid. */
  readonly parents: ReadonlySet<number> | undefined;
}

export class LifeSearch {
  readonly #blocks: BlockStore;
  readonly #lowered = new Map<string, string>();

  constructor(blocks: BlockStore) {
    this.#blocks = blocks;
  }

  /** @param eras the newest first */
  search(query: LifeQuery, eras: readonly SearchedEra[]): FoundLives {
    const limit = Math.min(query.limit ?? DEFAULT_LIMIT, MAX_LIMIT);
    const lives: FoundLife[] = [];
    let total = 0;
    for (const era of eras) {
      const newest = new Newest(limit - lives.length);
      const terms = this.#termsOf(query, era);
      if (era.open !== undefined) this.#searchOpen(era.open, era.base, terms, newest);
      const { entries } = this.#blocks;
      for (let i = entries.length - 1; i >= 0; i--) {
        const entry = entries[i];
        if (entry === undefined || entry.era !== era.id || entry.from > terms.to || entry.to < terms.from) continue;
        const matcher = TextMatcher.of(query, () => this.#blocks.textsOf(entry, era.base));
        if (matcher === 'nothing') continue;
        const rows = this.#blocks.rowsOf(entry, era.base);
        if (rows === undefined) continue;
        const texts = () => this.#blocks.textsOf(entry, era.base);
        searchBlock(rows, texts, era.base, terms, matcher, newest);
      }
      lives.push(...newest.finish());
      total += newest.total;
    }
    return { lives, total };
  }

  #termsOf(query: LifeQuery, era: SearchedEra): Terms {
    const { base } = era;
    const time = (epochNs: bigint | undefined, fallback: number) =>
      epochNs === undefined ? fallback : eventTimeOf(base, epochNs);
    return {
      query,
      from: time(query.fromEpochNs, Number.NEGATIVE_INFINITY),
      to: time(query.toEpochNs, Number.POSITIVE_INFINITY),
      startedAfter: time(query.startedAfterEpochNs, Number.NEGATIVE_INFINITY),
      endedBefore: time(query.endedBeforeEpochNs, Number.POSITIVE_INFINITY),
      parents: query.parentPid === undefined ? undefined : this.#idsWithPid(query.parentPid, era),
    };
  }

  /** Every task of a process that ever had this pid. */
  #idsWithPid(pid: number, { id, base, open }: SearchedEra): Set<number> {
    const ids = new Set<number>();
    for (const entry of this.#blocks.entries) {
      const rows = entry.era === id ? this.#blocks.rowsOf(entry, base) : undefined;
      if (rows === undefined) continue;
      for (let life = 0; life < rows.lives; life++) if (rows.pid[life] === pid) ids.add(rows.id[life] as number);
    }
    if (open === undefined) return ids;
    for (let slot = 0; slot < open.tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (open.tree.isPresent(task) && open.tree.pidOf(task) === pid) ids.add(open.tree.taskIdOf(task));
    }
    return ids;
  }

  #searchOpen(open: OpenLives, base: TimeBase, terms: Terms, newest: Newest): void {
    const { tree } = open;
    const { query } = terms;
    const fits = this.#textTest(query);
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task) || tree.isThread(task)) continue;
      const [start, end] = [tree.startOf(task), tree.exitOf(task)];
      if (start > terms.to || end < terms.from || start < terms.startedAfter) continue;
      if (terms.endedBefore !== Number.POSITIVE_INFINITY && !(end <= terms.endedBefore)) continue;
      if (query.pid !== undefined && tree.pidOf(task) !== query.pid) continue;
      if (query.exitCode !== undefined && tree.exitCodeOf(task) !== query.exitCode) continue;
      if (query.signal !== undefined && tree.exitSignalOf(task) !== query.signal) continue;
      const creator = tree.creatorOf(task);
      const creatorId = creator < 0 ? 0 : tree.taskIdOf(creator);
      if (terms.parents !== undefined && !terms.parents.has(creatorId)) continue;
      for (const image of open.imagesOf(task)) {
        if (query.uid !== undefined && image.uid !== query.uid) continue;
        if (!fits(image)) continue;
        if (!newest.wants(image.since)) continue;
        const hasEnded = end !== Number.POSITIVE_INFINITY;
        newest.add({
          since: image.since,
          found: () => ({
            taskId: tree.taskIdOf(task),
            pid: tree.pidOf(task),
            creatorTaskId: creatorId === 0 ? undefined : (creatorId as TaskId),
            startEpochNs: epochOf(base, start),
            endEpochNs: hasEnded ? epochOf(base, end) : undefined,
            exitCode: hasEnded ? tree.exitCodeOf(task) : undefined,
            signal: hasEnded ? tree.exitSignalOf(task) : undefined,
            sinceEpochNs: epochOf(base, image.since),
            comm: image.comm,
            path: image.path,
            argv: image.argv === undefined ? undefined : (fromWireText('strings', image.argv) as readonly string[]),
            uid: image.uid,
            container: image.container,
          }),
        });
      }
    }
  }

  #textTest(query: LifeQuery): (image: Image) => boolean {
    const known = new Map<string, Map<string, boolean>>();
    const holds = (text: string | undefined, needle: string): boolean => {
      if (text === undefined) return false;
      let answers = known.get(needle);
      if (answers === undefined) {
        answers = new Map();
        known.set(needle, answers);
      }
      let answer = answers.get(text);
      if (answer !== undefined) return answer;
      answer = this.#lower(text).includes(needle);
      answers.set(text, answer);
      return answer;
    };
    const [text, comm, path] = [query.text, query.comm, query.path].map(lowerAsciiText);
    const [commandLine, container] = [query.commandLine, query.container].map(lowerAsciiText);
    return (image) =>
      (comm === undefined || holds(image.comm, comm)) &&
      (path === undefined || holds(image.path, path)) &&
      (commandLine === undefined || holds(image.argv, commandLine)) &&
      (container === undefined || holds(image.container, container)) &&
      (text === undefined ||
        holds(image.argv, text) ||
        holds(image.comm, text) ||
        holds(image.path, text) ||
        holds(image.container, text));
  }

  #lower(text: string): string {
    let lowered = this.#lowered.get(text);
    if (lowered !== undefined) return lowered;
    if (this.#lowered.size >= MAX_LOWERED) this.#lowered.clear();
    lowered = lowerAsciiText(text);
    this.#lowered.set(text, lowered);
    return lowered;
  }
}

/** As the blocks match: A to Z alone, and blanks between arguments. */
function lowerAsciiText<T extends string | undefined>(text: T): T {
  return text?.replaceAll('\0', ' ').replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) as T;
}

type Hits = Uint8Array | undefined;

/** Which texts of a block fit; undefined where anything does. */
class TextMatcher {
  readonly any: Hits;
  readonly comm: Hits;
  readonly path: Hits;
  readonly argv: Hits;
  readonly container: Hits;

  private constructor(query: LifeQuery, texts: BlockTexts) {
    const hits = (needle: string | undefined) => (needle === undefined ? undefined : texts.matches(needle));
    this.any = hits(query.text);
    this.comm = hits(query.comm);
    this.path = hits(query.path);
    this.argv = hits(query.commandLine);
    this.container = hits(query.container);
  }

  /** Undefined when no text is asked for, 'nothing' when no life of the block can fit. */
  static of(query: LifeQuery, texts: () => BlockTexts | undefined): TextMatcher | 'nothing' | undefined {
    const { text, comm, path, commandLine, container } = query;
    const asked = [text, comm, path, commandLine, container].filter((needle) => needle !== undefined).length;
    if (asked === 0) return undefined;
    const known = texts();
    if (known === undefined) return 'nothing';
    const matcher = new TextMatcher(query, known);
    const found = [matcher.any, matcher.comm, matcher.path, matcher.argv, matcher.container].filter(
      (hits) => hits !== undefined,
    ).length;
    return found < asked ? 'nothing' : matcher;
  }
}

// hot: runs once per image of all lives
function searchBlock(
  rows: LivesBlock,
  texts: () => BlockTexts | undefined,
  base: TimeBase,
  terms: Terms,
  matcher: TextMatcher | undefined,
  newest: Newest,
): void {
  const { query, from, to, startedAfter, endedBefore, parents } = terms;
  const { pid, exitCode, signal, uid } = query;
  const { imageLife, imageComm, imagePath, imageArgv, imageContainer, imageUid } = rows;
  const any = matcher?.any;
  const [comm, path, argv, container] = [matcher?.comm, matcher?.path, matcher?.argv, matcher?.container];
  for (let image = imageLife.length - 1; image >= 0; image--) {
    if (
      any !== undefined &&
      any[imageArgv[image] as number] !== 1 &&
      any[imageComm[image] as number] !== 1 &&
      any[imagePath[image] as number] !== 1 &&
      any[imageContainer[image] as number] !== 1
    )
      continue;
    if (comm !== undefined && comm[imageComm[image] as number] !== 1) continue;
    if (path !== undefined && path[imagePath[image] as number] !== 1) continue;
    if (argv !== undefined && argv[imageArgv[image] as number] !== 1) continue;
    if (container !== undefined && container[imageContainer[image] as number] !== 1) continue;
    if (uid !== undefined && imageUid[image] !== uid) continue;
    const life = imageLife[image] as number;
    if (pid !== undefined && rows.tid[life] !== pid) continue;
    if (exitCode !== undefined && rows.code[life] !== exitCode) continue;
    if (signal !== undefined && rows.signal[life] !== signal) continue;
    if (parents !== undefined && !parents.has(rows.creator[life] as number)) continue;
    const start = rows.start[life] as number;
    const exit = rows.exit[life] as number;
    if (start > to || exit < from || start < startedAfter) continue;
    if (endedBefore !== Number.POSITIVE_INFINITY && !(exit <= endedBefore)) continue;
    if (((rows.flags[life] as number) & THREAD) !== 0) continue;
    const since = rows.imageSince[image] as number;
    if (newest.wants(since)) newest.add({ since, found: () => foundIn(rows, texts(), base, life, image) });
  }
}

function foundIn(
  rows: LivesBlock,
  texts: BlockTexts | undefined,
  base: TimeBase,
  life: number,
  image: number,
): FoundLife {
  const text = (index: number | undefined) => texts?.textOf(index ?? 0);
  const argv = text(rows.imageArgv[image]);
  const exit = rows.exit[life] as EventNs;
  const creator = rows.creator[life] as number;
  const uid = rows.imageUid[image] as number;
  const known = (value: number | undefined) => (value === undefined || value < 0 ? undefined : value);
  return {
    taskId: rows.id[life] as TaskId,
    pid: rows.tid[life] as number,
    creatorTaskId: creator === 0 ? undefined : (creator as TaskId),
    startEpochNs: epochOf(base, rows.start[life] as EventNs),
    endEpochNs: exit === Number.POSITIVE_INFINITY ? undefined : epochOf(base, exit),
    exitCode: known(rows.code[life]),
    signal: known(rows.signal[life]),
    sinceEpochNs: epochOf(base, rows.imageSince[image] as EventNs),
    comm: text(rows.imageComm[image]),
    path: text(rows.imagePath[image]),
    argv: argv === undefined ? undefined : (fromWireText('strings', argv) as readonly string[]),
    uid: Number.isNaN(uid) ? undefined : uid,
    container: text(rows.imageContainer[image]),
  };
}
