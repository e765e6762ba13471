// What a field said as of an instant: the rules of reading, in one place
// (SPEC.md: AS1 to AS5, AS9, EX2, EN4, FA6, OB2, OB3).
//
// The entry that holds is found in one walk over the changelog of the task, from
// the newest entry down. What follows decides:
//
//   own       the newest entry by then; what was said or seen of this image holds
//   next      the first entry after it: a sighting goes back to the beginning of its
//             image, over what was concluded, is not known, or was of an earlier image
//   inherited the value of the creator as of the birth, or of the process of a thread
//
// An image begins with an exec. Execs leave an entry of `argv` that is not a
// sighting.

import { AUTHORITY, type EventNs, FIELD_COUNT, FIELDS, fieldName, isTextField, TASK_FLAG } from '@dendro/protocol';
import { type ChangelogTable, ENTRY, type EntryIndex, NO_ENTRY } from './changelog-table.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { NO_TEXT } from './string-table.ts';
import type { TaskTable } from './task-table.ts';

/** The answer where the entry that held has been let go of. */
export const TRIMMED: EntryIndex = -2;

const { since: SINCE, value: VALUE, next: NEXT, kind: KIND, integers: INTEGERS, doubles: DOUBLES } = ENTRY;
const COMM = FIELDS.comm.id;
const ARGV = FIELDS.argv.id;
const NEVER = Number.POSITIVE_INFINITY as EventNs;
const ALWAYS = Number.NEGATIVE_INFINITY as EventNs;
/** A rename so shortly before an exec is part of it: the kernel names the task before it tells of the exec. */
const RENAME_SLACK_NS = 100_000_000;
/** Ancestors up to which a value is looked for anew each time; what comes from further up is kept until a fact changes. */
const NEAR = 64;
/** Ends that are told of one process together are so far apart at most. */
const END_SLACK_NS = 1_000_000;
/** Two tellings of one exec are so far apart at most. */
const EXEC_SLACK_NS = 100_000;

const bits = (names: readonly (keyof typeof FIELDS)[]) => names.reduce((sum, name) => sum | (1 << FIELDS[name].id), 0);
/** An exec ends what was known of these. */
const OF_IMAGE = bits(['executable', 'argv', 'interpreter', 'interp']);
/** Of these, what is seen after an exec goes back to it, before what was known of the image before. */
const ENDS = OF_IMAGE | bits(['comm']);
/** These stay as they are for a whole life. */
const OF_LIFE = bits(['nsTid', 'nsPid', 'pidNs']);
const INHERITED = bits(namesWhere((name) => FIELDS[name].inherited));
const IS_TEXT = bits(namesWhere((name) => isTextField(FIELDS[name].type)));
const EVERY = bits(namesWhere((name) => name !== 'parent'));

export class FieldReader {
  /** Field id -> entry: the answer of `findAll`, for the fields whose bit it gave. */
  readonly found = new Int32Array(FIELD_COUNT);
  readonly #tasks: TaskTable;
  readonly #changelogs: ChangelogTable;
  // Of a walk for all fields, by field id.
  readonly #own = new Int32Array(FIELD_COUNT); // the newest entry by then
  readonly #next = new Int32Array(FIELD_COUNT); // the first one after it
  readonly #fallback = new Int32Array(FIELD_COUNT); // the sighting that holds where nothing is inherited
  /**
   * Field id -> TaskIndex -> the entry that it inherits at its start, or NO_ENTRY or TRIMMED, plus KEPT; ENDLESS; 0 not
   * looked up yet. Of long chains only. Valid until the next change of a fact.
   */
  readonly #births: (Int32Array | undefined)[] = [];

  constructor(tasks: TaskTable, changelogs: ChangelogTable) {
    this.#tasks = tasks;
    this.#changelogs = changelogs;
  }

  /** When a task ended, said or concluded; Infinity while it lives. [EN4] */
  endOf(task: TaskIndex): EventNs {
    const end = this.#tasks.exitOf(task);
    if ((this.#tasks.flagsOf(task) & TASK_FLAG.thread) === 0) return end;
    const leader = this.#tasks.leaderOf(task);
    if (leader === NO_TASK || leader === task) return end;
    const start = this.#tasks.startOf(task);
    const endOfAll = Math.min(this.#tasks.exitOf(leader), this.nextExecAfter(leader, start));
    const concluded = Math.max(start, endOfAll) as EventNs;
    if (end === NEVER || this.#tasks.exitAuthorityOf(task) === AUTHORITY.inferred)
      return Math.min(end, concluded) as EventNs;
    // What was told of an end long after it was told of another life, or in another way of the same moment.
    return concluded + END_SLACK_NS < end ? concluded : end;
  }

  /**
   * Can an exec that was let go of have ended a thread before `at`? Its process has lost entries of argv that were newer
   * than the thread, perhaps. [FA6]
   */
  #mayHaveEnded(task: TaskIndex, at: EventNs): boolean {
    if (!this.#changelogs.hasTrimmed || (this.#tasks.flagsOf(task) & TASK_FLAG.thread) === 0) return false;
    const leader = this.#tasks.leaderOf(task);
    const start = this.#tasks.startOf(task);
    if (at <= start || leader === NO_TASK || (this.#changelogs.trimmedOf(leader) & (1 << ARGV)) === 0) return false;
    const { i32, f64 } = this.#changelogs.rows;
    let oldest = NEVER;
    for (let entry = this.#changelogs.headOf(leader); entry !== NO_ENTRY; entry = i32[entry * INTEGERS + NEXT]!) {
      if ((i32[entry * INTEGERS + KIND]! & ENTRY.fieldBits) === ARGV) oldest = f64[entry * DOUBLES + SINCE]! as EventNs;
    }
    return start < oldest;
  }

  /** Time of the first exec after `at`; Infinity when there was none. */
  nextExecAfter(task: TaskIndex, at: EventNs): EventNs {
    if ((this.#changelogs.fieldsOf(task) & (1 << ARGV)) === 0) return NEVER;
    const { i32, f64 } = this.#changelogs.rows;
    let next = NEVER;
    for (let entry = this.#changelogs.headOf(task); entry !== NO_ENTRY; entry = i32[entry * INTEGERS + NEXT]!) {
      const since = f64[entry * DOUBLES + SINCE]!;
      if (since <= at) break;
      if (isExec(i32[entry * INTEGERS + KIND]!)) next = since as EventNs;
    }
    return next;
  }

  /** Time of the last exec by `at`; undefined where none was seen. Of two tellings of one exec, the earlier. [EX5] */
  execTimeAt(task: TaskIndex, at: EventNs): EventNs | undefined {
    if ((this.#changelogs.fieldsOf(task) & (1 << ARGV)) === 0) return undefined;
    const { i32, f64 } = this.#changelogs.rows;
    const limit = Math.min(at, this.endOf(task));
    let time: EventNs | undefined;
    let value = NO_TEXT;
    for (let entry = this.#changelogs.headOf(task); entry !== NO_ENTRY; entry = i32[entry * INTEGERS + NEXT]!) {
      const since = f64[entry * DOUBLES + SINCE]!;
      if (time !== undefined && time - since >= EXEC_SLACK_NS) break;
      if (since > limit || !isExec(i32[entry * INTEGERS + KIND]!)) continue;
      if (time !== undefined && f64[entry * DOUBLES + VALUE] !== value) break;
      time = since as EventNs;
      value = f64[entry * DOUBLES + VALUE]!;
    }
    return time;
  }

  /** To be called when a fact has changed. */
  noteChange(): void {
    if (this.#births.length > 0) this.#births.length = 0;
  }

  /**
   * The entry that holds at `at`, perhaps another task's; NO_ENTRY or TRIMMED. It can say "not known".
   * @param maxSteps ancestors that are looked at; NO_ENTRY also where it comes from further up
   */
  find(task: TaskIndex, field: number, at: EventNs, maxSteps = NEAR): EntryIndex {
    if (this.#changelogs.countOf(field) === 0) return NO_ENTRY;
    const births = this.#births[field];
    let from = task;
    let time = at;
    let fallback: EntryIndex = NO_ENTRY;
    for (let steps = 0; steps <= maxSteps; steps++) {
      const limit = Math.min(time, this.endOf(from)) as EventNs;
      const own = this.#answerOf(from, field, limit);
      if (own >= 0) return this.#either(own, fallback);
      if (own === TRIMMED) return TRIMMED;
      if (own === BLOCKED) return fallback;
      if (own !== NO_ENTRY) fallback = own - FALLBACK;
      const kept = births?.[from] ?? 0;
      if (kept !== 0 && limit >= this.#tasks.startOf(from)) {
        return kept === ENDLESS ? this.#findFar(task, field, at) : this.#either(kept - KEPT, fallback);
      }
      time = this.#isOfProcess(from, field) ? limit : (Math.min(limit, this.#tasks.startOf(from)) as EventNs);
      from = this.#heirOf(from, field);
      if (from === NO_TASK) return fallback;
    }
    return maxSteps < NEAR ? fallback : this.#findFar(task, field, at);
  }

  /**
   * As `find`, from however far up; keeps what those on the way inherit, or reading every task of a long chain would walk
   * the whole way up for each. Facts from elsewhere can lead in a ring, or to ever younger creators: then nothing is
   * inherited.
   */
  #findFar(task: TaskIndex, field: number, at: EventNs): EntryIndex {
    while (this.#births.length <= field) this.#births.push(undefined);
    this.#births[field] ??= new Int32Array(this.#tasks.length);
    const births = this.#births[field]!;
    const passed: TaskIndex[] = []; // or NO_TASK: what it inherits is not that of its birth
    const fallbacks: EntryIndex[] = [];
    let answer: EntryIndex = NO_ENTRY;
    let isEndless = false;
    let unborn = 0; // so many in a row
    let [mark, markedAt] = [NO_TASK, at]; // somebody further down: who is met there again is in a ring
    for (let from = task, time = at; from !== NO_TASK && !isEndless; from = this.#heirOf(from, field)) {
      const limit = Math.min(time, this.endOf(from)) as EventNs;
      const own = this.#answerOf(from, field, limit);
      if (own >= 0 || own === TRIMMED || own === BLOCKED) {
        answer = own === BLOCKED ? NO_ENTRY : own;
        break;
      }
      const start = this.#tasks.startOf(from);
      const isOfBirth = limit >= start && !this.#isOfProcess(from, field);
      const kept = isOfBirth ? births[from]! : 0;
      passed.push(isOfBirth ? from : NO_TASK);
      fallbacks.push(own === NO_ENTRY ? NO_ENTRY : own - FALLBACK);
      unborn = isOfBirth ? 0 : unborn + 1;
      isEndless = kept === ENDLESS || unborn > NEAR || (from === mark && limit === markedAt);
      if (kept !== 0 && !isEndless) {
        answer = kept - KEPT;
        break;
      }
      if ((passed.length & (passed.length - 1)) === 0) [mark, markedAt] = [from, limit];
      time = this.#isOfProcess(from, field) ? limit : (Math.min(limit, start) as EventNs);
    }
    if (isEndless) {
      for (const one of passed) if (one !== NO_TASK) births[one] = ENDLESS;
      return fallbacks[0]!;
    }
    for (let i = passed.length - 1; i >= 0; i--) {
      if (passed[i] !== NO_TASK) births[passed[i]!] = answer + KEPT;
      answer = this.#either(answer, fallbacks[i]!);
    }
    return answer;
  }

  /** What `#findOwn` answers. */
  #answerOf(task: TaskIndex, field: number, limit: EventNs): number {
    if (this.#mayHaveEnded(task, limit)) return TRIMMED;
    const entries = this.#changelogs.fieldsOf(task) | this.#changelogs.trimmedOf(task);
    return (entries & ((1 << field) | (1 << ARGV))) === 0 ? NO_ENTRY : this.#findOwn(task, field, limit);
  }

  /** What is inherited, or a sighting for want of anything better. */
  #either(inherited: EntryIndex, fallback: EntryIndex): EntryIndex {
    if (fallback === NO_ENTRY || inherited === TRIMMED) return inherited;
    return inherited >= 0 && this.#isKnown(inherited) ? inherited : fallback;
  }

  /** From whom it has what it has not itself: its process, or its creator as of its birth; NO_TASK where from nobody. */
  #heirOf(task: TaskIndex, field: number): TaskIndex {
    if ((INHERITED & (1 << field)) === 0) return NO_TASK;
    return this.#isOfProcess(task, field) ? this.#tasks.leaderOf(task) : this.#tasks.creatorOf(task);
  }

  #isOfProcess(task: TaskIndex, field: number): boolean {
    if ((this.#tasks.flagsOf(task) & TASK_FLAG.thread) === 0) return false;
    return field !== COMM || this.#tasks.creatorOf(task) === NO_TASK;
  }

  /**
   * Does the task itself say so already: is its newest entry by `at`, of the same image where that matters, one that was
   * said or seen, with this value? Of what stays for a whole life any entry will do.
   */
  says(task: TaskIndex, field: number, at: EventNs, value: number): boolean {
    const bit = 1 << field;
    if ((this.#changelogs.fieldsOf(task) & bit) === 0) return false;
    const { i32, f64 } = this.#changelogs.rows;
    let image = ALWAYS;
    for (let entry = this.#changelogs.headOf(task); entry !== NO_ENTRY; entry = i32[entry * INTEGERS + NEXT]!) {
      const kind = i32[entry * INTEGERS + KIND]!;
      const since = f64[entry * DOUBLES + SINCE]! as EventNs;
      if (since <= at && image === ALWAYS && isExec(kind)) image = since;
      if ((kind & ENTRY.fieldBits) !== field) continue;
      const isSame = kind >> ENTRY.authorityAt >= AUTHORITY.sighting && f64[entry * DOUBLES + VALUE] === value;
      if ((OF_LIFE & bit) !== 0) {
        if (isSame) return true;
      } else if (since <= at) return isSame && ((ENDS & bit) === 0 || since >= image);
    }
    return false;
  }

  /**
   * Looks up all fields at once, and puts into `found` what `find` gives for each.
   * @returns bits of the fields that have an entry
   */
  findAll(task: TaskIndex, at: EventNs): number {
    let limit = Math.min(at, this.endOf(task)) as EventNs;
    this.#missing = this.#changelogs.fieldsInUse & EVERY;
    this.#known = 0;
    this.#withFallback = 0;
    if (this.#mayHaveEnded(task, limit)) return 0;
    this.#findAllOwn(task, limit);
    this.#missing &= INHERITED;
    let from = task;
    for (let steps = 0; this.#missing !== 0; steps++) {
      if (steps > NEAR) {
        this.#findEach(this.#missing, task, at);
        break;
      }
      const creator = this.#tasks.creatorOf(from);
      if ((this.#tasks.flagsOf(from) & TASK_FLAG.thread) !== 0) {
        // Its name is the one thing that it does not have from its process.
        if (creator !== NO_TASK) this.#findEach(this.#missing & (1 << COMM), task, at);
        from = this.#tasks.leaderOf(from);
      } else {
        limit = Math.min(limit, this.#tasks.startOf(from)) as EventNs;
        from = creator;
      }
      if (from === NO_TASK) break;
      limit = Math.min(limit, this.endOf(from)) as EventNs;
      if (this.#mayHaveEnded(from, limit)) {
        this.#withFallback &= ~this.#missing;
        break;
      }
      this.#findAllOwn(from, limit);
    }
    const rest = this.#withFallback & ~this.#known;
    for (let field = 1; rest >> field !== 0; field++) {
      if ((rest & (1 << field)) !== 0) this.found[field] = this.#fallback[field]!;
    }
    return this.#known | rest;
  }

  // State of `findAll`: bits of the fields that are still looked for, of those that have an answer, and of those that
  // have a sighting for want of anything better.
  #missing = 0;
  #known = 0;
  #withFallback = 0;

  /** Looks some of the missing fields up one by one. */
  #findEach(fields: number, task: TaskIndex, at: EventNs): void {
    this.#missing &= ~fields;
    this.#withFallback &= ~fields;
    for (let field = 1; fields >> field !== 0; field++) {
      const entry = (fields & (1 << field)) === 0 ? NO_ENTRY : this.find(task, field, at);
      if (entry < 0) continue;
      this.found[field] = entry;
      this.#known |= 1 << field;
    }
  }

  /** Takes an answer from another list than the task's own, or "not known" that a sighting of the task goes before. */
  #answer(field: number, entry: EntryIndex): void {
    const bit = 1 << field;
    if ((this.#withFallback & bit) !== 0 && !this.#isKnown(entry)) return;
    this.found[field] = entry;
    this.#known |= bit;
  }

  /**
   * The task's own answer as of `limit`: an entry, TRIMMED, BLOCKED where it is not known and nothing is inherited,
   * NO_ENTRY where it has none, FALLBACK + entry where what is inherited goes first.
   */
  #findOwn(task: TaskIndex, field: number, limit: EventNs): number {
    const { i32, f64 } = this.#changelogs.rows;
    const bit = 1 << field;
    const isOfLife = (OF_LIFE & bit) !== 0;
    const trimmed = this.#changelogs.trimmedOf(task);
    // Until an exec is found that was there by then, there can have been one that was let go of, but not after an
    // entry of argv.
    let isUnsure = !isOfLife && field !== ARGV && (trimmed & (1 << ARGV)) !== 0;
    let own = NO_ENTRY;
    let next = NO_ENTRY;
    let nextExec = NEVER;
    let image = ALWAYS;
    for (let entry = this.#changelogs.headOf(task); entry !== NO_ENTRY; entry = i32[entry * INTEGERS + NEXT]!) {
      const kind = i32[entry * INTEGERS + KIND]!;
      const since = f64[entry * DOUBLES + SINCE]! as EventNs;
      if (since > limit) {
        if ((kind & ENTRY.fieldBits) === field) next = entry;
        if (isExec(kind)) nextExec = since;
        continue;
      }
      if (isExec(kind)) {
        if (own === NO_ENTRY && image === ALWAYS) image = since;
        isUnsure = false;
      }
      // An exec further down, that is kept, is older than it and newer than all that were let go of.
      if (own === NO_ENTRY && (kind & ENTRY.fieldBits) === field) own = entry;
      if (own !== NO_ENTRY && !isUnsure) break;
    }
    if (isUnsure || (own === NO_ENTRY && (trimmed & bit) !== 0)) return TRIMMED;
    if (isOfLife) {
      image = ALWAYS;
      nextExec = NEVER;
    }
    const isOld =
      own !== NO_ENTRY &&
      (ENDS & bit) !== 0 &&
      f64[own * DOUBLES + SINCE]! < image - (field === COMM ? RENAME_SLACK_NS : 0);
    if (own !== NO_ENTRY && !isOld && this.#isSettled(own)) return own;
    if (next !== NO_ENTRY && this.#goesBack(task, next, nextExec)) {
      return own === NO_ENTRY && image === ALWAYS ? FALLBACK + next : next;
    }
    const isEnded = (OF_IMAGE & bit) !== 0 && (isOld || (own === NO_ENTRY && image !== ALWAYS));
    return isEnded ? BLOCKED : own;
  }

  // hot: runs once per answer and ancestor. The same as #findOwn, for every field that is missing, in one walk.
  #findAllOwn(task: TaskIndex, limit: EventNs): void {
    const { i32, f64 } = this.#changelogs.rows;
    const trimmed = this.#changelogs.trimmedOf(task);
    const wanted = this.#missing;
    const withEntries = this.#changelogs.fieldsOf(task);
    let isUnsure = (trimmed & (1 << ARGV)) !== 0;
    let unsure = 0; // fields whose own entry came while it was not known which image it is of
    let old = 0; // fields whose own entry is of an earlier image
    let own = 0;
    let next = 0;
    let nextExec = NEVER;
    let image = ALWAYS;
    let sought = wanted & withEntries;
    if ((withEntries & (1 << ARGV)) !== 0) sought |= 1 << ARGV; // says where the image begins
    for (let entry = this.#changelogs.headOf(task); entry !== NO_ENTRY && sought !== 0; ) {
      const kind = i32[entry * INTEGERS + KIND]!;
      const since = f64[entry * DOUBLES + SINCE]! as EventNs;
      const field = kind & ENTRY.fieldBits;
      const bit = 1 << field;
      if (since > limit) {
        this.#next[field] = entry;
        next |= bit;
        if (isExec(kind)) nextExec = since;
      } else {
        if (isExec(kind) && image === ALWAYS) {
          image = since;
          isUnsure = false;
          unsure = 0;
        }
        if ((own & bit) === 0) {
          own |= bit;
          this.#own[field] = entry;
          if (isUnsure && field !== ARGV) unsure |= bit;
          if (since < image - (field === COMM ? RENAME_SLACK_NS : 0)) old |= bit;
          if (field !== ARGV || image !== ALWAYS) sought &= ~bit;
        } else if (field === ARGV && image !== ALWAYS) sought &= ~bit;
      }
      entry = i32[entry * INTEGERS + NEXT]!;
    }
    own &= wanted;
    let lost = (unsure & ~OF_LIFE) | (trimmed & ~own & wanted);
    if (isUnsure) lost |= wanted & ~own & ~OF_LIFE;
    this.#missing &= ~(own | lost);
    this.#withFallback &= ~lost;
    own &= ~lost;
    for (let field = 1; own >> field !== 0; field++) {
      const bit = 1 << field;
      if ((own & bit) === 0) continue;
      const entry = this.#own[field]!;
      const isOld = (old & bit & ENDS) !== 0;
      if (!isOld && this.#isSettled(entry)) this.#answer(field, entry);
      else if ((next & bit) !== 0 && this.#goesBack(task, this.#next[field]!, (OF_LIFE & bit) === 0 ? nextExec : NEVER))
        this.#answer(field, this.#next[field]!);
      else if (!isOld || (OF_IMAGE & bit) === 0) this.#answer(field, entry);
    }
    // Fields without an own entry by then.
    const rest = wanted & ~own & ~lost;
    if (image !== ALWAYS) this.#missing &= ~OF_IMAGE;
    const sightings = rest & next;
    for (let field = 1; sightings >> field !== 0; field++) {
      const bit = 1 << field;
      if ((sightings & bit) === 0) continue;
      const entry = this.#next[field]!;
      if (!this.#goesBack(task, entry, (OF_LIFE & bit) === 0 ? nextExec : NEVER)) continue;
      if (image !== ALWAYS && (OF_LIFE & bit) === 0) {
        this.#missing &= ~bit;
        this.#answer(field, entry);
      } else {
        this.#fallback[field] = entry;
        this.#withFallback |= bit;
      }
    }
  }

  /** Was it said or seen, and is it something that is known? */
  #isSettled(entry: EntryIndex): boolean {
    return this.#changelogs.authorityOf(entry) >= AUTHORITY.sighting && this.#isKnown(entry);
  }

  #isKnown(entry: EntryIndex): boolean {
    const value = this.#changelogs.valueOf(entry);
    return (IS_TEXT & (1 << this.#changelogs.fieldOf(entry))) !== 0 ? value !== NO_TEXT : !Number.isNaN(value);
  }

  /** Is an entry a sighting of the image that runs until `nextExec`, while the task lived? */
  #goesBack(task: TaskIndex, entry: EntryIndex, nextExec: EventNs): boolean {
    if (this.#changelogs.authorityOf(entry) !== AUTHORITY.sighting || !this.#isKnown(entry)) return false;
    // What stays for a whole life can be seen after it too.
    if ((OF_LIFE & (1 << this.#changelogs.fieldOf(entry))) !== 0) return true;
    const since = this.#changelogs.sinceOf(entry);
    return since < nextExec && since <= this.endOf(task);
  }
}

/** What is kept of births: above what it is added to, and for who descends from a ring. */
const KEPT = 4;
const ENDLESS = 1;
/** As an answer of `#findOwn`: not known, and not inherited either. */
const BLOCKED = -3;
/** Added to an entry, as an answer of `#findOwn`: it holds if nothing is inherited. Below every other answer. */
const FALLBACK = -0x4000_0000;

function isExec(kind: number): boolean {
  return (kind & ENTRY.fieldBits) === ARGV && kind >> ENTRY.authorityAt !== AUTHORITY.sighting;
}

function namesWhere(holds: (name: keyof typeof FIELDS) => boolean): (keyof typeof FIELDS)[] {
  return Array.from({ length: FIELD_COUNT }, (_, id) => fieldName(id)).filter(
    (name) => name !== undefined && holds(name),
  ) as (keyof typeof FIELDS)[];
}
