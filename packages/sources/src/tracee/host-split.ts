// A feed of Tracee can hold the events of many hosts, and each has a tree of its
// own. Which host an event is of is not always said. Of Tracee's dialects only
// the older one names hosts, with no more than 15 characters, and as the task
// sees it: in a container that is the container's own name, which says nothing
// of the host. So
//
//   an event outside of containers is of the host that it names;
//   one in a container is of the host that has its container, else its task;
//   as long as there is one host only, whatever names none is of that one.
//
// What remains is of the host that whoever sends it says it is of (the address
// of a post, one of several gRPC servers), or is left out and counted.

import type { TimeBase } from '@dendro/protocol';
import { Announcements } from './announcements.ts';
import { Rejection } from './fields.ts';

export const DEFAULT_MAX_HOSTS = 64;
/** Longer than the kernel lets any name be. */
export const MAX_HOST_NAME = 64;
/** Where Tracee cuts names off. */
const CUT_NAME = 15;
const MAX_CONTAINERS = 4096;
const MAX_CONTAINER_ID = 128;
const MAX_OTHERS = 1000;
const MAX_SHOWN = 8;

/** One host of a feed, and how much of the feed is about it. */
export class FeedHost {
  /** 0 is the one that is there from the start. */
  readonly number: number;
  /** Undefined as long as nobody has said it. */
  name: string | undefined;
  /** Did the feed name it? The host that Dendro runs on has its name from elsewhere. */
  isNamedByFeed = false;
  /** Events taken, of all that feed its tree. */
  accepted = 0;
  readonly rejected: Record<string, number> = {};
  readonly announcements = new Announcements();

  constructor(number: number, name: string | undefined) {
    this.number = number;
    this.name = name;
  }

  reject(reason: string): void {
    this.rejected[reason] = (this.rejected[reason] ?? 0) + 1;
  }
}

/** Why there is no tree for a host of that name. */
export type HostReject = 'bad-host-name' | 'other-host' | 'too-many-hosts';

/** What an event says of the host that it is of. */
export interface HostHint {
  readonly name: string | undefined;
  /** Is the task in a container, or in a pid namespace of its own? */
  readonly isContained: boolean;
  readonly container: string | undefined;
  readonly tid: number;
  readonly startEpochNs: bigint | undefined;
}

export interface HostSplitOptions {
  /** The hosts whose events are taken; none: of all. */
  readonly wanted?: readonly string[] | undefined;
  readonly maxHosts?: number | undefined;
  /** Name of the host that there is anyway, where it is not that of the first event. */
  readonly own?: string | undefined;
}

/** What is asked about the trees of the hosts. */
export interface HostTrees {
  /** What its times count from; undefined before its first event. */
  baseOf(host: FeedHost): TimeBase | undefined;
  /** Is there a task that is known to have begun just then? */
  hasBegun(host: FeedHost, tid: number, startEpochNs: bigint): boolean;
}

export class HostSplit {
  readonly #wanted: readonly string[];
  readonly #maxHosts: number;
  readonly #hosts: FeedHost[];
  readonly #byName = new Map<string, FeedHost>();
  /** Container id -> its host, the oldest first. */
  readonly #containers = new Map<string, FeedHost>();
  readonly #others = new Set<string>();
  #tooMany = 0;
  #unplaced = 0;
  #hasUnnamed = false;
  #hasContained = false;
  /** Set by whoever keeps them. */
  trees: HostTrees | undefined;

  constructor({ wanted = [], maxHosts = DEFAULT_MAX_HOSTS, own }: HostSplitOptions = {}) {
    this.#wanted = wanted;
    this.#maxHosts = maxHosts;
    this.#hosts = [new FeedHost(0, own)];
    if (own !== undefined) this.#byName.set(own, this.first);
  }

  /** The one that is there from the start; it has the name of the first event that says one. */
  get first(): FeedHost {
    return this.#hosts[0] as FeedHost;
  }

  get hosts(): readonly FeedHost[] {
    return this.#hosts;
  }

  /**
   * The host that an event is of.
   * @param fallback whose it is if it does not say it and nobody knows
   * @throws Rejection
   */
  hostOf(hint: HostHint, fallback?: FeedHost): FeedHost {
    const { name, isContained } = hint;
    if (name === undefined || name === '') {
      if (hint.tid !== 0) this.#hasUnnamed = true;
      return fallback ?? this.#onlyHost ?? this.#placed(hint) ?? this.#refuseUnplaced();
    }
    if (!isContained) {
      const host = this.ensure(name);
      if (typeof host === 'string') {
        if (host === 'too-many-hosts') this.#tooMany++;
        throw new Rejection(host);
      }
      return host;
    }
    this.#hasContained = true;
    return this.#onlyHost ?? this.#placed(hint) ?? this.#byName.get(name) ?? fallback ?? this.#refuseUnplaced();
  }

  /** The host that has said this name. */
  called(name: string): FeedHost | undefined {
    return this.#byName.get(name);
  }

  /** The host of that name, which need not have said a word yet. @returns why there can be none */
  ensure(name: string): FeedHost | HostReject {
    if (name === '' || name.length > MAX_HOST_NAME) return 'bad-host-name';
    return this.#byName.get(name) ?? this.#named(name);
  }

  /** For people. */
  get notices(): string[] {
    const notices: string[] = [];
    const wanted = this.#wanted.map(plain).join(', ');
    if (this.#wanted.length > 0 && this.#others.size > 0 && this.#tooMany === 0) {
      notices.push(
        this.first.isNamedByFeed
          ? `Only events of ${wanted} were asked for: those of others are rejected as other-host. --host-from also takes ${this.#namesOfOthers}.`
          : `No event is of the host ${wanted}: --host-from can be ${this.#namesOfOthers}.`,
      );
    }
    if (this.#wanted.length > 0 && this.#hasContained && this.#hosts.length === 1 && this.#others.size > 0)
      notices.push('Events in containers do not say which host they are of, and are all taken.');
    if (this.#wanted.length > 0 && this.#hasUnnamed && this.#hosts.length === 1)
      notices.push('Events that do not say which host they are of were taken with the others.');
    if (this.#tooMany > 0) {
      notices.push(
        `The feed has events of more than ${this.#maxHosts} hosts: ${this.#tooMany} events of others are rejected as too-many-hosts, ` +
          `of ${this.#namesOfOthers}. --max-hosts lets more in, --host-from picks some.`,
      );
    }
    if (this.#unplaced > 0) {
      notices.push(
        `${this.#unplaced} events in containers, or of nobody who has a name, could be of any of the hosts and are rejected as host-unknown.`,
      );
    }
    return notices;
  }

  get #onlyHost(): FeedHost | undefined {
    return this.#hosts.length === 1 ? this.first : undefined;
  }

  get #namesOfOthers(): string {
    const names = [...this.#others].slice(0, MAX_SHOWN).map(plain).join(', ');
    return this.#others.size > MAX_SHOWN ? `${names} and more` : names;
  }

  /** The host of the container, or the only one that knows the task. */
  #placed({ container, tid, startEpochNs }: HostHint): FeedHost | undefined {
    const known = container === undefined ? undefined : this.#containers.get(container);
    if (known !== undefined || startEpochNs === undefined) return known;
    let found: FeedHost | undefined;
    for (const host of this.#hosts) {
      if (!this.trees?.hasBegun(host, tid, startEpochNs)) continue;
      if (found !== undefined) return undefined;
      found = host;
    }
    if (found !== undefined && container !== undefined) this.noteContainer(container, found);
    return found;
  }

  /** The container was seen on that host. */
  noteContainer(id: string, host: FeedHost): void {
    if (id.length > MAX_CONTAINER_ID || this.#containers.has(id)) return;
    this.#containers.set(id, host);
    if (this.#containers.size <= MAX_CONTAINERS) return;
    const [oldest = ''] = this.#containers.keys();
    this.#containers.delete(oldest);
  }

  #named(name: string): FeedHost | HostReject {
    const { first } = this;
    if (first.name !== undefined && !first.isNamedByFeed && isSame(name, first.name)) return this.#call(name, first);
    const wanted = this.#wanted.find((one) => isSame(name, one));
    if (this.#wanted.length > 0 && wanted === undefined) {
      this.#keepOther(name);
      return 'other-host';
    }
    if (first.name === undefined) {
      first.name = wanted ?? name;
      first.isNamedByFeed = true;
      return this.#call(name, first);
    }
    if (this.#hosts.length >= this.#maxHosts) {
      this.#keepOther(name);
      return 'too-many-hosts';
    }
    const host = new FeedHost(this.#hosts.length, wanted ?? name);
    host.isNamedByFeed = true;
    this.#hosts.push(host);
    return this.#call(name, host);
  }

  #call(name: string, host: FeedHost): FeedHost {
    this.#byName.set(name, host);
    return host;
  }

  #keepOther(name: string): void {
    if (this.#others.size < MAX_OTHERS) this.#others.add(name);
  }

  #refuseUnplaced(): never {
    this.#unplaced++;
    throw new Rejection('host-unknown');
  }
}

function isSame(told: string, name: string): boolean {
  return told === name || (told.length >= CUT_NAME && name.startsWith(told));
}

/** What a host cannot be called is no text for a terminal. */
function plain(name: string): string {
  return name.slice(0, MAX_HOST_NAME).replace(/[^\x21-\x7e]/g, '?');
}
