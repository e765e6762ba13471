// The usual line of Tracee, read from its bytes: only what the tree needs is
// made of it. What is not usual is left to the reader of parsed JSON
// (context.ts), so this one need not know every form, but must never read
// another meaning.
//
// It can take a line that is broken in a part that it passes over, as long as
// all braces and quotes match; that line is then what its good parts say.

import type { EventNs, TimeBase } from '@dendro/protocol';
import { ARGS, type Arg, type EventName, MOST_ARGS } from './args.ts';
import type { ArgValue, Context } from './context.ts';
import { keyOf, LineReader } from './line-reader.ts';

const KEY = {
  eventName: keyOf('eventName'),
  name: keyOf('name'),
  timestamp: keyOf('timestamp'),
  hostThreadId: keyOf('hostThreadId'),
  hostProcessId: keyOf('hostProcessId'),
  hostParentProcessId: keyOf('hostParentProcessId'),
  threadId: keyOf('threadId'),
  processId: keyOf('processId'),
  pidNamespace: keyOf('pidNamespace'),
  threadStartTime: keyOf('threadStartTime'),
  processName: keyOf('processName'),
  userId: keyOf('userId'),
  container: keyOf('container'),
  containerId: keyOf('containerId'),
  syscall: keyOf('syscall'),
  args: keyOf('args'),
  workload: keyOf('workload'),
  data: keyOf('data'),
  process: keyOf('process'),
  thread: keyOf('thread'),
  ancestors: keyOf('ancestors'),
  realUser: keyOf('real_user'),
  id: keyOf('id'),
  hostPid: keyOf('host_pid'),
  hostTid: keyOf('host_tid'),
  pid: keyOf('pid'),
  tid: keyOf('tid'),
  startTime: keyOf('start_time'),
  value: keyOf('value'),
  strArray: keyOf('str_array'),
} as const;

/** Key of an argument -> its place. */
type ArgsByKey = ReadonlyMap<number, number>;
const ARGS_BY_KEY: Readonly<Record<EventName, ArgsByKey>> = {
  sched_process_fork: byKey(ARGS.sched_process_fork),
  sched_process_exec: byKey(ARGS.sched_process_exec),
  sched_process_exit: byKey(ARGS.sched_process_exit),
  task_rename: byKey(ARGS.task_rename),
};

// One bit for each thing that comes once: a key that comes twice is unusual.
const SAW = {
  name: 1,
  timestamp: 2,
  tid: 4,
  pid: 8,
  ppid: 16,
  args: 32,
  container: 64,
  workload: 128,
  legacyMember: 256,
  process: 512,
  thread: 1024,
  ancestors: 2048,
} as const;
const NEEDED = SAW.name | SAW.timestamp | SAW.tid | SAW.pid;

/** What is being read of a line. One for all lines: the events are made from it at once. */
class Reading {
  name: EventName = 'task_rename';
  at = 0 as EventNs;
  tid = 0;
  pid = 0;
  ppid = 0;
  nsTid: number | undefined;
  nsPid: number | undefined;
  pidNs: number | undefined;
  start: EventNs | undefined;
  comm: string | undefined;
  uid: number | undefined;
  container: string | undefined;
  syscall: string | undefined;
  readonly args: ArgValue[] = new Array<ArgValue>(MOST_ARGS).fill(undefined);

  clear(): void {
    this.ppid = 0;
    this.nsTid = undefined;
    this.nsPid = undefined;
    this.pidNs = undefined;
    this.start = undefined;
    this.comm = undefined;
    this.uid = undefined;
    this.container = undefined;
    this.syscall = undefined;
    this.args.fill(undefined);
  }
}

export class Scanner {
  readonly #line = new LineReader();
  readonly #reading = new Reading();
  #saw = 0;
  #isLegacy = false;
  #isOther = false;

  /**
   * @returns the event, valid until the next call; 'not-a-lifecycle-event'; or undefined for a line that only a full
   * parser can judge
   */
  scan(bytes: Uint8Array, from: number, end: number, base: TimeBase): Context | 'not-a-lifecycle-event' | undefined {
    const line = this.#line;
    line.open(bytes, from, end, base);
    if (!line.endsWithBrace) return undefined;
    this.#saw = 0;
    this.#isOther = false;
    this.#reading.clear();
    if (!line.enterObject()) return undefined;
    do this.#member(line.key());
    while (!this.#isOther && line.hasMore());
    if (line.isUnusual || line.isPastEnd) return undefined;
    if (this.#isOther) return 'not-a-lifecycle-event';
    return line.isAtEnd && this.#isWhole ? this.#reading : undefined;
  }

  get #isWhole(): boolean {
    if ((this.#saw & NEEDED) !== NEEDED) return false;
    // Members of the other dialect mean nothing.
    if (!this.#isLegacy) return (this.#saw & SAW.legacyMember) === 0;
    return (this.#saw & (SAW.ppid | SAW.workload)) === SAW.ppid;
  }

  #member(key: number): void {
    const line = this.#line;
    switch (key) {
      case KEY.timestamp:
        this.#once(SAW.timestamp);
        this.#timestamp();
        break;
      case KEY.eventName:
        this.#isLegacy = true;
        this.#name();
        break;
      case KEY.name:
        this.#isLegacy = false;
        this.#name();
        break;
      case KEY.workload:
        this.#once(SAW.workload);
        this.#workload();
        break;
      case KEY.args:
        this.#once(SAW.args);
        if (this.#isLegacy) this.#legacyArgs();
        else line.isUnusual = true; // before the name of the event, or in the other dialect
        break;
      case KEY.data:
        this.#once(SAW.args);
        if (this.#isLegacy) line.isUnusual = true;
        else this.#data();
        break;
      default:
        this.#legacyMember(key);
    }
  }

  #legacyMember(key: number): void {
    const line = this.#line;
    const reading = this.#reading;
    switch (key) {
      case KEY.hostThreadId:
        this.#once(SAW.tid);
        reading.tid = line.taskNumber();
        break;
      case KEY.hostProcessId:
        this.#once(SAW.pid);
        reading.pid = line.taskNumber();
        break;
      case KEY.hostParentProcessId:
        this.#once(SAW.ppid);
        reading.ppid = line.taskNumber();
        break;
      case KEY.threadId:
        reading.nsTid = line.taskNumber();
        break;
      case KEY.processId:
        reading.nsPid = line.taskNumber();
        break;
      case KEY.pidNamespace:
        reading.pidNs = line.uint32() || undefined;
        break;
      case KEY.threadStartTime:
        reading.start = line.time();
        break;
      case KEY.processName:
        reading.comm = line.text();
        break;
      case KEY.userId:
        reading.uid = line.uint32();
        break;
      case KEY.containerId:
        reading.container ??= line.text() || undefined;
        break;
      case KEY.container:
        this.#once(SAW.container);
        this.#container();
        break;
      case KEY.syscall:
        reading.syscall = line.text();
        break;
      default:
        line.skip();
        return;
    }
    this.#saw |= SAW.legacyMember;
  }

  #once(bit: number): void {
    if ((this.#saw & bit) !== 0) this.#line.isUnusual = true;
    this.#saw |= bit;
  }

  #timestamp(): void {
    const at = this.#line.time();
    if (at === undefined) this.#line.isUnusual = true;
    else this.#reading.at = at;
  }

  // Of most lines this is all that has to be read.
  #name(): void {
    this.#once(SAW.name);
    const name = this.#line.text();
    if (Object.hasOwn(ARGS, name)) this.#reading.name = name as EventName;
    else this.#isOther = !this.#line.isUnusual;
  }

  #container(): void {
    const line = this.#line;
    let id = '';
    if (line.skipNull() || !line.enterObject()) return;
    do {
      if (line.key() === KEY.id) id = line.text();
      else line.skip();
    } while (line.hasMore());
    if (id !== '') this.#reading.container = id;
  }

  #workload(): void {
    const line = this.#line;
    if (!line.enterObject()) return;
    do {
      const key = line.key();
      if (key === KEY.process) this.#process();
      else if (key === KEY.container) {
        this.#once(SAW.container);
        this.#container();
      } else line.skip();
    } while (line.hasMore());
  }

  #process(): void {
    const line = this.#line;
    const reading = this.#reading;
    this.#once(SAW.process);
    if (!line.enterObject()) return;
    do {
      switch (line.key()) {
        case KEY.hostPid:
          this.#once(SAW.pid);
          reading.pid = line.taskNumber();
          break;
        case KEY.pid:
          reading.nsPid = line.taskNumber();
          break;
        case KEY.thread:
          this.#thread();
          break;
        case KEY.ancestors:
          this.#ancestors();
          break;
        case KEY.realUser:
          this.#user();
          break;
        default:
          line.skip();
      }
    } while (line.hasMore());
  }

  #thread(): void {
    const line = this.#line;
    const reading = this.#reading;
    this.#once(SAW.thread);
    if (!line.enterObject()) return;
    do {
      switch (line.key()) {
        case KEY.hostTid:
          this.#once(SAW.tid);
          reading.tid = line.taskNumber();
          break;
        case KEY.tid:
          reading.nsTid = line.taskNumber();
          break;
        case KEY.startTime:
          reading.start = line.time();
          break;
        case KEY.name:
          reading.comm = line.text();
          break;
        case KEY.syscall:
          reading.syscall = line.text();
          break;
        default:
          line.skip();
      }
    } while (line.hasMore());
  }

  /** The first one is the parent. */
  #ancestors(): void {
    const line = this.#line;
    let isParent = true;
    this.#once(SAW.ancestors);
    if (!line.enterArray()) return;
    do {
      if (isParent) this.#parent();
      else line.skip();
      isParent = false;
    } while (line.hasMore());
  }

  #parent(): void {
    const line = this.#line;
    this.#once(SAW.ppid);
    let hasPid = false;
    if (!line.enterObject()) {
      line.isUnusual = true;
      return;
    }
    do {
      if (line.key() === KEY.hostPid) {
        hasPid = true;
        this.#reading.ppid = line.taskNumber();
      } else line.skip();
    } while (line.hasMore());
    if (!hasPid) line.isUnusual = true;
  }

  #user(): void {
    const line = this.#line;
    this.#reading.uid = undefined;
    if (line.skipNull() || !line.enterObject()) return;
    do {
      if (line.key() === KEY.id) this.#reading.uid = line.uint32();
      else line.skip();
    } while (line.hasMore());
  }

  /** `{"name": N, "type": T, "value": V}`, in this order */
  #legacyArgs(): void {
    const line = this.#line;
    if (line.skipNull() || !this.#isNamed() || !line.enterArray()) return;
    do {
      const place = this.#argName();
      while (line.hasMore()) {
        if (line.key() === KEY.value) this.#value(place);
        else line.skip();
      }
    } while (line.hasMore());
  }

  /** `{"name": N, "<type>": V}`, in this order */
  #data(): void {
    const line = this.#line;
    if (line.skipNull() || !this.#isNamed() || !line.enterArray()) return;
    do {
      const place = this.#argName();
      let isFirst = true;
      while (line.hasMore()) {
        const key = line.key();
        if (!isFirst) line.isUnusual = true;
        else if (key === KEY.strArray) this.#stringArray(place);
        else this.#value(place);
        isFirst = false;
      }
    } while (line.hasMore());
  }

  #isNamed(): boolean {
    if ((this.#saw & SAW.name) === 0) this.#line.isUnusual = true;
    return !this.#line.isUnusual;
  }

  /** Steps into an argument and reads its name. @returns its place, or -1 when it does not count */
  #argName(): number {
    const line = this.#line;
    if (!line.enterObject() || line.key() !== KEY.name) {
      line.isUnusual = true;
      return -1;
    }
    return ARGS_BY_KEY[this.#reading.name].get(line.textKey()) ?? -1;
  }

  #stringArray(place: number): void {
    const line = this.#line;
    const type = place < 0 ? undefined : (ARGS[this.#reading.name][place] as Arg).type;
    if (type !== 'strings') {
      if (type !== undefined) line.isUnusual = true;
      line.skip();
      return;
    }
    const { args } = this.#reading;
    if (args[place] !== undefined) line.isUnusual = true;
    args[place] = [];
    if (line.skipNull() || !line.enterObject()) return;
    do {
      if (line.key() === KEY.value) args[place] = line.texts();
      else line.skip();
    } while (line.hasMore());
  }

  #value(place: number): void {
    const line = this.#line;
    if (place < 0) {
      line.skip();
      return;
    }
    if (line.skipNull()) return;
    const { args } = this.#reading;
    if (args[place] !== undefined) line.isUnusual = true;
    args[place] = this.#valueOf((ARGS[this.#reading.name][place] as Arg).type);
  }

  #valueOf(type: Arg['type']): ArgValue {
    const line = this.#line;
    switch (type) {
      case 'task':
        return line.taskNumber();
      case 'time':
        return line.time();
      case 'uint32':
      case 'mode':
        return line.uint32();
      case 'uint64':
        return line.uint64Text();
      case 'integer':
        return line.signed();
      case 'boolean':
        return line.boolean();
      case 'string':
        return line.text() || undefined;
      case 'comm':
        return line.text();
      default:
        return line.texts();
    }
  }
}

function byKey(args: readonly Arg[]): ArgsByKey {
  return new Map(args.map(({ name }, place) => [keyOf(name), place]));
}
