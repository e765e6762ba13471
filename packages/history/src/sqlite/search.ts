// Lives by what they were: every image of every process is looked at, in the blocks by column
// and among the open lives one by one. Texts are matched once, whoever has them.

import { NO_TASK, type TaskIndex } from '@dendro/engine';
import {
  type EventNs,
  epochOf,
  eventTimeOf,
  fromWireText,
  NO_TASK_ID,
  type TaskId,
  type TimeBase,
} from '@dendro/protocol';
import { LRUCache } from 'lru-cache';
import type { BlockImages } from '../codec/block-images.ts';
import type { BlockTexts, LivesBlock } from '../codec/lives-block.ts';
import type { FoundLife, FoundLives, LifeQuery } from '../history.ts';
import type { SealedBlock } from '../lives/life-sealer.ts';
import type { OpenImage } from '../lives/open-images.ts';
import type { OpenLives } from '../lives/open-lives.ts';
import type { BlockEntry, BlockStore } from './block-store.ts';
import { isAnyOf, type Needle, Needles, pidOf } from './needles.ts';
import { TextIndex } from './text-index.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
const TEXT_IDS_BYTES = 16 * 1024 * 1024;

export interface SearchedEra {
  readonly id: number;
  readonly base: TimeBase;
  readonly beganEpochNs: bigint;
  /** Of the era that is recorded now. */
  readonly open: OpenLives | undefined;
}

/** A match, before anybody knows whether it is among the newest. */
interface Candidate {
  readonly since: number;
  readonly found: () => Found | undefined;
}

type Found = Omit<FoundLife, 'knownFromEpochNs'>;

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

  /** Would one be kept that is not newer than that? */
  mayWant(since: number): boolean {
    return since > this.#floor;
  }

  /** Counts some in that would not be kept. */
  count(some: number): void {
    this.#total += some;
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
  finish(): Found[] {
    this.#cut();
    const lives = new Map<string, Found>();
    for (const { found } of this.#kept) {
      const life = found();
      if (life !== undefined) lives.set(`${life.taskId} ${life.sinceEpochNs}`, life);
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
  /** Is anything asked of these four? */
  readonly isOfTimes: boolean;
  readonly startedAfter: number;
  readonly startedBefore: number;
  readonly endedAfter: number;
  readonly endedBefore: number;
  /** The first text that is asked for, where it is a number. */
  readonly pidOfText: number | undefined;
  /** Tids of the parent are known by its id only: ids of all lives that had that pid. */
  readonly parents: ReadonlySet<number> | undefined;
}

export class LifeSearch {
  readonly #blocks: BlockStore;
  readonly #texts = new TextIndex();
  /** Block id -> index of a text in the block -> its id in `#texts`, 0 where no image has it. */
  readonly #idsOfTexts = new LRUCache<number, TextIds>({
    maxSize: TEXT_IDS_BYTES,
    sizeCalculation: ({ ids }) => ids.byteLength + 64,
  });
  /** Blocks from one id to another are read. */
  #warmFrom = Number.POSITIVE_INFINITY;
  #warmTo = 0;

  constructor(blocks: BlockStore) {
    this.#blocks = blocks;
  }

  /** @param eras the newest first */
  search(query: LifeQuery, eras: readonly SearchedEra[]): FoundLives {
    const limit = Math.min(query.limit ?? DEFAULT_LIMIT, MAX_LIMIT);
    const lives: FoundLife[] = [];
    let total = 0;
    this.#texts.trim();
    const needles = new Needles(query, this.#texts);
    for (const era of eras) {
      const newest = new Newest(limit - lives.length);
      const terms = this.#termsOf(query, era);
      if (era.open !== undefined) this.#searchOpen(era.open, era.base, terms, needles, newest);
      const { entries } = this.#blocks;
      for (let i = entries.length - 1; i >= 0; i--) {
        const entry = entries[i];
        if (entry === undefined || entry.era !== era.id || entry.from > terms.to || entry.to < terms.from) continue;
        this.#searchBlock(entry, era.base, terms, needles, newest);
      }
      for (const life of newest.finish()) {
        const beganBefore = life.startEpochNs < era.beganEpochNs;
        lives.push({ ...life, knownFromEpochNs: beganBefore ? era.beganEpochNs : life.startEpochNs });
      }
      total += newest.total;
    }
    return { lives, total };
  }

  /**
   * Reads what the next search is going to look through, the newest first, so far as there is room for it.
   * @param hasTime is asked after each block
   * @returns whether there is more to read
   */
  warm(eras: readonly SearchedEra[], hasTime: () => boolean): boolean {
    for (const { open } of eras) if (open?.lookUpImages(this.#texts, hasTime)) return true;
    for (let entry = this.#nextCold(); entry !== undefined; entry = this.#nextCold()) {
      const { base } = eras.find(({ id }) => id === entry?.era) ?? {};
      const images = base === undefined ? undefined : this.#blocks.imagesOf(entry, base);
      if (base !== undefined && images !== undefined) this.#textIdsOf(entry, base, images);
      if (!hasTime()) return true;
    }
    return false;
  }

  /** A block that has just been made: what was open is looked through as fast as before. */
  noteSealed(entry: BlockEntry, sealed: SealedBlock, open: OpenLives): void {
    if (this.#texts.isNearlyFull) return;
    const ids = open.textIdsIn(sealed, this.#texts);
    if (ids === undefined) return;
    this.#idsOfTexts.set(entry.id, { generation: this.#texts.generation, ids });
    this.#blocks.keepImages(entry, sealed);
  }

  /** First those that are new, then from the newest of before to older ones. */
  #nextCold(): BlockEntry | undefined {
    if (this.#texts.isNearlyFull) return undefined;
    const { entries } = this.#blocks;
    let next: BlockEntry | undefined;
    for (let i = entries.length - 1; i >= 0 && (entries[i] as BlockEntry).id > this.#warmTo; i--) {
      next = entries[i];
      if (this.#warmTo === 0) break;
    }
    if (next === undefined) next = entries.findLast(({ id }) => id < this.#warmFrom);
    if (next === undefined) return undefined;
    this.#warmTo = Math.max(this.#warmTo, next.id);
    this.#warmFrom = Math.min(this.#warmFrom, next.id);
    return next;
  }

  // hot: runs once per image of all lives
  #searchBlock(entry: BlockEntry, base: TimeBase, terms: Terms, needles: Needles, newest: Newest): void {
    const images = this.#blocks.imagesOf(entry, base);
    const ids = images === undefined ? undefined : this.#textIdsOf(entry, base, images);
    needles.renew();
    if (images === undefined || ids === undefined) return;
    const { query, from, to, parents, pidOfText } = terms;
    const { pid, exitCode, signal, uid } = query;
    if (!needles.look(ids)) return;
    const any = needles.any?.inBlock;
    const [comm, path, argv] = [needles.comm?.inBlock, needles.path?.inBlock, needles.argv?.inBlock];
    const container = needles.container?.inBlock;
    const { and } = needles;
    const isOfLives =
      pid !== undefined ||
      exitCode !== undefined ||
      signal !== undefined ||
      parents !== undefined ||
      from > entry.from ||
      to < entry.to ||
      terms.isOfTimes;
    const mayWant = newest.mayWant(images.newest);
    if (!mayWant && !isOfLives && uid === undefined && needles.only !== undefined) {
      newest.count(needles.only.countIn(images));
      return;
    }
    let rows: LivesBlock | undefined;
    let unwanted = 0;
    for (let image = images.count - 1; image >= 0; image--) {
      if (
        any !== undefined &&
        any[images.argv[image] as number] !== 1 &&
        any[images.comm[image] as number] !== 1 &&
        any[images.path[image] as number] !== 1 &&
        any[images.container[image] as number] !== 1
      ) {
        if (pidOfText === undefined) continue;
        rows ??= this.#blocks.rowsOf(entry, base);
        if (rows?.tid[images.life[image] as number] !== pidOfText) continue;
      }
      if (comm !== undefined && comm[images.comm[image] as number] !== 1) continue;
      if (path !== undefined && path[images.path[image] as number] !== 1) continue;
      if (argv !== undefined && argv[images.argv[image] as number] !== 1) continue;
      if (container !== undefined && container[images.container[image] as number] !== 1) continue;
      if (and.length > 0 && !this.#holdsAll(and, entry, base, images, image)) continue;
      if (uid !== undefined && images.uid[image] !== uid) continue;
      if (isOfLives) {
        rows ??= this.#blocks.rowsOf(entry, base);
        if (rows === undefined) return;
        const life = images.life[image] as number;
        if (pid !== undefined && rows.tid[life] !== pid) continue;
        if (exitCode !== undefined && rows.code[life] !== exitCode) continue;
        if (signal !== undefined && rows.signal[life] !== signal) continue;
        if (parents !== undefined && !parents.has(rows.creator[life] as number)) continue;
        const [start, exit] = [rows.start[life] as number, rows.exit[life] as number];
        if (start > to || exit < from) continue;
        if (terms.isOfTimes && !beganAndEnded(terms, start, exit)) continue;
      }
      if (!mayWant) {
        unwanted++;
        continue;
      }
      const since = images.since[image] as number;
      if (newest.wants(since)) newest.add({ since, found: () => this.#foundIn(entry, base, images, image) });
    }
    newest.count(unwanted);
  }

  #holdsAll(and: readonly Needle[], entry: BlockEntry, base: TimeBase, images: BlockImages, image: number): boolean {
    const { argv, comm, path, container, life } = images;
    const texts = [argv[image], comm[image], path[image], container[image]] as [number, number, number, number];
    return and.every(
      ({ inBlock, pid }) =>
        isAnyOf(inBlock, ...texts) ||
        (pid !== undefined && this.#blocks.rowsOf(entry, base)?.tid[life[image] as number] === pid),
    );
  }

  #textIdsOf(entry: BlockEntry, base: TimeBase, images: BlockImages): Uint32Array | undefined {
    const { generation } = this.#texts;
    const known = this.#idsOfTexts.get(entry.id);
    if (known !== undefined && known.generation === generation) return known.ids;
    const texts = this.#blocks.textsOf(entry, base);
    if (texts === undefined) return undefined;
    const ids = new Uint32Array(texts.count + 1);
    for (const column of [images.comm, images.path, images.argv, images.container]) {
      for (let image = 0; image < images.count; image++) {
        const index = column[image] as number;
        if (index === 0 || ids[index] !== 0) continue;
        const text = texts.textOf(index);
        if (text !== undefined) ids[index] = this.#texts.idOf(text);
      }
    }
    this.#idsOfTexts.set(entry.id, { generation, ids });
    return ids;
  }

  #foundIn(entry: BlockEntry, base: TimeBase, images: BlockImages, image: number): Found | undefined {
    const rows = this.#blocks.rowsOf(entry, base);
    return rows === undefined ? undefined : foundIn(rows, images, this.#blocks.textsOf(entry, base), base, image);
  }

  #termsOf(query: LifeQuery, era: SearchedEra): Terms {
    const { base } = era;
    const time = (epochNs: bigint | undefined, fallback: number) =>
      epochNs === undefined ? fallback : eventTimeOf(base, epochNs);
    return {
      query,
      from: time(query.fromEpochNs, Number.NEGATIVE_INFINITY),
      to: time(query.toEpochNs, Number.POSITIVE_INFINITY),
      isOfTimes: [
        query.startedAfterEpochNs,
        query.startedBeforeEpochNs,
        query.endedAfterEpochNs,
        query.endedBeforeEpochNs,
      ].some((asked) => asked !== undefined),
      startedAfter: time(query.startedAfterEpochNs, Number.NEGATIVE_INFINITY),
      startedBefore: time(query.startedBeforeEpochNs, Number.POSITIVE_INFINITY),
      endedAfter: time(query.endedAfterEpochNs, Number.NEGATIVE_INFINITY),
      // Who lives has not ended at any time.
      endedBefore: time(
        query.endedBeforeEpochNs,
        query.endedAfterEpochNs === undefined ? Number.POSITIVE_INFINITY : Number.MAX_VALUE,
      ),
      pidOfText: pidOf(query.text),
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

  // hot: runs once per image of all open lives
  #searchOpen(open: OpenLives, base: TimeBase, terms: Terms, needles: Needles, newest: Newest): void {
    const { tree } = open;
    open.lookUpImages(this.#texts, () => true);
    needles.renew();
    const any = needles.any?.hits;
    const [comm, path, argv] = [needles.comm?.hits, needles.path?.hits, needles.argv?.hits];
    const container = needles.container?.hits;
    const { and } = needles;
    const { uid } = terms.query;
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task) || tree.isThread(task)) continue;
      for (const image of open.imagesOf(task)) {
        if (
          any !== undefined &&
          any[image.argv.id] !== 1 &&
          any[image.comm.id] !== 1 &&
          any[image.path.id] !== 1 &&
          any[image.container.id] !== 1 &&
          terms.pidOfText !== tree.pidOf(task)
        ) {
          continue;
        }
        if (comm !== undefined && comm[image.comm.id] !== 1) continue;
        if (path !== undefined && path[image.path.id] !== 1) continue;
        if (argv !== undefined && argv[image.argv.id] !== 1) continue;
        if (container !== undefined && container[image.container.id] !== 1) continue;
        if (
          !and.every(
            ({ hits, pid }) =>
              isAnyOf(hits, image.argv.id, image.comm.id, image.path.id, image.container.id) ||
              pid === tree.pidOf(task),
          )
        )
          continue;
        if (uid !== undefined && image.uid !== uid) continue;
        if (!isOpenLifeMeant(tree, task, terms)) break;
        const { since } = image;
        if (newest.wants(since)) newest.add({ since, found: () => foundOpen(tree, task, image, base) });
      }
    }
  }
}

/** Whatever is asked of a life, and not of what it was at some time. */
function isOpenLifeMeant(tree: OpenLives['tree'], task: TaskIndex, terms: Terms): boolean {
  const { pid, exitCode, signal } = terms.query;
  const [start, end] = [tree.startOf(task), tree.exitOf(task)];
  if (start > terms.to || end < terms.from) return false;
  if (terms.isOfTimes && !beganAndEnded(terms, start, end)) return false;
  if (pid !== undefined && tree.pidOf(task) !== pid) return false;
  if (exitCode !== undefined && tree.exitCodeOf(task) !== exitCode) return false;
  if (signal !== undefined && tree.exitSignalOf(task) !== signal) return false;
  return terms.parents === undefined || terms.parents.has(idOf(tree, tree.creatorOf(task)));
}

function idOf(tree: OpenLives['tree'], task: TaskIndex): number {
  return task === NO_TASK ? NO_TASK_ID : tree.taskIdOf(task);
}

function foundOpen(tree: OpenLives['tree'], task: TaskIndex, image: OpenImage, base: TimeBase): Found {
  const end = tree.exitOf(task);
  const hasEnded = end !== Number.POSITIVE_INFINITY;
  const creator = tree.creatorOf(task);
  const argv = image.argv.text;
  return {
    taskId: tree.taskIdOf(task),
    pid: tree.pidOf(task),
    creatorTaskId: creator === NO_TASK ? undefined : tree.taskIdOf(creator),
    startEpochNs: epochOf(base, tree.startOf(task)),
    endEpochNs: hasEnded ? epochOf(base, end) : undefined,
    exitCode: hasEnded ? tree.exitCodeOf(task) : undefined,
    signal: hasEnded ? tree.exitSignalOf(task) : undefined,
    sinceEpochNs: epochOf(base, image.since),
    comm: image.comm.text,
    path: image.path.text,
    argv: argv === undefined ? undefined : (fromWireText('strings', argv) as readonly string[]),
    uid: image.uid,
    container: image.container.text,
  };
}

function beganAndEnded(terms: Terms, start: number, end: number): boolean {
  const { startedAfter, startedBefore, endedAfter, endedBefore } = terms;
  return start >= startedAfter && start <= startedBefore && end >= endedAfter && end <= endedBefore;
}

interface TextIds {
  readonly generation: number;
  readonly ids: Uint32Array;
}

function foundIn(
  rows: LivesBlock,
  images: BlockImages,
  texts: BlockTexts | undefined,
  base: TimeBase,
  image: number,
): Found {
  const life = images.life[image] as number;
  const text = (index: number | undefined) => texts?.textOf(index ?? 0);
  const argv = text(images.argv[image]);
  const exit = rows.exit[life] as EventNs;
  const creator = rows.creator[life] as number;
  const uid = images.uid[image] as number;
  const known = (value: number | undefined) => (value === undefined || value < 0 ? undefined : value);
  return {
    taskId: rows.id[life] as TaskId,
    pid: rows.tid[life] as number,
    creatorTaskId: creator === 0 ? undefined : (creator as TaskId),
    startEpochNs: epochOf(base, rows.start[life] as EventNs),
    endEpochNs: exit === Number.POSITIVE_INFINITY ? undefined : epochOf(base, exit),
    exitCode: known(rows.code[life]),
    signal: known(rows.signal[life]),
    sinceEpochNs: epochOf(base, images.since[image] as EventNs),
    comm: text(images.comm[image]),
    path: text(images.path[image]),
    argv: argv === undefined ? undefined : (fromWireText('strings', argv) as readonly string[]),
    uid: Number.isNaN(uid) ? undefined : uid,
    container: text(images.container[image]),
  };
}
